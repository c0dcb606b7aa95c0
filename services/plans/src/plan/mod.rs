//! Plans: a draft appears with the first review of a student, and is moved from there.

pub mod carry_over;
pub mod entity;
pub(crate) mod events;
mod family;
pub(crate) mod grpc;
pub mod header;
pub mod repo;

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chrono::{Days, NaiveDate};
use sqlx::PgPool;
use uuid::Uuid;

use crate::delivery::entity::Delivery;
use crate::enrolment::entity::Enrolment;
use crate::error::PlanError;
use crate::history::{self, Step};
use crate::need::entity::{Need, Sensitivity};
use crate::plan_item::entity::Item;
use crate::sight::may_see;
use crate::{calendar, check_in, commitment, delivery, enrolment, goal, need, plan_item};

use entity::{CloseReason, FamilyAnswer, Header, Plan, PlanTransition};

/// A plan that comes into force is looked at again after six weeks, where nobody said when.
const LOOK_AGAIN: Days = Days::new(42);
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
    /// Items that may not be seen and are not protected.
    pub closed_item_count: i32,
    /// What stands at its head.
    pub header: Header,
    /// What the family answered, newest first.
    pub family_answers: Vec<FamilyAnswer>,
    /// Goals that may be seen.
    pub goals: Vec<goal::entity::Goal>,
    /// Check-ins.
    pub check_ins: Vec<check_in::entity::CheckIn>,
    /// What each side promised.
    pub commitments: Vec<commitment::entity::Commitment>,
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
    let mut goals = goal::repo::of_plan(&mut tx, plan.plan_id).await?;
    // What they answer may have gone on into the plan of the next year.
    let about: Vec<Uuid> = items.iter().flat_map(|i| &i.need_ids).chain(goals.iter().flat_map(|g| &g.need_ids)).copied().collect();
    let mut seen = need::repo::by_ids(&mut tx, &about).await?;
    seen.retain(|n| may_see(clearance, n.sensitivity, n.domain));
    let all_items = items.len();
    let protected = items.iter().filter(|i| i.sensitivity == Sensitivity::Protected && !plan_item::visible(i, &seen, clearance)).count();
    items.retain(|item| plan_item::visible(item, &seen, clearance));
    let closed_items = all_items - items.len() - protected;
    goals.retain(|goal| goal.visible(&seen, clearance));
    plan_item::name_only_seen(&mut items, &goals.iter().map(|g| g.goal_id).collect::<Vec<_>>());
    let header = repo::header(&mut tx, plan.plan_id).await?;
    let family_answers = repo::answers(&mut tx, plan.plan_id).await?;
    let check_ins = check_in::repo::of_plan(&mut tx, plan.plan_id).await?;
    let commitments = commitment::repo::of_plan(&mut tx, plan.plan_id).await?;
    let item_ids: Vec<Uuid> = items.iter().map(|i| i.plan_item_id).collect();
    let enrolments = enrolment::repo::of_items(&mut tx, &item_ids).await?;
    let enrolment_ids: Vec<Uuid> = enrolments.iter().map(|e| e.enrolment_id).collect();
    let newest = delivery::repo::ListQuery { enrolment_ids: &enrolment_ids, all: false, after: None, limit: NEWEST_DELIVERIES };
    let deliveries = delivery::repo::list(&mut tx, &newest).await?;
    tx.commit().await?;
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    Ok(WholePlan {
        plan,
        needs,
        items,
        enrolments,
        deliveries,
        closed_need_count: count(closed),
        closed_item_count: count(closed_items),
        header,
        family_answers,
        goals,
        check_ins,
        commitments,
    })
}

/// How many needs of a plan may be seen, and how many of these are unmet today.
pub async fn counts(pool: &PgPool, plan_id: Uuid, clearance: &Clearance, unmet_after: i32) -> Result<(i64, i64), PlanError> {
    let mut needs = need::repo::of_plan(&mut *pool.acquire().await?, plan_id).await?;
    needs.retain(|n| may_see(clearance, n.sensitivity, n.domain));
    let unmet = needs.iter().filter(|n| n.unmet(calendar::today(), unmet_after).is_some()).count();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok((count(needs.len()), count(unmet)))
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
    if command.transition == PlanTransition::Activate {
        let response = repo::header(&mut tx, plan.plan_id).await?.family_response;
        entity::may_begin(plan.tier, response, repo::leaves_school(&mut tx, plan.plan_id).await?)?;
        repo::look_next(&mut tx, plan.plan_id, calendar::today() + LOOK_AGAIN).await?;
    }
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
