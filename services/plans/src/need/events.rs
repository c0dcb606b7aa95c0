//! What is told of needs: protected ones on their own topic and nowhere else.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::Utc;
use proto::plans::v1::NeedChanged;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Need, Sensitivity};
use super::repo;
use crate::app::{NEED_TOPIC, PROTECTED_TOPIC};
use crate::plan::events::timestamp;

/// Keeps needs in the history and tells of them, as they are now.
pub async fn publish(conn: &mut PgConnection, need_ids: &[Uuid], by: &str) -> Result<(), DbError> {
    if need_ids.is_empty() {
        return Ok(());
    }
    repo::remember(conn, need_ids, by).await?;
    let events: Vec<Event> = repo::by_ids(conn, need_ids).await?.iter().map(event).collect();
    outbox::append_all(conn, &events).await
}

fn event(need: &Need) -> Event {
    let topic = if need.sensitivity == Sensitivity::Protected { PROTECTED_TOPIC } else { NEED_TOPIC };
    let message = NeedChanged {
        need_id: need.need_id.to_string(),
        student_id: need.student_id.to_string(),
        school_id: need.school_id.to_string(),
        school_year: need.school_year,
        code: need.code.clone(),
        domain: need.domain.into(),
        severity: need.severity.into(),
        sensitivity: need.sensitivity.into(),
        state: need.state.into(),
        recorded_time: Some(timestamp(need.recorded_at)),
        has_item_in_place: need.has_item_in_place,
        all_items_ended: need.all_items_ended,
        last_reason: need.last_reason.into(),
        version: need.version,
        time: Some(timestamp(Utc::now())),
    };
    Event::new(topic, need.student_id, &message, chassis_rpc::observe::traceparent())
}
