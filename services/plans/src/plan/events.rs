//! What is told of plans.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use proto::plans::v1::PlanChanged;
use sqlx::PgConnection;

use super::entity::Plan;
use crate::app::PLAN_TOPIC;

/// A time as the contract writes it.
pub fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.timestamp(), nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0) }
}

/// Tells of a plan after a change.
pub async fn publish(conn: &mut PgConnection, plan: &Plan) -> Result<(), DbError> {
    let message = PlanChanged {
        plan_id: plan.plan_id.to_string(),
        student_id: plan.student_id.to_string(),
        school_id: plan.school_id.to_string(),
        school_year: plan.school_year,
        state: plan.state.into(),
        version: plan.version,
        time: Some(timestamp(Utc::now())),
        family_response: super::repo::header(conn, plan.plan_id).await?.family_response.map_or(0, i32::from),
    };
    outbox::append(conn, &Event::new(PLAN_TOPIC, plan.student_id, &message, chassis_rpc::observe::traceparent())).await
}
