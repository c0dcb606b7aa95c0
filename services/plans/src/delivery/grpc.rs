//! Deliveries over the wire.

use std::collections::{HashMap, HashSet};

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, LogDeliveriesRequest, LogDeliveriesResponse};
use uuid::Uuid;

use super::entity::{Attendance, Delivery};
use crate::error::PlanError;
use crate::grpc::Plans;

/// Deliveries in one request.
const MANY: usize = 500;

/// As the contract writes a delivery.
pub fn to_wire(delivery: &Delivery) -> wire::Delivery {
    wire::Delivery {
        delivery_id: delivery.delivery_id.to_string(),
        enrolment_id: delivery.enrolment_id.to_string(),
        delivered_on: delivery.delivered_on.to_string(),
        planned_minutes: delivery.planned_minutes.into(),
        delivered_minutes: delivery.delivered_minutes.into(),
        attendance: delivery.attendance.into(),
        ..Default::default()
    }
}

fn read(p: &mut Parser, i: usize, delivery: &wire::Delivery) -> Option<Delivery> {
    let at = |field: &str| format!("deliveries[{i}].{field}");
    let small = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
    let attendance = p.required_enum::<wire::Attendance>(&at("attendance"), delivery.attendance).and_then(Attendance::from_proto);
    let delivery_id = p.uuid(&at("delivery_id"), &delivery.delivery_id);
    let enrolment_id = p.uuid(&at("enrolment_id"), &delivery.enrolment_id);
    let delivered_on = p.date(&at("delivered_on"), &delivery.delivered_on);
    let planned_minutes = small(p.number(&at("planned_minutes"), delivery.planned_minutes, 0..=600));
    let delivered_minutes = small(p.number(&at("delivered_minutes"), delivery.delivered_minutes, 0..=600));
    attendance.map(|attendance| Delivery { delivery_id, enrolment_id, delivered_on, planned_minutes, delivered_minutes, attendance })
}

impl Plans {
    pub(crate) async fn deliveries_log(&self, caller: &Caller, message: &LogDeliveriesRequest) -> Result<LogDeliveriesResponse, PlanError> {
        const ACTION: &str = "plans.LogDeliveries";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        if message.deliveries.is_empty() || message.deliveries.len() > MANY {
            p.violation("deliveries", format!("must have 1 to {MANY} members, has {}", message.deliveries.len()));
            p.finish()?;
            return Err(PlanError::field("deliveries", "must have members"));
        }
        let deliveries: Vec<Delivery> = message.deliveries.iter().enumerate().filter_map(|(i, d)| read(&mut p, i, d)).collect();
        p.finish()?;

        // Every enrolment must be there and its student the caller's own; one that is not refuses the whole batch.
        let enrolment_ids: HashSet<Uuid> = deliveries.iter().map(|d| d.enrolment_id).collect();
        let asked: Vec<Uuid> = enrolment_ids.iter().copied().collect();
        let found = crate::enrolment::repo::students_of(&mut *self.pool.acquire().await?, &asked).await?;
        let mut clearances = HashMap::new();
        for student in found.iter().map(|(_, student)| *student).collect::<HashSet<_>>() {
            let (_, clearance) = self.student(caller, ACTION, Some(student)).await?;
            clearances.insert(student, clearance);
        }
        if found.len() != enrolment_ids.len() {
            return Err(PlanError::unknown(ACTION));
        }
        let command = super::Log { deliveries, request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()) };
        let stored = super::log(&self.pool, &command, &clearances).await?;
        Ok(LogDeliveriesResponse { stored_count: i32::try_from(stored).unwrap_or(i32::MAX) })
    }
}
