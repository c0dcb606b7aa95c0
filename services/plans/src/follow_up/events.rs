//! What is told of follow-ups: protected ones on the protected topic and nowhere else.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::Utc;
use proto::plans::v1::FollowUpChanged;
use sqlx::PgConnection;

use super::entity::{FollowUp, Sensitivity};
use crate::app::{FOLLOW_UP_TOPIC, PROTECTED_TOPIC};
use crate::history::{self, Step};
use crate::plan::events::timestamp;

/// Keeps a follow-up's step in the history and tells of it.
pub async fn publish(conn: &mut PgConnection, follow_up: &FollowUp, by: &str) -> Result<(), DbError> {
    let step =
        Step { aggregate: "follow_up", id: follow_up.follow_up_id, version: follow_up.version, state: follow_up.state.as_str(), reason: &follow_up.result, by };
    history::append(conn, step).await?;
    let topic = if follow_up.sensitivity == Sensitivity::Protected { PROTECTED_TOPIC } else { FOLLOW_UP_TOPIC };
    let message = FollowUpChanged {
        follow_up_id: follow_up.follow_up_id.to_string(),
        student_id: follow_up.student_id.to_string(),
        school_id: follow_up.school_id.to_string(),
        subject: follow_up.subject.into(),
        subject_id: follow_up.subject_id.to_string(),
        kind: follow_up.kind.into(),
        due_on: follow_up.due_on.to_string(),
        state: follow_up.state.into(),
        result: follow_up.result.clone(),
        version: follow_up.version,
        time: Some(timestamp(Utc::now())),
    };
    outbox::append(conn, &Event::new(topic, follow_up.student_id, &message, chassis_rpc::observe::traceparent())).await
}
