//! Service enrolments: offered for an item, and moved until they end. Their item follows them.

pub mod dose;
pub mod entity;
pub(crate) mod grpc;
pub mod list;
pub mod repo;

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chrono::{NaiveDate, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::calendar::today;
use crate::error::PlanError;
use crate::follow_up;
use crate::group;
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

/// Offers a service for an item. A place in a group is held from the offer on; where the group has none left, the student
/// waits for one.
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
    let mut enrolment = asked.clone();
    if let Some(group_id) = asked.group_id {
        let unknown = || PlanError::field("group_id", "is not a group of the plan's school; ListGroups answers them");
        let group = group::repo::lock(&mut tx, group_id).await?.filter(|g| g.school_id == item.school_id).ok_or_else(unknown)?;
        group.fill_dose(&mut enrolment, today())?;
        if group::repo::taken_places(&mut tx, group_id).await? >= i64::from(group.capacity) {
            enrolment.state = EnrolmentState::Waitlisted;
            enrolment.waitlisted_at = Some(Utc::now());
        }
    }
    if !repo::insert(&mut tx, &enrolment).await? {
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
    /// How a completed service came out.
    pub outcome: String,
    /// Why it may start although what it depends on is not in place.
    pub override_reason: String,
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
    if !command.outcome.is_empty() && (command.transition != EnrolmentTransition::Complete || !OUTCOMES.contains(&command.outcome.as_str())) {
        return Err(PlanError::field("outcome", format!("is for `complete`, one of {}", OUTCOMES.join(", "))));
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
    let waits_for = plan_item::waits_for(&mut tx, &item).await?;
    enrolment.step(command.transition, command.on_date.unwrap_or_else(today), Utc::now())?;
    let overridden = command.transition == EnrolmentTransition::Start && !waits_for.is_empty();
    if overridden {
        if command.override_reason.is_empty() {
            return Err(PlanError::Waits(waits_for));
        }
        enrolment.override_reason.clone_from(&command.override_reason);
    }
    if command.transition == EnrolmentTransition::Complete {
        let said = if command.outcome.is_empty() { command.reason.as_str() } else { command.outcome.as_str() };
        enrolment.outcome = if said.is_empty() { "unknown".to_owned() } else { said.to_owned() };
    }
    if let Some(group_id) = enrolment.group_id.filter(|_| command.transition == EnrolmentTransition::Seat) {
        let group = group::repo::lock(&mut tx, group_id).await?.ok_or_else(|| PlanError::unknown(action))?;
        if group::repo::taken_places(&mut tx, group_id).await? >= i64::from(group.capacity) {
            return Err(PlanError::GroupFull);
        }
    }
    enrolment.reason = if enrolment.outcome.is_empty() { command.reason.clone() } else { enrolment.outcome.clone() };
    repo::update(&mut tx, &enrolment).await?;
    let note = if overridden { command.override_reason.as_str() } else { "" };
    let stored = finish(&mut tx, item, command.enrolment_id, note, &command.request).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Keeps the step, lets the item follow, and reads the enrolment back.
async fn finish(conn: &mut PgConnection, item: Item, id: Uuid, note: &str, request: &Request) -> Result<Enrolment, PlanError> {
    let stored = load(conn, id, request.method).await?;
    let step = Step { aggregate: "enrolment", id, version: stored.version, state: stored.state.as_str(), reason: &stored.reason, by: &request.caller };
    history::append_noted(conn, step, note).await?;
    plan_item::follow_sources(conn, item, &request.caller).await?;
    follow_up::follow_enrolment(conn, &stored, &request.caller).await?;
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
        group_id: None,
        starts_on: None,
        waitlisted_at: None,
        paused_on: None,
        paused_days: 0,
        reason: String::new(),
        outcome: String::new(),
        override_reason: String::new(),
        need_ids: vec![],
        waitlist_position: 0,
        absences_in_row: 0,
        delivered_minutes: 0,
        delivery_count: 0,
        version: 1,
    }
}
