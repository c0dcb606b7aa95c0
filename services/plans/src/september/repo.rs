//! SQL of the September list.

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Entry, Mark};
use crate::calendar::today;
use crate::sight::{Sight, Whose};

/// Students in one answer.
const MOST: i64 = 2_000;

/// Writes a coordinator's word; false where somebody else was faster.
pub async fn put(conn: &mut PgConnection, mark: &Mark) -> Result<bool, DbError> {
    let contacted = mark.contacted.then(today);
    let done = sqlx::query!(
        "insert into plans.september_mark as held (student_id, school_year, attention, because, note, contacted_on, contacted_by, marked_by)
         select $1, $2, $3, 'coordinator', $4, $5, case when $5::date is null then null else $6::uuid end, $7 where $8::bigint = 0
         on conflict (student_id, school_year) do nothing",
        mark.student_id,
        mark.school_year,
        mark.attention,
        mark.note,
        contacted,
        mark.staff_id,
        mark.request.caller,
        mark.expected_version
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(true);
    }
    let done = sqlx::query!(
        "update plans.september_mark set attention = $3, because = 'coordinator', note = $4, contacted_on = coalesce(contacted_on, $5),
             contacted_by = case when contacted_on is null and $5::date is not null then $6 else contacted_by end, marked_by = $7,
             version = version + 1, updated_at = now()
         where student_id = $1 and school_year = $2 and version = $8",
        mark.student_id,
        mark.school_year,
        mark.attention,
        mark.note,
        contacted,
        mark.staff_id,
        mark.request.caller,
        mark.expected_version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was marked of a student.
pub async fn marked(conn: &mut PgConnection, student_id: Uuid, school_year: i32) -> Result<Option<Entry>, DbError> {
    Ok(sqlx::query_as!(
        Entry,
        r#"select m.student_id, coalesce((select min(r.object::text)::uuid from plans.relationship r where r.subject = m.student_id and r.relation = 'attends'),
                  '00000000-0000-0000-0000-000000000000') as "school_id!", m.school_year, m.attention, m.because, m.note, m.contacted_on, m.contacted_by, m.version
           from plans.september_mark m where m.student_id = $1 and m.school_year = $2"#,
        student_id,
        school_year
    )
    .fetch_optional(conn)
    .await?)
}

/// Who is on the list of these places: marked, of tier 3 in the year before, or with a referral that goes on. A referral for a
/// protected need puts nobody on a list of somebody who may not see it.
pub async fn list(conn: &mut PgConnection, whose: &Whose, sight: &Sight, school_year: i32, open_only: bool) -> Result<Vec<Entry>, DbError> {
    Ok(sqlx::query_as!(
        Entry,
        r#"with students as (
               select subject as student_id, min(object::text)::uuid as school_id from plans.relationship r
               where r.relation = 'attends' and ($1 or exists (select from plans.relationship x
                   where x.subject = r.subject and x.relation in ('attends', 'member') and x.object = any($2::uuid[])))
               group by subject),
           reasons as (
               select student_id, attention, because, note, contacted_on, contacted_by, version, 0 as rank
               from plans.september_mark where school_year = $3
               union all
               select student_id, true, 'tier_3', '', null, null, 0, 1 from plans.student_tier where school_year = $3 - 1 and tier = '3'
               union all
               select p.student_id, true, 'open_referral', '', null, null, 0, 2
               from plans.referral f join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
               where p.school_year = $3 - 1 and f.item_state in ('arranging', 'in_place')
                 and plans.sees(p.student_id, i.sensitivity, array(select n.domain from plans.plan_item_need l join plans.need n using (need_id)
                     where l.plan_item_id = i.plan_item_id and n.sensitivity = 'restricted'), $4, $5, $6, $7, $8, $9))
           select distinct on (s.student_id) s.student_id as "student_id!", s.school_id as "school_id!", $3 as "school_year!", r.attention as "attention!",
                  r.because as "because!", r.note as "note!", r.contacted_on, r.contacted_by, r.version as "version!"
           from students s join reasons r using (student_id)
           where not $10 or (r.attention and r.contacted_on is null and not exists (
               select from plans.september_mark m where m.student_id = s.student_id and m.school_year = $3 and (not m.attention or m.contacted_on is not null)))
           order by s.student_id, r.rank limit $11"#,
        whose.everything,
        &whose.places,
        school_year,
        &sight.restricted_everywhere,
        &sight.restricted_places,
        &sight.restricted_domains,
        sight.protected_everywhere,
        &sight.protected_places,
        &sight.protected_students,
        open_only,
        MOST
    )
    .fetch_all(conn)
    .await?)
}
