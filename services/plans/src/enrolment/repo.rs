//! SQL of service enrolments.

use chassis_pg::{DbError, expect_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Enrolment, EnrolmentState};

/// Writes a new enrolment. False where its id is taken.
pub async fn insert(conn: &mut PgConnection, enrolment: &Enrolment) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.service_enrolment (enrolment_id, plan_item_id, service_id, sessions_per_week, minutes_per_session, weeks, state, group_id, starts_on,
                                              waitlisted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
        enrolment.enrolment_id,
        enrolment.plan_item_id,
        enrolment.service_id,
        enrolment.sessions_per_week,
        enrolment.minutes_per_session,
        enrolment.weeks,
        enrolment.state.as_str(),
        enrolment.group_id,
        enrolment.starts_on,
        enrolment.waitlisted_at
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Enrolments by id, oldest first, with what was delivered. Who waits for the same group or service for a protected item
/// takes no place that others could count.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Enrolment>, DbError> {
    Ok(sqlx::query_as!(
        Enrolment,
        r#"select e.enrolment_id, e.plan_item_id, p.student_id, e.service_id, e.state as "state: EnrolmentState", e.sessions_per_week, e.minutes_per_session, e.weeks,
                  e.started_on, e.ended_on, e.group_id, e.starts_on, e.waitlisted_at, e.paused_on, e.paused_days, e.reason, e.outcome, e.override_reason,
                  array(select l.need_id from plans.plan_item_need l where l.plan_item_id = i.plan_item_id order by l.need_id) as "need_ids!",
                  case when e.waitlisted_at is null then 0 else 1 + (
                      select count(*) from plans.service_enrolment o join plans.plan_item oi using (plan_item_id)
                      where o.waitlisted_at is not null and (o.waitlisted_at, o.enrolment_id) < (e.waitlisted_at, e.enrolment_id)
                        and (o.group_id = e.group_id or e.group_id is null and o.service_id = e.service_id) and oi.sensitivity <> 'protected') end as "waitlist_position!",
                  (select count(*) from plans.standing_delivery d
                   where d.enrolment_id = e.enrolment_id and d.attendance in ('absent_excused', 'absent_unexcused')
                     and d.delivered_on > coalesce((select max(c.delivered_on) from plans.standing_delivery c
                                                    where c.enrolment_id = e.enrolment_id and c.attendance in ('present', 'partial')), '-infinity')) as "absences_in_row!",
                  d.minutes as "delivered_minutes!", d.number as "delivery_count!", e.version
           from plans.service_enrolment e join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
           cross join lateral (
               select coalesce(sum(delivered_minutes), 0)::bigint as minutes, count(*) as number from plans.standing_delivery where enrolment_id = e.enrolment_id) d
           where e.enrolment_id = any($1) order by e.created_at, e.enrolment_id"#,
        ids
    )
    .fetch_all(conn)
    .await?)
}

/// Enrolments of items, oldest first.
pub async fn of_items(conn: &mut PgConnection, item_ids: &[Uuid]) -> Result<Vec<Enrolment>, DbError> {
    let ids = sqlx::query_scalar!("select enrolment_id from plans.service_enrolment where plan_item_id = any($1)", item_ids).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// The item of an enrolment.
pub async fn item_of(conn: &mut PgConnection, enrolment_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select plan_item_id from plans.service_enrolment where enrolment_id = $1", enrolment_id).fetch_optional(conn).await?)
}

/// Whose enrolments they are: (enrolment, student), without those that are not there.
pub async fn students_of(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    let rows = sqlx::query!(
        "select e.enrolment_id, p.student_id from plans.service_enrolment e join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
         where e.enrolment_id = any($1)",
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.enrolment_id, r.student_id)).collect())
}

/// Writes an enrolment over the version before it.
pub async fn update(conn: &mut PgConnection, enrolment: &Enrolment) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.service_enrolment set state = $2, reason = $3, started_on = $4, ended_on = $5, version = $6, waitlisted_at = $7, paused_on = $8,
                paused_days = $9, outcome = $10, override_reason = $11, updated_at = clock_timestamp()
         where enrolment_id = $1 and version = $6::bigint - 1",
        enrolment.enrolment_id,
        enrolment.state.as_str(),
        enrolment.reason,
        enrolment.started_on,
        enrolment.ended_on,
        enrolment.version,
        enrolment.waitlisted_at,
        enrolment.paused_on,
        enrolment.paused_days,
        enrolment.outcome,
        enrolment.override_reason
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}
