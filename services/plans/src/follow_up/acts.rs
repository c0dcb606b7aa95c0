//! What people do with follow-ups: raise, close, put off, hand on, remind.

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use chrono::{NaiveDate, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::entity::{FollowUp, FollowUpKind, FollowUpState, FollowUpTransition, NUDGE_EVERY, Sensitivity};
use super::repo::{About, New};
use super::{events, repo};
use crate::error::PlanError;

/// Whether somebody with this clearance may see a follow-up: as sensitive as what it is about.
pub fn visible(follow_up: &FollowUp, clearance: &Clearance) -> bool {
    let cleared = follow_up.domains.iter().all(|d| clearance.restricted(d));
    match follow_up.sensitivity {
        Sensitivity::General => true,
        Sensitivity::Restricted => cleared,
        Sensitivity::Protected => clearance.protected() && cleared,
    }
}

/// Whether a partner may see a follow-up: what they raised about a referral addressed to them, and what staff ask of them. Nothing
/// that is protected, and of what is restricted only their own.
pub fn is_partners(follow_up: &FollowUp, organisation: Uuid) -> bool {
    use FollowUpKind::{CheckAttendance, ContactPartner, ReOffer};
    let asked =
        follow_up.raised_as == "staff" && follow_up.sensitivity == Sensitivity::General && matches!(follow_up.kind, ContactPartner | CheckAttendance | ReOffer);
    follow_up.partner_id == Some(organisation) && follow_up.sensitivity != Sensitivity::Protected && (follow_up.raised_by == Some(organisation) || asked)
}

/// Raises one by hand.
#[derive(Clone, Debug)]
pub struct Raise {
    /// Its id.
    pub follow_up_id: Uuid,
    /// What it is about.
    pub about: About,
    /// What to do.
    pub kind: FollowUpKind,
    /// By when.
    pub due_on: NaiveDate,
    /// By whom.
    pub owner_id: Option<Uuid>,
    /// What to know.
    pub note: String,
    /// Who raises it: a member of staff or an organisation.
    pub raised_by: Uuid,
    /// `staff` or `partner`.
    pub raised_as: &'static str,
    /// So that it happens once.
    pub request: Request,
}

/// Raises a follow-up by hand. Who raises it need not be cleared for it afterwards.
pub async fn raise(pool: &PgPool, command: &Raise) -> Result<FollowUp, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, &command.request).await? == Claim::New {
        let new = New {
            follow_up_id: command.follow_up_id,
            about: &command.about,
            kind: command.kind,
            due_on: command.due_on,
            owner_id: command.owner_id,
            note: &command.note,
            raised_by: Some(command.raised_by),
            raised_as: command.raised_as,
            run_key: None,
        };
        if !repo::insert(&mut tx, &new).await? {
            return Err(PlanError::Exists("follow-up"));
        }
    }
    let stored = repo::lock(&mut tx, &[command.follow_up_id]).await?.pop().ok_or_else(unknown)?;
    events::publish(&mut tx, &stored, &command.request.caller).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Moves one.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Which.
    pub follow_up_id: Uuid,
    /// How.
    pub transition: FollowUpTransition,
    /// What came of it, for `done`.
    pub result: String,
    /// Words, for `done` and `cancel`.
    pub note: String,
    /// The new day, for `snooze`.
    pub due_on: Option<NaiveDate>,
    /// The new owner, for `reassign`.
    pub owner_id: Option<Uuid>,
    /// Who moves it.
    pub by: Uuid,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Moves a follow-up that `sees` lets be seen.
pub async fn transition(pool: &PgPool, command: &Transition, sees: impl Fn(&FollowUp) -> bool + Send) -> Result<FollowUp, PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let held = repo::lock(&mut tx, &[command.follow_up_id]).await?.pop().filter(|f| sees(f));
    let held = held.ok_or_else(|| PlanError::unknown(command.request.method))?;
    if claim == Claim::Replay {
        return Ok(held);
    }
    if held.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    let state = held.state.transition(command.transition)?;
    let closed = matches!(state, FollowUpState::Done | FollowUpState::Cancelled);
    let next = FollowUp {
        state,
        due_on: command.due_on.filter(|_| command.transition == FollowUpTransition::Snooze).unwrap_or(held.due_on),
        owner_id: if command.transition == FollowUpTransition::Reassign { command.owner_id } else { held.owner_id },
        result: if state == FollowUpState::Done { command.result.clone() } else { String::new() },
        result_note: if closed { command.note.clone() } else { String::new() },
        closed_by: closed.then_some(command.by),
        closed_at: closed.then(Utc::now),
        version: held.version + 1,
        ..held
    };
    repo::update(&mut tx, &next).await?;
    events::publish(&mut tx, &next, &command.request.caller).await?;
    tx.commit().await?;
    Ok(next)
}

/// Reminds the owner, at most once a week.
pub async fn nudge(pool: &PgPool, follow_up_id: Uuid, request: &Request, sees: impl Fn(&FollowUp) -> bool + Send) -> Result<FollowUp, PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, request).await?;
    let held = repo::lock(&mut tx, &[follow_up_id]).await?.pop().filter(|f| sees(f)).ok_or_else(|| PlanError::unknown(request.method))?;
    if claim == Claim::Replay {
        return Ok(held);
    }
    if !held.state.is_open() {
        return Err(PlanError::WrongState { what: "follow-up", state: held.state.as_str(), transition: "nudge" });
    }
    let now = Utc::now();
    if let Some(next) = held.nudged_at.map(|at| at + NUDGE_EVERY).filter(|next| *next > now) {
        return Err(PlanError::NudgedLately { next });
    }
    let next = FollowUp { nudged_at: Some(now), version: held.version + 1, ..held };
    repo::update(&mut tx, &next).await?;
    events::publish(&mut tx, &next, &request.caller).await?;
    tx.commit().await?;
    Ok(next)
}
