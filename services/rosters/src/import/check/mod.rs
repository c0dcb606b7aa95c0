//! Checks that need more than one row: duplicates and references, as set-based SQL over the staged rows.

mod enrollments;
mod references;

use sqlx::PgConnection;

use super::error::ImportError;
use crate::oneroster::{Findings, Place, Severity};

/// One rule that some rows of a file break.
#[derive(Debug)]
struct Found {
    severity: String,
    rule: String,
    file: String,
    column: String,
    rows: i64,
    line: i64,
    value: String,
}

/// Stable codes and what each tells the clerk. A rule that is not here cannot be found.
const RULES: &[(&str, &str)] = &[
    ("source_id.duplicate", "Another row of the file has the same sourcedId; give each row its own."),
    ("reference.missing", "No row with this sourcedId is in the file that it points into. Add the row, or correct the id."),
    ("reference.dropped", "The id points at nothing in this package, so the link was left out. Add the row it points at, or clear the cell."),
    ("reference.deleted", "The row depends on one that is marked deleted or left out, so it was left out too."),
    ("reference.mismatch", "The enrollment names another school than its class does; the class decides."),
    ("class.school_type", "The class belongs to an organisation that is not of type school; it is treated as a school. Point it at the school."),
    ("session.type", "The school year of a course should be a session of type schoolYear."),
    ("user.no_role", "The user has no role, in roles.csv or by an enrollment, and was left out."),
    ("user.agent_kind", "The agent is not a parent, guardian or relative, so the link was left out."),
    ("user.master_identifier", "Several users share this userMasterIdentifier; they are kept apart. Make it unique."),
    ("role.unmapped", "The district's rule gives this role no meaning here, so it was left out. Add it to service.roles in the settings."),
    ("enrollment.role_differs", "The user is enrolled as a student though the user's role says otherwise; the enrollment decides."),
    ("enrollment.role_ignored", "People of this kind, or this role, are not members of classes here; the row was left out."),
    ("enrollment.primary_twice", "A class can have one primary teacher; all that are marked were kept."),
    ("demographics.no_user", "No user of the package has this sourcedId, so the row was left out."),
];

fn note(found: Vec<Found>, findings: &mut Findings) {
    for found in found.into_iter().filter(|found| found.rows > 0) {
        let Some((rule, hint)) = RULES.iter().find(|(rule, _)| *rule == found.rule) else { continue };
        let severity = if found.severity == "error" { Severity::Error } else { Severity::Warning };
        let place = Place { file: &found.file, line: u64::try_from(found.line).unwrap_or(0), column: &found.column };
        let rows = u64::try_from(found.rows).unwrap_or(0);
        findings.add(severity, rule, place, &found.value, rows, || (*hint).to_owned());
    }
}

/// Each `sourcedId` once a file. Must pass before anything is joined: one id on many rows would multiply them.
pub async fn duplicates(conn: &mut PgConnection, findings: &mut Findings) -> Result<bool, ImportError> {
    let found = sqlx::query_as!(
        Found,
        r#"select 'error' as "severity!", 'source_id.duplicate' as "rule!", file as "file!", 'sourcedId' as "column!",
                  sum(extra)::bigint as "rows!", min(line)::bigint as "line!", (array_agg(source_id order by line))[1] as "value!"
           from (
               select 'orgs.csv' as file, source_id, count(*) - 1 as extra, max(line) as line from rosters.stage_org group by source_id having count(*) > 1
               union all
               select 'academicSessions.csv', source_id, count(*) - 1, max(line) from rosters.stage_session group by source_id having count(*) > 1
               union all
               select 'courses.csv', source_id, count(*) - 1, max(line) from rosters.stage_course group by source_id having count(*) > 1
               union all
               select 'classes.csv', source_id, count(*) - 1, max(line) from rosters.stage_class group by source_id having count(*) > 1
               union all
               select 'users.csv', source_id, count(*) - 1, max(line) from rosters.stage_user group by source_id having count(*) > 1
               union all
               select 'roles.csv', source_id, count(*) - 1, max(line) from rosters.stage_role group by source_id having count(*) > 1
               union all
               select 'enrollments.csv', source_id, count(*) - 1, max(line) from rosters.stage_enrollment group by source_id having count(*) > 1
               union all
               select 'demographics.csv', source_id, count(*) - 1, max(line) from rosters.stage_demographics group by source_id having count(*) > 1
           ) twice
           group by file"#
    )
    .fetch_all(conn)
    .await?;
    let clean = found.is_empty();
    note(found, findings);
    Ok(clean)
}

/// Rules about organisations, sessions, courses and classes: small files, always looked at.
pub async fn places(conn: &mut PgConnection, findings: &mut Findings) -> Result<(), ImportError> {
    note(references::of_orgs_and_classes(conn).await?, findings);
    Ok(())
}

/// Rules about people and enrollments: large files, looked at where the first look saw anything odd.
pub async fn people(conn: &mut PgConnection, role_rule: &[String], findings: &mut Findings) -> Result<(), ImportError> {
    note(references::of_people(conn, role_rule).await?, findings);
    note(enrollments::of_enrollments(conn).await?, findings);
    Ok(())
}
