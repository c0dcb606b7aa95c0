//! What is told of items: those that answer protected needs on the protected topic and nowhere else.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::Utc;
use proto::plans::v1::PlanItemChanged;
use sqlx::PgConnection;

use super::entity::{Item, Sensitivity, UnmetReason};
use crate::app::{ITEM_TOPIC, PROTECTED_TOPIC};
use crate::history::{self, Step};
use crate::plan::events::timestamp;

/// Keeps an item's step in the history and tells of it.
pub async fn publish(conn: &mut PgConnection, item: &Item, by: &str) -> Result<(), DbError> {
    let reason = item.ended_reason.map(UnmetReason::as_str).unwrap_or_default();
    history::append(conn, Step { aggregate: "plan_item", id: item.plan_item_id, version: item.version, state: item.state.as_str(), reason, by }).await?;
    let topic = if item.sensitivity == Sensitivity::Protected { PROTECTED_TOPIC } else { ITEM_TOPIC };
    let message = PlanItemChanged {
        plan_item_id: item.plan_item_id.to_string(),
        plan_id: item.plan_id.to_string(),
        student_id: item.student_id.to_string(),
        need_ids: item.need_ids.iter().map(ToString::to_string).collect(),
        kind: item.kind.into(),
        service_category: item.service_category.clone(),
        state: item.state.into(),
        builds_on_strength: !item.builds_on_codes.is_empty(),
        referral_id: item.referral_id.map(|id| id.to_string()).unwrap_or_default(),
        version: item.version,
        time: Some(timestamp(Utc::now())),
        school_id: item.school_id.to_string(),
        school_year: item.school_year,
    };
    outbox::append(conn, &Event::new(topic, item.student_id, &message, chassis_rpc::observe::traceparent())).await
}
