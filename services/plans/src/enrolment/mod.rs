//! Service enrolments: offered for an item, and moved until they end. Their item follows them.

pub mod entity;
pub(crate) mod grpc;
pub mod repo;

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::calendar::today;
use crate::error::PlanError;
use crate::history::{self, Step};
use crate::plan_item;
use crate::plan_item::entity::Item;

use entity::{DECLINE_REASONS, Enrolment, EnrolmentState, EnrolmentTransition, OUTCOMES, STOP_REASONS};

/// Enrols a student.
#[derive(Clone, Debug)]
pub struct Enrol {
    /// The enrolment as asked for. Its student and state are filled in here.
    pub enrolment: Enrolment,
    /// So that it happens once.
    pub request: Request,
}

/// Offers a service for an item.
pub async fn enrol(pool: &PgPool, command: &Enrol, clearance: &Clearance) -> Result<Enrolment, PlanError> {
    let asked = &command.enrolment;
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let item = plan_item::lock_visible(&mut tx, asked.plan_item_id, clearance, command.request.method).await?;
    if claim == Claim::Replay {
        return load(&mut tx, asked.enrolment_id, command.request.method).await;
    }
    let derived = !plan_item::repo::sources(&mut tx, item.plan_item_id).await?.is_empty();
    if item.state.is_unhappened() && !derived {
        return Err(PlanError::WrongState { what: "plan item", state: item.state.as_str(), transition: "enrol" });
    }
    if !repo::insert(&mut tx, asked).await? {
        return Err(PlanError::Exists("enrolment"));
    }
    let stored = finish(&mut tx, item, asked.enrolment_id, "", &command.request).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Moves an enrolment.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Which.
    pub enrolment_id: Uuid,
    /// How.
    pub transition: EnrolmentTransition,
    /// Reason code.
    pub reason: String,
    /// First or last day; today where none.
    pub on_date: Option<NaiveDate>,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// The reasons a transition may have, and whether it must have one.
fn reasons(transition: EnrolmentTransition) -> (&'static [&'static str], bool) {
    match transition {
        EnrolmentTransition::Stop | EnrolmentTransition::Pause => (&STOP_REASONS, true),
        EnrolmentTransition::Decline => (&DECLINE_REASONS, false),
        EnrolmentTransition::Complete => (&OUTCOMES, false),
        _ => (&[], false),
    }
}

/// Moves an enrolment; its item follows.
pub async fn transition(pool: &PgPool, command: &Transition, clearance: &Clearance) -> Result<Enrolment, PlanError> {
    let action = command.request.method;
    let (allowed, needed) = reasons(command.transition);
    if needed && command.reason.is_empty() || !command.reason.is_empty() && !allowed.contains(&command.reason.as_str()) {
        let remedy =
            if allowed.is_empty() { format!("must be empty for `{}`", command.transition.as_str()) } else { format!("must be one of {}", allowed.join(", ")) };
        return Err(PlanError::field("reason", remedy));
    }
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let item_id = repo::item_of(&mut tx, command.enrolment_id).await?.ok_or_else(|| PlanError::unknown(action))?;
    let item = plan_item::lock_visible(&mut tx, item_id, clearance, action).await?;
    let mut enrolment = load(&mut tx, command.enrolment_id, action).await?;
    if claim == Claim::Replay {
        return Ok(enrolment);
    }
    if enrolment.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    let next = enrolment.state.transition(command.transition)?;
    let today = today();
    (enrolment.started_on, enrolment.ended_on) = enrolment.span_after(command.transition, command.on_date.unwrap_or(today), today)?;
    enrolment.state = next;
    enrolment.version += 1;
    repo::update(&mut tx, &enrolment, &command.reason).await?;
    let stored = finish(&mut tx, item, command.enrolment_id, &command.reason, &command.request).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Keeps the step, lets the item follow, and reads the enrolment back.
async fn finish(conn: &mut PgConnection, item: Item, id: Uuid, reason: &str, request: &Request) -> Result<Enrolment, PlanError> {
    let stored = load(conn, id, request.method).await?;
    history::append(conn, Step { aggregate: "enrolment", id, version: stored.version, state: stored.state.as_str(), reason, by: &request.caller }).await?;
    plan_item::follow_sources(conn, item, &request.caller).await?;
    Ok(stored)
}

async fn load(conn: &mut PgConnection, id: Uuid, action: &str) -> Result<Enrolment, PlanError> {
    repo::by_ids(conn, &[id]).await?.pop().ok_or_else(|| PlanError::unknown(action))
}

/// An enrolment as it is asked for.
pub fn offered(enrolment_id: Uuid, plan_item_id: Uuid, service_id: Option<Uuid>, dose: (i16, i16, i16)) -> Enrolment {
    Enrolment {
        enrolment_id,
        plan_item_id,
        student_id: Uuid::nil(),
        service_id,
        state: EnrolmentState::Offered,
        sessions_per_week: dose.0,
        minutes_per_session: dose.1,
        weeks: dose.2,
        started_on: None,
        ended_on: None,
        delivered_minutes: 0,
        delivery_count: 0,
        version: 1,
    }
}
