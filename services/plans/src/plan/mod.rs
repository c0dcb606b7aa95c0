//! Plans: a draft appears with the first review of a student, and is moved from there.

pub mod entity;
pub(crate) mod events;
pub(crate) mod grpc;
pub mod repo;

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::delivery::entity::Delivery;
use crate::enrolment::entity::Enrolment;
use crate::error::PlanError;
use crate::history::{self, Step};
use crate::need::entity::{Need, Sensitivity};
use crate::plan_item::entity::Item;
use crate::sight::may_see;
use crate::{delivery, enrolment, need, plan_item};

use entity::{CloseReason, Plan, PlanTransition};

/// Deliveries that a plan is shown with.
const NEWEST_DELIVERIES: i64 = 200;

/// A plan with all that a caller may see of it.
#[derive(Clone, Debug)]
pub struct WholePlan {
    /// The plan.
    pub plan: Plan,
    /// Needs that may be seen.
    pub needs: Vec<Need>,
    /// Items all of whose needs may be seen.
    pub items: Vec<Item>,
    /// Enrolments of these items.
    pub enrolments: Vec<Enrolment>,
    /// Newest deliveries of these enrolments.
    pub deliveries: Vec<Delivery>,
    /// Restricted needs that may not be seen. Protected ones are not counted.
    pub closed_need_count: i32,
}

impl WholePlan {
    /// The highest sensitivity in it.
    pub fn sensitivity(&self) -> Sensitivity {
        let needs = self.needs.iter().map(|n| n.sensitivity);
        needs.chain(self.items.iter().map(|i| i.sensitivity)).max().unwrap_or(Sensitivity::General)
    }

    /// How many of its needs are unmet on a day.
    pub fn unmet_count(&self, as_of: NaiveDate, after_school_days: i32) -> usize {
        self.needs.iter().filter(|n| n.unmet(as_of, after_school_days).is_some()).count()
    }
}

/// The plan of a student in a school year (none: the latest), as far as `clearance` shows it.
pub async fn get(pool: &PgPool, student: Uuid, school_year: Option<i32>, clearance: &Clearance) -> Result<WholePlan, PlanError> {
    let mut tx = pool.begin().await?;
    let plan = repo::of_student(&mut tx, student, school_year).await?.ok_or(PlanError::NoPlan)?;
    let (needs, hidden): (Vec<Need>, Vec<Need>) =
        need::repo::of_plan(&mut tx, plan.plan_id).await?.into_iter().partition(|n| may_see(clearance, n.sensitivity, n.domain));
    let closed = hidden.iter().filter(|n| n.sensitivity == Sensitivity::Restricted).count();
    let mut items = plan_item::repo::of_plan(&mut tx, plan.plan_id).await?;
    items.retain(|item| plan_item::visible(item, &needs, clearance));
    let item_ids: Vec<Uuid> = items.iter().map(|i| i.plan_item_id).collect();
    let enrolments = enrolment::repo::of_items(&mut tx, &item_ids).await?;
    let enrolment_ids: Vec<Uuid> = enrolments.iter().map(|e| e.enrolment_id).collect();
    let newest = delivery::repo::ListQuery { enrolment_ids: &enrolment_ids, all: false, after: None, limit: NEWEST_DELIVERIES };
    let deliveries = delivery::repo::list(&mut tx, &newest).await?;
    tx.commit().await?;
    Ok(WholePlan { plan, needs, items, enrolments, deliveries, closed_need_count: i32::try_from(closed).unwrap_or(i32::MAX) })
}

/// Moves a plan.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Which.
    pub plan_id: Uuid,
    /// How.
    pub transition: PlanTransition,
    /// For closing.
    pub reason: Option<CloseReason>,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Moves a plan, and tells of it.
pub async fn transition(pool: &PgPool, command: &Transition) -> Result<Plan, PlanError> {
    if (command.transition == PlanTransition::Close) != command.reason.is_some() {
        return Err(PlanError::field("reason", format!("must be given for `close` and only then, one of {}", CloseReason::CODES.join(", "))));
    }
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let mut plan = repo::lock(&mut tx, command.plan_id).await?.ok_or_else(|| PlanError::unknown(command.request.method))?;
    if claim == Claim::Replay {
        return Ok(plan);
    }
    if plan.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    plan.state = plan.state.transition(command.transition)?;
    plan.close_reason = command.reason.map(CloseReason::as_str).unwrap_or_default().to_owned();
    plan.version += 1;
    repo::update(&mut tx, &plan).await?;
    let step = Step {
        aggregate: "plan",
        id: plan.plan_id,
        version: plan.version,
        state: plan.state.as_str(),
        reason: &plan.close_reason,
        by: &command.request.caller,
    };
    history::append(&mut tx, step).await?;
    events::publish(&mut tx, &plan).await?;
    tx.commit().await?;
    Ok(plan)
}
