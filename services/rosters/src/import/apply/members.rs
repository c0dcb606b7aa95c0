//! Who is in which class: the most rows of all.

use sqlx::PgConnection;

use super::{Counts, Modes};
use crate::import::error::ImportError;
use crate::oneroster::FileKind;

/// Class memberships.
pub async fn members(conn: &mut PgConnection, modes: Modes<'_>) -> Result<Counts, ImportError> {
    let added = sqlx::query!(
        "insert into rosters.class_member (class_id, source_id, person_id, role, is_primary, begin_on, end_on)
         select c.class_id, e.source_id, m.person_id, e.role, coalesce(e.is_primary and e.role = 'teacher', false), e.begin_on, e.end_on
         from rosters.stage_enrollment e
         join rosters.map_class c on c.source_id = e.class_id and c.live
         join rosters.map_person m on m.source_id = e.user_id and m.live
         where not e.deleted
           and ((m.kind = 'student' and e.role = 'student')
                or (m.kind = 'staff' and e.role in ('teacher', 'administrator', 'proctor', 'aide')))
           and (not $1 or not exists (select from rosters.class_member h where h.class_id = c.class_id and h.source_id = e.source_id))",
        modes.held
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let mut counts = Counts { added: added as i64, ..Counts::default() };
    if !modes.held {
        return Ok(counts);
    }
    counts.changed = sqlx::query!(
        "update rosters.class_member h
         set person_id = w.person_id, role = w.role, is_primary = w.is_primary, begin_on = w.begin_on, end_on = w.end_on, missing_since = null
         from (
             select c.class_id, e.source_id, m.person_id, e.role, coalesce(e.is_primary and e.role = 'teacher', false) as is_primary,
                    e.begin_on, e.end_on
             from rosters.stage_enrollment e
             join rosters.map_class c on c.source_id = e.class_id and c.live
             join rosters.map_person m on m.source_id = e.user_id and m.live
             where not e.deleted
               and ((m.kind = 'student' and e.role = 'student')
                    or (m.kind = 'staff' and e.role in ('teacher', 'administrator', 'proctor', 'aide')))
         ) w
         where h.class_id = w.class_id and h.source_id = w.source_id
           and (h.person_id, h.role, h.is_primary, h.begin_on, h.end_on, h.missing_since)
               is distinct from (w.person_id, w.role, w.is_primary, w.begin_on, w.end_on, null::timestamptz)"
    )
    .execute(&mut *conn)
    .await?
    .rows_affected() as i64;
    // A membership that a bulk file no longer names, or that a row marks deleted, is over; its history stays.
    counts.missing = sqlx::query!(
        "update rosters.class_member h set missing_since = now()
         where h.missing_since is null
           and not exists (
               select from rosters.stage_enrollment e
               join rosters.map_class c on c.source_id = e.class_id and c.live
               join rosters.map_person m on m.source_id = e.user_id and m.live
               where e.source_id = h.source_id and not e.deleted and c.class_id = h.class_id)
           and ($1 or exists (select from rosters.stage_enrollment e where e.source_id = h.source_id))",
        modes.is_whole(FileKind::Enrollments)
    )
    .execute(conn)
    .await?
    .rows_affected() as i64;
    Ok(counts)
}
