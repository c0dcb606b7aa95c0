//! Hand-overs of students between schools: offered by one coordinator, accepted by another.

pub mod entity;
mod events;
pub(crate) mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim, Request};
use chrono::Utc;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::calendar::today;
use crate::error::PlanError;
use crate::history::{self, Step};

use entity::{HandOver, Move, TransitionState};

/// Hands a student over. One is open at a time.
pub async fn start(pool: &PgPool, hand_over: &HandOver, request: &Request) -> Result<HandOver, PlanError> {
    let unknown = || PlanError::unknown(request.method);
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        match repo::insert(&mut tx, hand_over).await {
            Err(error) if error.constraint() == Some("transition_student_id_open_key") => return Err(PlanError::InTransition),
            Err(error) if error.constraint() == Some("transition_pkey") => return Err(PlanError::Exists("transition")),
            done => done?,
        }
        keep(&mut tx, hand_over, request).await?;
    }
    let stored = repo::by_id(&mut tx, hand_over.transition_id).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(stored)
}

/// A move, or ticks of the checklist alone.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub transition_id: Uuid,
    /// The move; none for ticks.
    pub by: Option<Move>,
    /// Words.
    pub note: String,
    /// Steps that are done now.
    pub done_steps: Vec<String>,
    /// Who.
    pub staff_id: Uuid,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Moves a hand-over and ticks its checklist. Open follow-ups go along when it is accepted.
pub async fn change(pool: &PgPool, command: &Change) -> Result<HandOver, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let held = repo::by_id(&mut tx, command.transition_id).await?.ok_or_else(unknown)?;
    if claim == Claim::Replay {
        return Ok(held);
    }
    if held.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    let state = match command.by {
        Some(by) => held.state.after(by)?,
        None if held.state == TransitionState::Withdrawn => {
            return Err(PlanError::WrongState { what: "transition", state: held.state.as_str(), transition: "tick" });
        }
        None => held.state,
    };
    let answered = command.by.is_some_and(Move::is_receiving);
    let next = HandOver {
        state,
        note: if command.by == Some(Move::Offer) && !command.note.is_empty() { command.note.clone() } else { held.note.clone() },
        answer_note: if answered { command.note.clone() } else { held.answer_note.clone() },
        accepted_by: if state == TransitionState::Accepted { held.accepted_by.or(Some(command.staff_id)) } else { None },
        answered_at: if answered { Some(Utc::now()) } else { held.answered_at },
        version: held.version + 1,
        ..held
    };
    repo::update(&mut tx, &next).await?;
    repo::tick(&mut tx, next.transition_id, &command.done_steps, today()).await?;
    if command.by == Some(Move::Accept)
        && let Some(school) = next.to_school_id
    {
        repo::move_follow_ups(&mut tx, next.student_id, school).await?;
    }
    keep(&mut tx, &next, &command.request).await?;
    let stored = repo::by_id(&mut tx, next.transition_id).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(stored)
}

async fn keep(conn: &mut PgConnection, hand_over: &HandOver, request: &Request) -> Result<(), PlanError> {
    let (id, version, state) = (hand_over.transition_id, hand_over.version, hand_over.state.as_str());
    history::append(conn, Step { aggregate: "transition", id, version, state, reason: "", by: &request.caller }).await?;
    Ok(events::publish(conn, hand_over).await?)
}
