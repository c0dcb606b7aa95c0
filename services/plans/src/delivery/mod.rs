//! Deliveries: sessions, logged many at once, all or none; corrected by others that supersede them.

pub mod correct;
pub mod entity;
pub(crate) mod events;
pub(crate) mod grpc;
pub mod no_shows;
pub mod repo;

use std::collections::{HashMap, HashSet};

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chassis_rpc::InvalidInput;
use chassis_rpc::fault::Violation;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::calendar::today;
use crate::error::PlanError;
use crate::need;
use crate::plan_item::{self, entity::Item};
use crate::sight::may_see;

use entity::Delivery;

/// Logs deliveries.
#[derive(Clone, Debug)]
pub struct Log {
    /// At most 500.
    pub deliveries: Vec<Delivery>,
    /// Absences in a row that raise a follow-up.
    pub no_show_limit: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Logs deliveries of enrolments that the caller may see; `clearances` by student. Answers how many are new.
pub async fn log(pool: &PgPool, command: &Log, clearances: &HashMap<Uuid, Clearance>) -> Result<i64, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, &command.request).await? == Claim::Replay {
        return Ok(repo::count_of_request(&mut tx, command.request.request_id, &command.request.caller).await?);
    }
    let mut seen = HashSet::new();
    let deliveries: Vec<&Delivery> = command.deliveries.iter().filter(|d| seen.insert(d.delivery_id)).collect();
    let enrolment_ids: Vec<Uuid> = deliveries.iter().map(|d| d.enrolment_id).collect::<HashSet<_>>().into_iter().collect();
    let enrolments: HashMap<Uuid, repo::Held> = repo::enrolments(&mut tx, &enrolment_ids).await?.into_iter().map(|e| (e.enrolment_id, e)).collect();
    let items = visible_items(&mut tx, enrolments.values().map(|e| e.plan_item_id), |student| clearances.get(&student)).await?.ok_or_else(unknown)?;

    let today = today();
    let mut violations = Vec::new();
    for (i, delivery) in command.deliveries.iter().enumerate() {
        let held = enrolments.get(&delivery.enrolment_id).ok_or_else(unknown)?;
        if let Some((field, description)) = entity::refusal(delivery, held.span(), today) {
            violations.push(Violation { field: format!("deliveries[{i}].{field}"), description });
        }
    }
    if !violations.is_empty() {
        return Err(InvalidInput(violations).into());
    }

    let of: HashMap<Uuid, &Item> = enrolments.values().filter_map(|e| Some((e.enrolment_id, items.get(&e.plan_item_id)?))).collect();
    let stored = store(&mut tx, &deliveries, &of, &command.request).await?;
    no_shows::look(&mut tx, &of, command.no_show_limit).await?;
    tx.commit().await?;
    Ok(i64::try_from(stored.len()).unwrap_or(i64::MAX))
}

/// Items by id, where the caller may see every one of them with all that it answers.
pub(crate) async fn visible_items<'c>(
    conn: &mut PgConnection,
    item_ids: impl Iterator<Item = Uuid>,
    clearance_of: impl Fn(Uuid) -> Option<&'c Clearance>,
) -> Result<Option<HashMap<Uuid, Item>>, PlanError> {
    let item_ids: Vec<Uuid> = item_ids.collect::<HashSet<_>>().into_iter().collect();
    let items: HashMap<Uuid, Item> = plan_item::repo::by_ids(conn, &item_ids).await?.into_iter().map(|i| (i.plan_item_id, i)).collect();
    let need_ids: Vec<Uuid> = items.values().flat_map(|i| i.need_ids.iter().copied()).collect();
    let needs = need::repo::by_ids(conn, &need_ids).await?;
    for item in items.values() {
        let Some(clearance) = clearance_of(item.student_id) else { return Ok(None) };
        let open: Vec<_> = needs.iter().filter(|n| may_see(clearance, n.sensitivity, n.domain)).cloned().collect();
        if !plan_item::visible(item, &open, clearance) {
            return Ok(None);
        }
    }
    Ok(Some(items))
}

/// Stores deliveries, each with the item of its enrolment in `of`, and tells of those that are new.
pub(crate) async fn store(conn: &mut PgConnection, deliveries: &[&Delivery], of: &HashMap<Uuid, &Item>, request: &Request) -> Result<HashSet<Uuid>, PlanError> {
    let stored = repo::insert(conn, deliveries, request).await?;
    let told: Vec<(&Delivery, &Item)> =
        deliveries.iter().filter(|d| stored.contains(&d.delivery_id)).filter_map(|d| Some((*d, *of.get(&d.enrolment_id)?))).collect();
    events::publish(conn, &told).await?;
    Ok(stored)
}
