//! Corrections: a delivery that takes the place of another, or takes it back. Neither is ever written over.

use std::collections::HashMap;

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chassis_rpc::InvalidInput;
use chassis_rpc::fault::Violation;
use sqlx::PgPool;
use uuid::Uuid;

use super::entity::{self, Delivery};
use super::{no_shows, repo, store, visible_items};
use crate::calendar::today;
use crate::error::PlanError;

/// Corrects a delivery.
#[derive(Clone, Debug)]
pub struct Correct {
    /// The one that is wrong.
    pub delivery_id: Uuid,
    /// Id of the one that takes its place.
    pub new_id: Uuid,
    /// As it should be; none where it never happened. Its ids are filled in here.
    pub corrected: Option<Delivery>,
    /// Why.
    pub reason: String,
    /// Absences in a row that raise a follow-up.
    pub no_show_limit: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Corrects a delivery whose item the caller may see. One that was corrected before is not corrected again: the one in
/// its place is.
pub async fn correct(pool: &PgPool, command: &Correct, clearance: &Clearance) -> Result<Delivery, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let wrong = repo::by_id(&mut tx, command.delivery_id).await?.ok_or_else(unknown)?;
    let held = repo::enrolments(&mut tx, &[wrong.enrolment_id]).await?.pop().ok_or_else(unknown)?;
    let items = visible_items(&mut tx, std::iter::once(held.plan_item_id), |_| Some(clearance)).await?.ok_or_else(unknown)?;
    let item = items.get(&held.plan_item_id).ok_or_else(unknown)?;
    if claim == Claim::Replay {
        return repo::by_id(&mut tx, command.new_id).await?.filter(|d| d.supersedes_id == Some(wrong.delivery_id)).ok_or_else(unknown);
    }
    if wrong.superseded_by.is_some() || wrong.void {
        return Err(PlanError::Superseded);
    }
    let right = match &command.corrected {
        None => wrong.taken_back(command.new_id),
        Some(corrected) => {
            if let Some((field, description)) = entity::refusal(corrected, held.span(), today()) {
                return Err(InvalidInput(vec![Violation { field: format!("corrected.{field}"), description }]).into());
            }
            Delivery {
                delivery_id: command.new_id,
                enrolment_id: wrong.enrolment_id,
                supersedes_id: Some(wrong.delivery_id),
                superseded_by: None,
                void: false,
                source: entity::Source::Staff,
                group_id: wrong.group_id.filter(|_| corrected.delivered_on == wrong.delivered_on),
                ..corrected.clone()
            }
        }
    };
    let of = HashMap::from([(wrong.enrolment_id, item)]);
    if store(&mut tx, &[&right], &of, &command.request).await?.is_empty() {
        return Err(PlanError::Exists("delivery"));
    }
    if repo::supersede(&mut tx, &[(wrong.delivery_id, right.delivery_id)], &command.reason, &command.request.caller).await? == 0 {
        return Err(PlanError::Superseded);
    }
    no_shows::look(&mut tx, &of, command.no_show_limit).await?;
    tx.commit().await?;
    Ok(right)
}
