//! What is told of goals: those about protected needs on the protected topic and nowhere else.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::Utc;
use proto::plans::v1::GoalChanged;
use sqlx::PgConnection;

use super::entity::{Goal, Sensitivity};
use crate::app::{GOAL_TOPIC, PROTECTED_TOPIC};
use crate::plan::events::timestamp;

/// Tells of a goal as it is now.
pub async fn publish(conn: &mut PgConnection, goal: &Goal) -> Result<(), DbError> {
    let topic = if goal.sensitivity == Sensitivity::Protected { PROTECTED_TOPIC } else { GOAL_TOPIC };
    let message = GoalChanged {
        goal_id: goal.goal_id.to_string(),
        plan_id: goal.plan_id.to_string(),
        student_id: goal.student_id.to_string(),
        school_id: goal.school_id.to_string(),
        school_year: goal.school_year,
        domain: goal.domain.into(),
        measure: goal.measure.into(),
        state: goal.state.into(),
        version: goal.version,
        time: Some(timestamp(Utc::now())),
    };
    outbox::append(conn, &Event::new(topic, goal.student_id, &message, chassis_rpc::observe::traceparent())).await
}
