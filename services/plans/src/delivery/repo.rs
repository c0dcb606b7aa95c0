//! SQL of deliveries: always a batch, always one statement.

use std::collections::HashSet;

use chassis_pg::DbError;
use chassis_pg::idempotency::Request;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Attendance, Delivery, Span};
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
    let ids: Vec<Uuid> = deliveries.iter().map(|d| d.delivery_id).collect();
    let enrolments: Vec<Uuid> = deliveries.iter().map(|d| d.enrolment_id).collect();
    let days: Vec<NaiveDate> = deliveries.iter().map(|d| d.delivered_on).collect();
    let planned: Vec<i16> = deliveries.iter().map(|d| d.planned_minutes).collect();
    let delivered: Vec<i16> = deliveries.iter().map(|d| d.delivered_minutes).collect();
    let attendance: Vec<String> = deliveries.iter().map(|d| d.attendance.as_str().to_owned()).collect();
    let stored = sqlx::query_scalar!(
        "with asked as (
             select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::smallint[], $5::smallint[], $6::text[])
                 as d(delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance)),
         fresh as (
             -- Always in the same order, so that two batches with the same ids wait for one another and never deadlock.
             insert into plans.delivery_key (delivery_id) select delivery_id from asked order by delivery_id on conflict do nothing returning delivery_id)
         insert into plans.delivery (delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance, recorded_by, request_id)
         select delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance, $7, $8 from asked join fresh using (delivery_id)
         returning delivery_id",
        &ids,
        &enrolments,
        &days,
        &planned,
        &delivered,
        &attendance,
        request.caller,
        request.request_id
    )
    .fetch_all(conn)
    .await?;
    Ok(stored.into_iter().collect())
}

/// How many sessions a request stored.
pub async fn count_of_request(conn: &mut PgConnection, request_id: Uuid, caller: &str) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from plans.delivery where request_id = $1 and recorded_by = $2"#, request_id, caller)
        .fetch_one(conn)
        .await?)
}

/// Newest sessions of enrolments.
pub async fn newest(conn: &mut PgConnection, enrolment_ids: &[Uuid], limit: i64) -> Result<Vec<Delivery>, DbError> {
    Ok(sqlx::query_as!(
        Delivery,
        r#"select delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance as "attendance: Attendance"
           from plans.delivery where enrolment_id = any($1) order by delivered_on desc, delivery_id desc limit $2"#,
        enrolment_ids,
        limit
    )
    .fetch_all(conn)
    .await?)
}
