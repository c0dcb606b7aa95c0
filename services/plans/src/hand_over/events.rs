//! What is told of hand-overs.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::Utc;
use proto::plans::v1::TransitionChanged;
use sqlx::PgConnection;

use super::entity::HandOver;
use crate::app::TRANSITION_TOPIC;
use crate::plan::events::timestamp;

/// Tells of a hand-over as it is now.
pub async fn publish(conn: &mut PgConnection, hand_over: &HandOver) -> Result<(), DbError> {
    let school = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let message = TransitionChanged {
        transition_id: hand_over.transition_id.to_string(),
        student_id: hand_over.student_id.to_string(),
        from_school_id: school(hand_over.from_school_id),
        to_school_id: school(hand_over.to_school_id),
        state: hand_over.state.into(),
        version: hand_over.version,
        time: Some(timestamp(Utc::now())),
    };
    outbox::append(conn, &Event::new(TRANSITION_TOPIC, hand_over.student_id, &message, chassis_rpc::observe::traceparent())).await
}
