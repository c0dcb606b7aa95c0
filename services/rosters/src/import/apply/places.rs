//! Organisations, sessions, courses and classes: thousands of rows, not hundreds of thousands.

use sqlx::PgConnection;

use super::{Counts, Modes};
use crate::import::error::ImportError;
use crate::oneroster::FileKind;

/// Organisations.
pub async fn orgs(conn: &mut PgConnection, modes: Modes<'_>) -> Result<Counts, ImportError> {
    let up = sqlx::query!(
        r#"with up as (
               insert into rosters.org as held (org_id, source_id, name, type, identifier, is_school)
               select m.org_id, s.source_id, s.name, m.type, s.identifier, m.is_school
               from rosters.stage_org s join rosters.map_org m on m.source_id = s.source_id
               where m.live
               on conflict (source_id) do update
               set name = excluded.name, type = excluded.type, identifier = excluded.identifier, is_school = excluded.is_school,
                   active = true, missing_since = null
               where (held.name, held.type, held.identifier, held.is_school, held.active, held.missing_since)
                   is distinct from (excluded.name, excluded.type, excluded.identifier, excluded.is_school, true, null)
               returning xmax = 0 as added
           )
           select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from up"#
    )
    .fetch_one(&mut *conn)
    .await?;
    let skipped = sqlx::query!("update rosters.org o set active = false from rosters.stage_org s where s.source_id = o.source_id and s.deleted and o.active")
        .execute(&mut *conn)
        .await?
        .rows_affected();
    let mut counts = Counts { added: up.added, changed: up.changed + skipped as i64, ..Counts::default() };
    if modes.is_whole(FileKind::Orgs) {
        counts.missing = sqlx::query!(
            "update rosters.org o set missing_since = now()
             where o.active and o.missing_since is null and not exists (select from rosters.stage_org s where s.source_id = o.source_id)"
        )
        .execute(conn)
        .await?
        .rows_affected() as i64;
    }
    Ok(counts)
}

/// Academic sessions.
pub async fn sessions(conn: &mut PgConnection) -> Result<Counts, ImportError> {
    let up = sqlx::query!(
        r#"with up as (
               insert into rosters.academic_session as held (session_id, source_id, title, type, start_on, end_on, school_year, active)
               select s.new_id, s.source_id, coalesce(s.title, s.source_id), s.type, s.start_on, s.end_on, s.school_year, true
               from rosters.stage_session s
               where not s.deleted
               on conflict (source_id) do update
               set title = excluded.title, type = excluded.type, start_on = excluded.start_on, end_on = excluded.end_on,
                   school_year = excluded.school_year, active = true
               where (held.title, held.type, held.start_on, held.end_on, held.school_year, held.active)
                   is distinct from (excluded.title, excluded.type, excluded.start_on, excluded.end_on, excluded.school_year, true)
               returning xmax = 0 as added
           )
           select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from up"#
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query!(
        "update rosters.academic_session a set active = false
         from rosters.stage_session s where s.source_id = a.source_id and s.deleted and a.active"
    )
    .execute(conn)
    .await?;
    Ok(Counts { added: up.added, changed: up.changed, ..Counts::default() })
}

/// Courses: what a class is about.
pub async fn courses(conn: &mut PgConnection) -> Result<Counts, ImportError> {
    let up = sqlx::query!(
        r#"with up as (
               insert into rosters.course as held (course_id, source_id, title, active)
               select s.new_id, s.source_id, coalesce(s.title, s.source_id), true
               from rosters.stage_course s
               where not s.deleted
               on conflict (source_id) do update set title = excluded.title, active = true
               where (held.title, held.active) is distinct from (excluded.title, true)
               returning xmax = 0 as added
           )
           select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from up"#
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query!("update rosters.course c set active = false from rosters.stage_course s where s.source_id = c.source_id and s.deleted and c.active")
        .execute(conn)
        .await?;
    Ok(Counts { added: up.added, changed: up.changed, ..Counts::default() })
}

/// Classes, and on which of them whole class reviews are held.
pub async fn classes(conn: &mut PgConnection, modes: Modes<'_>) -> Result<Counts, ImportError> {
    let up = sqlx::query!(
        r#"with up as (
               insert into rosters.class_section as held (class_id, source_id, school_id, title, grades, type, course_id, review_unit)
               select m.class_id, s.source_id, o.org_id, coalesce(s.title, s.class_code, s.source_id), coalesce(s.grades, '{}'),
                      coalesce(s.class_type, 'scheduled'), c.course_id, false
               from rosters.stage_class s
               join rosters.map_class m on m.source_id = s.source_id
               join rosters.map_org o on o.source_id = s.school_id
               left join rosters.course c on c.source_id = s.course_id
               where m.live
               on conflict (source_id) do update
               set school_id = excluded.school_id, title = excluded.title, grades = excluded.grades, type = excluded.type,
                   course_id = excluded.course_id, active = true, missing_since = null
               where (held.school_id, held.title, held.grades, held.type, held.course_id, held.active, held.missing_since)
                   is distinct from (excluded.school_id, excluded.title, excluded.grades, excluded.type, excluded.course_id, true, null)
               returning xmax = 0 as added
           )
           select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from up"#
    )
    .fetch_one(&mut *conn)
    .await?;
    let left = sqlx::query!(
        "update rosters.class_section c set active = false
         from rosters.map_class m join rosters.stage_class s on s.source_id = m.source_id
         where m.class_id = c.class_id and not m.live and c.active"
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let mut counts = Counts { added: up.added, changed: up.changed + left as i64, ..Counts::default() };
    if modes.is_whole(FileKind::Classes) {
        counts.missing = sqlx::query!(
            "update rosters.class_section c set missing_since = now()
             where c.active and c.missing_since is null and not exists (select from rosters.stage_class s where s.source_id = c.source_id)"
        )
        .execute(&mut *conn)
        .await?
        .rows_affected() as i64;
    }
    // Homerooms are reviewed; where a school has none, its scheduled classes are.
    sqlx::query!(
        "update rosters.class_section c set review_unit = wanted.review_unit
         from (
             select class_id, type = 'homeroom' or not bool_or(type = 'homeroom') over (partition by school_id) as review_unit
             from rosters.class_section where active and missing_since is null
         ) wanted
         where wanted.class_id = c.class_id and c.review_unit <> wanted.review_unit"
    )
    .execute(conn)
    .await?;
    Ok(counts)
}
