//! SQL of deliveries: always a batch, always one statement.

use std::collections::HashSet;

use chassis_pg::DbError;
use chassis_pg::idempotency::Request;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Attendance, Delivery, DeliveryMode, Source, Span};
use super::no_shows::Run;
use crate::codes::EnrolmentState;

/// What of an enrolment is needed to log a session of it.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its id.
    pub enrolment_id: Uuid,
    /// The item it is for.
    pub plan_item_id: Uuid,
    /// State.
    pub state: EnrolmentState,
    /// First day.
    pub started_on: Option<NaiveDate>,
    /// Last day.
    pub ended_on: Option<NaiveDate>,
}

impl Held {
    /// What decides.
    pub fn span(&self) -> Span {
        Span { state: self.state, started_on: self.started_on, ended_on: self.ended_on }
    }
}

/// Enrolments, kept from ending meanwhile.
pub async fn enrolments(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Held>, DbError> {
    Ok(sqlx::query_as!(
        Held,
        r#"select enrolment_id, plan_item_id, state as "state: EnrolmentState", started_on, ended_on from plans.service_enrolment
           where enrolment_id = any($1) order by enrolment_id for share"#,
        ids
    )
    .fetch_all(conn)
    .await?)
}

/// Stores sessions whose ids are new, and answers these ids.
pub async fn insert(conn: &mut PgConnection, deliveries: &[&Delivery], request: &Request) -> Result<HashSet<Uuid>, DbError> {
    fn column<T>(deliveries: &[&Delivery], value: impl Fn(&Delivery) -> T) -> Vec<T> {
        deliveries.iter().map(|d| value(d)).collect()
    }
    let stored = sqlx::query_scalar!(
        "with asked as (
             select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::smallint[], $5::smallint[], $6::text[], $7::text[], $8::text[], $9::smallint[],
                                  $10::text[], $11::uuid[], $12::boolean[])
                 as d(delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance, mode, note, goal_progress, source, group_id, void)),
         fresh as (
             -- Always in the same order, so that two batches with the same ids wait for one another and never deadlock.
             insert into plans.delivery_key (delivery_id) select delivery_id from asked order by delivery_id on conflict do nothing returning delivery_id)
         insert into plans.delivery (delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance, mode, note, goal_progress, source,
                                     group_id, void, recorded_by, request_id)
         select delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance, mode, note, goal_progress, source, group_id, void, $13, $14
         from asked join fresh using (delivery_id)
         returning delivery_id",
        &column(deliveries, |d| d.delivery_id),
        &column(deliveries, |d| d.enrolment_id),
        &column(deliveries, |d| d.delivered_on),
        &column(deliveries, |d| d.planned_minutes),
        &column(deliveries, |d| d.delivered_minutes),
        &column(deliveries, |d| d.attendance.as_str().to_owned()),
        &column(deliveries, |d| d.mode.map(|m| m.as_str().to_owned())) as &[Option<String>],
        &column(deliveries, |d| d.note.clone()),
        &column(deliveries, |d| d.goal_progress) as &[Option<i16>],
        &column(deliveries, |d| d.source.as_str().to_owned()),
        &column(deliveries, |d| d.group_id) as &[Option<Uuid>],
        &column(deliveries, |d| d.void),
        request.caller,
        request.request_id
    )
    .fetch_all(conn)
    .await?;
    Ok(stored.into_iter().collect())
}

/// Lets stored sessions take the place of others: (superseded, in its place). Answers how many did; one whose place is
/// taken already does not.
pub async fn supersede(conn: &mut PgConnection, pairs: &[(Uuid, Uuid)], reason: &str, by: &str) -> Result<usize, DbError> {
    let (old, new): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().copied().unzip();
    let done = sqlx::query!(
        "insert into plans.delivery_correction (superseded_id, delivery_id, reason, corrected_by)
         select old, new, $3, $4 from unnest($1::uuid[], $2::uuid[]) as c(old, new) order by old on conflict do nothing",
        &old,
        &new,
        reason,
        by
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// How many sessions a request stored.
pub async fn count_of_request(conn: &mut PgConnection, request_id: Uuid, caller: &str) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from plans.delivery where request_id = $1 and recorded_by = $2"#, request_id, caller)
        .fetch_one(conn)
        .await?)
}

/// Which sessions of enrolments.
#[derive(Clone, Copy, Debug)]
pub struct ListQuery<'q> {
    /// Of these.
    pub enrolment_ids: &'q [Uuid],
    /// Those too that were superseded or take back another.
    pub all: bool,
    /// Sessions after this one, newest first.
    pub after: Option<(NaiveDate, Uuid)>,
    /// How many.
    pub limit: i64,
}

/// Sessions of enrolments, newest first.
pub async fn list(conn: &mut PgConnection, query: &ListQuery<'_>) -> Result<Vec<Delivery>, DbError> {
    let (after_day, after_id) = query.after.unzip();
    Ok(sqlx::query_as!(
        Delivery,
        r#"select d.delivery_id, d.enrolment_id, d.delivered_on, d.planned_minutes, d.delivered_minutes, d.attendance as "attendance: Attendance",
                  d.mode as "mode: DeliveryMode", d.note, d.goal_progress, d.source as "source: Source", d.group_id, d.void,
                  old.superseded_id as "supersedes_id?", new.delivery_id as "superseded_by?"
           from plans.delivery d left join plans.delivery_correction old on old.delivery_id = d.delivery_id
           left join plans.delivery_correction new on new.superseded_id = d.delivery_id
           where d.enrolment_id = any($1) and ($2 or not d.void and new.delivery_id is null)
             and ($3::date is null or (d.delivered_on, d.delivery_id) < ($3, $4::uuid))
           order by d.delivered_on desc, d.delivery_id desc limit $5"#,
        query.enrolment_ids,
        query.all,
        after_day,
        after_id,
        query.limit
    )
    .fetch_all(conn)
    .await?)
}

/// One session.
pub async fn by_id(conn: &mut PgConnection, id: Uuid) -> Result<Option<Delivery>, DbError> {
    Ok(sqlx::query_as!(
        Delivery,
        r#"select d.delivery_id, d.enrolment_id, d.delivered_on, d.planned_minutes, d.delivered_minutes, d.attendance as "attendance: Attendance",
                  d.mode as "mode: DeliveryMode", d.note, d.goal_progress, d.source as "source: Source", d.group_id, d.void,
                  old.superseded_id as "supersedes_id?", new.delivery_id as "superseded_by?"
           from plans.delivery d left join plans.delivery_correction old on old.delivery_id = d.delivery_id
           left join plans.delivery_correction new on new.superseded_id = d.delivery_id
           where d.delivery_id = $1"#,
        id
    )
    .fetch_optional(conn)
    .await?)
}

/// The enrolment of a session.
pub async fn enrolment_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select enrolment_id from plans.delivery where delivery_id = $1", id).fetch_optional(conn).await?)
}

/// What stands of one session of a group.
pub async fn of_session(conn: &mut PgConnection, group_id: Uuid, day: NaiveDate) -> Result<Vec<Delivery>, DbError> {
    Ok(sqlx::query_as!(
        Delivery,
        r#"select d.delivery_id, d.enrolment_id, d.delivered_on, d.planned_minutes, d.delivered_minutes, d.attendance as "attendance: Attendance",
                  d.mode as "mode: DeliveryMode", d.note, d.goal_progress, d.source as "source: Source", d.group_id, d.void,
                  null::uuid as supersedes_id, null::uuid as superseded_by
           from plans.delivery d
           where d.group_id = $1 and d.delivered_on = $2 and not d.void
             and not exists (select from plans.delivery_correction c where c.superseded_id = d.delivery_id)"#,
        group_id,
        day
    )
    .fetch_all(conn)
    .await?)
}

/// Absences in a row at the end of an enrolment that goes on.
#[derive(Clone, Copy, Debug)]
pub struct HeldRun {
    /// The enrolment.
    pub enrolment_id: Uuid,
    /// Limit of its group; 0 where there is none.
    pub group_limit: i16,
    /// The run.
    pub run: Run,
}

/// Runs of enrolments that go on. The same rule is written in `no_shows.rs`; a test compares them.
pub async fn runs(conn: &mut PgConnection, enrolment_ids: &[Uuid]) -> Result<Vec<HeldRun>, DbError> {
    let rows = sqlx::query!(
        r#"select e.enrolment_id, coalesce(g.no_show_limit, 0::smallint) as "group_limit!", r.length as "length!", r.since as "since?"
           from plans.service_enrolment e left join plans.service_group g using (group_id)
           cross join lateral (
               select count(*) as length, min(d.delivered_on) as since from plans.standing_delivery d
               where d.enrolment_id = e.enrolment_id and d.attendance in ('absent_excused', 'absent_unexcused')
                 and d.delivered_on > coalesce((select max(p.delivered_on) from plans.standing_delivery p
                                                where p.enrolment_id = e.enrolment_id and p.attendance in ('present', 'partial')), '-infinity')) r
           where e.enrolment_id = any($1) and e.state in ('active', 'paused') order by e.enrolment_id"#,
        enrolment_ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| HeldRun { enrolment_id: r.enrolment_id, group_limit: r.group_limit, run: Run { length: r.length, since: r.since } }).collect())
}

/// Notes a run of no-shows. False where it was noted before.
pub async fn notice_run(conn: &mut PgConnection, enrolment_id: Uuid, since: NaiveDate) -> Result<bool, DbError> {
    let done =
        sqlx::query!("insert into plans.no_show_run (enrolment_id, since) values ($1, $2) on conflict do nothing", enrolment_id, since).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
