//! What is told of deliveries: those of protected items on the protected topic and nowhere else.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use proto::plans::v1::DeliveryLogged;
use sqlx::PgConnection;

use super::entity::Delivery;
use crate::app::{DELIVERY_TOPIC, PROTECTED_TOPIC};
use crate::plan_item::entity::{Item, Sensitivity};

/// Tells of sessions that were logged, each with the item it was for.
pub async fn publish(conn: &mut PgConnection, logged: &[(&Delivery, &Item)]) -> Result<(), DbError> {
    let traceparent = chassis_rpc::observe::traceparent();
    let events: Vec<Event> = logged
        .iter()
        .map(|(delivery, item)| {
            let topic = if item.sensitivity == Sensitivity::Protected { PROTECTED_TOPIC } else { DELIVERY_TOPIC };
            let message = DeliveryLogged {
                delivery_id: delivery.delivery_id.to_string(),
                enrolment_id: delivery.enrolment_id.to_string(),
                plan_item_id: item.plan_item_id.to_string(),
                student_id: item.student_id.to_string(),
                need_ids: item.need_ids.iter().map(ToString::to_string).collect(),
                delivered_on: delivery.delivered_on.to_string(),
                planned_minutes: delivery.planned_minutes.into(),
                delivered_minutes: delivery.delivered_minutes.into(),
                attendance: if delivery.void { 0 } else { delivery.attendance.into() },
                school_id: item.school_id.to_string(),
                supersedes_id: delivery.supersedes_id.map(|id| id.to_string()).unwrap_or_default(),
            };
            Event::new(topic, item.student_id, &message, traceparent.clone())
        })
        .collect();
    outbox::append_all(conn, &events).await
}
