//! The delta guard: a set that would make many students disappear is held back until somebody says that it is right.

use sqlx::PgConnection;
use uuid::Uuid;

use super::error::ImportError;
use crate::oneroster::{Findings, Place, Severity};

/// A school's students may shrink by this many at once without anybody being asked.
const MISSING_ROWS: i64 = 50;
/// Or by this share, in percent.
const MISSING_PERCENT: i64 = 5;

/// Students of a school before the import.
#[derive(Debug, Clone)]
pub struct Before {
    school_id: Uuid,
    students: i64,
}

/// Counts the students of each school.
pub async fn count(conn: &mut PgConnection) -> Result<Vec<Before>, ImportError> {
    let before = sqlx::query_as!(
        Before,
        r#"select s.school_id, count(*) as "students!"
           from rosters.school_enrolment s join rosters.person p on p.person_id = s.student_id
           where s.end_on is null and p.active and p.missing_since is null
           group by s.school_id"#
    )
    .fetch_all(conn)
    .await?;
    Ok(before)
}

/// Whether the applied, not yet committed import takes too many students from a school; the findings say which.
pub async fn would_stop(conn: &mut PgConnection, before: &[Before], findings: &mut Findings) -> Result<bool, ImportError> {
    let after: std::collections::HashMap<Uuid, i64> = count(&mut *conn).await?.into_iter().map(|b| (b.school_id, b.students)).collect();
    let mut stops = false;
    for Before { school_id, students } in before {
        let left = after.get(school_id).copied().unwrap_or(0);
        if !is_too_many(*students, left) {
            continue;
        }
        stops = true;
        let name = sqlx::query_scalar!("select source_id from rosters.org where org_id = $1", school_id).fetch_one(&mut *conn).await?;
        findings.add(Severity::Warning, "guard.students_missing", Place::file("users.csv"), &name, 1, || {
            format!("The school would go from {students} students to {left}. If that is right, import again and accept the changes.")
        });
    }
    Ok(stops)
}

fn is_too_many(before: i64, after: i64) -> bool {
    let missing = before - after;
    before > 0 && (after == 0 || (missing > MISSING_ROWS && missing * 100 > before * MISSING_PERCENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_may_leave_and_no_school_may_empty() {
        assert!(!is_too_many(400, 380));
        assert!(!is_too_many(400, 350));
        assert!(is_too_many(400, 349));
        assert!(!is_too_many(2_000, 1_940));
        assert!(is_too_many(2_000, 1_800));
        assert!(is_too_many(3, 0));
        assert!(!is_too_many(0, 0));
    }
}
