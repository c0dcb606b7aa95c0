//! SQL of who was not noticed.

use chassis_pg::DbError;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::sight::{Sight, Whose};

/// A student and the last thing noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNoticed {
    /// Student.
    pub student_id: Uuid,
    /// When; none where nothing ever was.
    pub last_on: Option<NaiveDate>,
    /// What; none where nothing ever was.
    pub last_kind: Option<String>,
}

/// Which.
#[derive(Clone, Debug)]
pub struct Query<'q> {
    /// Of these students.
    pub whose: &'q Whose,
    /// What of theirs may be seen: what may not does not count, as its absence would tell of it.
    pub sight: &'q Sight,
    /// Nothing in so many school days.
    pub school_days: i32,
    /// After this one, longest unnoticed first.
    pub after: Option<(NaiveDate, Uuid)>,
    /// How many.
    pub limit: i64,
}

/// A day before all others stands for never.
pub const NEVER: NaiveDate = NaiveDate::MIN;

/// Students longest unnoticed first.
pub async fn list(conn: &mut PgConnection, query: &Query<'_>) -> Result<Vec<NotNoticed>, DbError> {
    let (after_day, after_id) = query.after.unzip();
    let after_day = after_day.map(|day| if day == NEVER { NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(day) } else { day });
    let sight = query.sight;
    Ok(sqlx::query_as!(
        NotNoticed,
        r#"with students as (
               select distinct subject as student_id from plans.relationship r
               where r.relation = 'attends' and ($1 or exists (select from plans.relationship x
                   where x.subject = r.subject and x.relation in ('attends', 'member') and x.object = any($2::uuid[])))),
           seen_items as (
               select i.plan_item_id, p.student_id, i.created_at from plans.plan_item i join plans.plan p using (plan_id) join students using (student_id)
               where plans.sees(p.student_id, i.sensitivity, array(select n.domain from plans.plan_item_need l join plans.need n using (need_id)
                   where l.plan_item_id = i.plan_item_id and n.sensitivity = 'restricted'), $3, $4, $5, $6, $7, $8)),
           noted as (
               select student_id, reviewed_at::date as on_day, 'review' as kind from plans.plan join students using (student_id)
               union all
               select student_id, created_at::date, 'item' from seen_items
               union all
               select i.student_id, d.delivered_on, 'delivery' from seen_items i join plans.service_enrolment e using (plan_item_id)
               join plans.standing_delivery d using (enrolment_id) where d.attendance not in ('cancelled_by_provider', 'school_closed')
               union all
               select p.student_id, n.on_date, 'check_in' from plans.check_in_note n join plans.check_in c using (check_in_id) join plans.plan p using (plan_id)
               join students using (student_id) where n.happened
               union all
               select f.student_id, f.closed_at::date, 'follow_up' from plans.follow_up_now f join students using (student_id)
               where f.state = 'done' and plans.sees(f.student_id, f.sensitivity, f.domains, $3, $4, $5, $6, $7, $8)),
           last as (
               select s.student_id, max(n.on_day) as last_on, (array_agg(n.kind order by n.on_day desc) filter (where n.kind is not null))[1] as last_kind
               from students s left join noted n using (student_id) group by s.student_id)
           select student_id as "student_id!", last_on, last_kind from last
           where (last_on is null or plans.school_days(last_on, current_date) >= $9)
             and ($10::date is null or (coalesce(last_on, '0001-01-01'), student_id) > ($10, $11::uuid))
           order by coalesce(last_on, '0001-01-01'), student_id limit $12"#,
        query.whose.everything,
        &query.whose.places,
        &sight.restricted_everywhere,
        &sight.restricted_places,
        &sight.restricted_domains,
        sight.protected_everywhere,
        &sight.protected_places,
        &sight.protected_students,
        query.school_days,
        after_day,
        after_id,
        query.limit
    )
    .fetch_all(conn)
    .await?)
}
