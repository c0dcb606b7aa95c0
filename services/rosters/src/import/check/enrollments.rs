//! References of enrollments. The largest file, so one pass over it finds everything.

use sqlx::PgConnection;

use super::Found;
use crate::import::error::ImportError;

/// Enrollments.
pub(super) async fn of_enrollments(conn: &mut PgConnection) -> Result<Vec<Found>, ImportError> {
    let found = sqlx::query_as!(
        Found,
        r#"select severity as "severity!", rule as "rule!", 'enrollments.csv' as "file!", column_name as "column!", count(*) as "rows!",
                  min(line) as "line!", (array_agg(value order by line))[1] as "value!"
           from (
               select e.line, p.severity, p.rule, p.column_name, p.value
               from rosters.stage_enrollment e
               left join rosters.map_class c on c.source_id = e.class_id
               left join rosters.map_person m on m.source_id = e.user_id
               cross join lateral (values
                   (c.source_id is null and e.class_id is not null, 'error', 'reference.missing', 'classSourcedId', e.class_id),
                   (not c.live, 'warning', 'reference.deleted', 'classSourcedId', e.class_id),
                   (m.source_id is null and e.user_id is not null, 'error', 'reference.missing', 'userSourcedId', e.user_id),
                   (not m.live, 'warning', 'reference.deleted', 'userSourcedId', e.user_id),
                   (c.live and e.school_id <> c.school_source_id, 'warning', 'reference.mismatch', 'schoolSourcedId', e.school_id),
                   (m.live and e.role = 'student' and m.kind in ('staff', 'guardian'), 'warning', 'enrollment.role_differs', 'role', e.user_id),
                   (m.live and e.role <> 'student' and (m.kind in ('student', 'guardian') or e.role in ('parent', 'guardian', 'relative')),
                    'warning', 'enrollment.role_ignored', 'role', e.role)
               ) as p (broken, severity, rule, column_name, value)
               where p.broken and not e.deleted
                 -- Rows without fault, nearly all of them, are not spread out.
                 and (c.live is not true or m.live is not true or e.school_id <> c.school_source_id
                      or (m.kind = 'student') is distinct from (e.role = 'student') or e.role not in ('student', 'teacher'))
               union all
               select max(e.line), 'warning', 'enrollment.primary_twice', 'primary', e.class_id
               from rosters.stage_enrollment e
               where e.is_primary and e.role = 'teacher' and not e.deleted
               group by e.class_id having count(*) > 1
           ) found
           group by severity, rule, column_name"#
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}
