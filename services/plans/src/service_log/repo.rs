//! SQL of service logs.

use std::collections::HashSet;

use chassis_pg::DbError;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Candidate;
use crate::codes::{Attendance, EnrolmentState};
use crate::delivery::entity::Span;
use crate::sight::Sight;

/// Enrolments of students that have started, as far as the caller may see their items.
pub async fn candidates(conn: &mut PgConnection, students: &[Uuid], sight: &Sight) -> Result<Vec<Candidate>, DbError> {
    let rows = sqlx::query!(
        r#"select e.enrolment_id, e.plan_item_id, p.student_id, i.service_category, e.group_id, coalesce(g.name, '') as "group_name!", e.minutes_per_session,
                  e.state as "state: EnrolmentState", e.started_on, e.ended_on
           from plans.service_enrolment e join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
           left join plans.service_group g on g.group_id = e.group_id
           where p.student_id = any($1) and e.started_on is not null and e.state <> 'void'
             and (i.sensitivity <> 'protected' or plans.sees_need(p.student_id, 'protected', '', '{}', '{}', '{}', $5, $6::uuid[], $7::uuid[]))
             and not exists (
                 select from plans.plan_item_need l join plans.need n using (need_id)
                 where l.plan_item_id = i.plan_item_id
                   and not plans.sees_need(p.student_id, n.sensitivity, n.domain, $2::text[], $3::uuid[], $4::text[], $5, $6::uuid[], $7::uuid[]))"#,
        students,
        &sight.restricted_everywhere,
        &sight.restricted_places,
        &sight.restricted_domains,
        sight.protected_everywhere,
        &sight.protected_places,
        &sight.protected_students
    )
    .fetch_all(conn)
    .await?;
    let candidates = rows.into_iter().map(|r| Candidate {
        enrolment_id: r.enrolment_id,
        plan_item_id: r.plan_item_id,
        student_id: r.student_id,
        service_category: r.service_category,
        group_id: r.group_id,
        group_name: r.group_name,
        minutes_per_session: r.minutes_per_session,
        span: Span { state: r.state, started_on: r.started_on, ended_on: r.ended_on },
    });
    Ok(candidates.collect())
}

/// Of these deliveries, those that are there.
pub async fn known(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select delivery_id from plans.delivery_key where delivery_id = any($1)", ids).fetch_all(conn).await?.into_iter().collect())
}

/// What stands of enrolments on days and did not come from a file: (enrolment, day, attendance, minutes).
pub async fn by_hand(conn: &mut PgConnection, enrolments: &[Uuid], days: &[NaiveDate]) -> Result<Vec<(Uuid, NaiveDate, Attendance, i16)>, DbError> {
    let rows = sqlx::query!(
        r#"select d.enrolment_id as "enrolment_id!", d.delivered_on as "delivered_on!", d.attendance as "attendance!: Attendance", d.delivered_minutes as "minutes!"
           from plans.standing_delivery d
           where d.enrolment_id = any($1) and d.delivered_on = any($2) and d.source <> 'file'"#,
        enrolments,
        days
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.enrolment_id, r.delivered_on, r.attendance, r.minutes)).collect())
}
