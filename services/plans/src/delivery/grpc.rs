//! Deliveries over the wire.

use std::collections::{HashMap, HashSet};

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::{PageToken, Parser};
use chrono::NaiveDate;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, CorrectDeliveryRequest, CorrectDeliveryResponse, ListDeliveriesRequest, ListDeliveriesResponse, LogDeliveriesRequest, LogDeliveriesResponse,
};
use uuid::Uuid;

use super::entity::{Attendance, Delivery, DeliveryMode};
use super::repo::ListQuery;
use crate::error::PlanError;
use crate::grpc::Plans;

/// Deliveries in one request.
const MANY: usize = 500;

/// As the contract writes a delivery.
pub fn to_wire(delivery: &Delivery) -> wire::Delivery {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    wire::Delivery {
        delivery_id: delivery.delivery_id.to_string(),
        enrolment_id: delivery.enrolment_id.to_string(),
        delivered_on: delivery.delivered_on.to_string(),
        planned_minutes: delivery.planned_minutes.into(),
        delivered_minutes: delivery.delivered_minutes.into(),
        attendance: if delivery.void { 0 } else { delivery.attendance.into() },
        mode: delivery.mode.map_or(0, i32::from),
        note: delivery.note.clone(),
        goal_progress: delivery.goal_progress.map(i32::from),
        supersedes_id: id(delivery.supersedes_id),
        superseded_by: id(delivery.superseded_by),
        source: delivery.source.as_str().to_owned(),
    }
}

/// Reads what a client says of a session, but for its ids.
fn read(p: &mut Parser, at: &str, delivery: &wire::Delivery, ids: (Uuid, Uuid)) -> Option<Delivery> {
    let at = |field: &str| format!("{at}.{field}");
    let small = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
    let attendance = p.required_enum::<wire::Attendance>(&at("attendance"), delivery.attendance).and_then(Attendance::from_proto);
    let delivered_on = p.date(&at("delivered_on"), &delivery.delivered_on);
    let planned_minutes = small(p.number(&at("planned_minutes"), delivery.planned_minutes, 0..=600));
    let delivered_minutes = small(p.number(&at("delivered_minutes"), delivery.delivered_minutes, 0..=600));
    let mode = DeliveryMode::from_proto(p.known_enum::<wire::DeliveryMode>(&at("mode"), delivery.mode));
    let note = p.text(&at("note"), &delivery.note, 500);
    let goal_progress = delivery.goal_progress.map(|n| small(p.number(&at("goal_progress"), n, 0..=4)));
    if !delivery.supersedes_id.is_empty() {
        p.violation(&at("supersedes_id"), "must be empty; CorrectDelivery corrects");
    }
    let minutes = (planned_minutes, delivered_minutes);
    attendance.map(|attendance| Delivery { mode, note, goal_progress, ..Delivery::plain(ids.0, ids.1, delivered_on, minutes, attendance) })
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
        let read = |p: &mut Parser, (i, d): (usize, &wire::Delivery)| {
            let at = format!("deliveries[{i}]");
            let ids = (p.uuid(&format!("{at}.delivery_id"), &d.delivery_id), p.uuid(&format!("{at}.enrolment_id"), &d.enrolment_id));
            read(p, &at, d, ids)
        };
        let deliveries: Vec<Delivery> = message.deliveries.iter().enumerate().filter_map(|one| read(&mut p, one)).collect();
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
        let command = super::Log {
            deliveries,
            no_show_limit: self.no_show_limit,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let stored = super::log(&self.pool, &command, &clearances).await?;
        Ok(LogDeliveriesResponse { stored_count: i32::try_from(stored).unwrap_or(i32::MAX) })
    }

    pub(crate) async fn delivery_correct(&self, caller: &Caller, message: &CorrectDeliveryRequest) -> Result<CorrectDeliveryResponse, PlanError> {
        const ACTION: &str = "plans.CorrectDelivery";
        let mut p = Parser::new();
        let delivery_id = p.uuid("delivery_id", &message.delivery_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let reason = p.required_text("reason", &message.reason, 200);
        let given = message.corrected.clone().unwrap_or_default();
        let new_id = p.uuid("corrected.delivery_id", &given.delivery_id);
        let corrected = if message.void { None } else { read(&mut p, "corrected", &given, (new_id, Uuid::nil())) };
        p.finish()?;
        let mut conn = self.pool.acquire().await?;
        let enrolment = super::repo::enrolment_of(&mut conn, delivery_id).await?;
        let student = crate::enrolment::repo::students_of(&mut conn, enrolment.as_slice()).await?.first().map(|(_, student)| *student);
        drop(conn);
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::correct::Correct {
            delivery_id,
            new_id,
            corrected,
            reason,
            no_show_limit: self.no_show_limit,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let delivery = super::correct::correct(&self.pool, &command, &clearance).await?;
        Ok(CorrectDeliveryResponse { delivery: Some(to_wire(&delivery)) })
    }

    pub(crate) async fn delivery_list(&self, caller: &Caller, message: &ListDeliveriesRequest) -> Result<ListDeliveriesResponse, PlanError> {
        const ACTION: &str = "plans.ListDeliveries";
        let mut p = Parser::new();
        let enrolment_id = p.uuid("enrolment_id", &message.enrolment_id);
        p.finish()?;
        let filter = enrolment_id.to_string();
        let page = PageToken::page::<(NaiveDate, Uuid)>(message.page_size, &message.page_token, &filter, 50, 200)?;
        let mut conn = self.pool.acquire().await?;
        let student = crate::enrolment::repo::students_of(&mut conn, &[enrolment_id]).await?.first().map(|(_, student)| *student);
        let (granted, clearance) = self.student(caller, ACTION, student).await?;
        let unknown = || PlanError::unknown(ACTION);
        let item_id = crate::enrolment::repo::item_of(&mut conn, enrolment_id).await?.ok_or_else(unknown)?;
        let items = super::visible_items(&mut conn, std::iter::once(item_id), |_| Some(&clearance)).await?.ok_or_else(unknown)?;
        let sensitivity = items.get(&item_id).ok_or_else(unknown)?.sensitivity;
        let query = ListQuery { enrolment_ids: &[enrolment_id], all: true, after: page.after, limit: page.size + 1 };
        let mut rows = super::repo::list(&mut conn, &query).await?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |d| (d.delivered_on, d.delivery_id));
        self.access.log_read(caller, ACTION, &granted.basis, sensitivity.into(), student, 1).await?;
        Ok(ListDeliveriesResponse { deliveries: rows.iter().map(to_wire).collect(), next_page_token, access_basis: granted.basis })
    }
}
