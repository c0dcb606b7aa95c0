//! Joint commitments: what staff and family promise each other, and whether it was kept.

pub mod entity;
pub(crate) mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::PgPool;

use crate::error::PlanError;
use crate::history::{self, Step};
use crate::plan;

use entity::{Commitment, STATES};

/// Adds or changes a promise.
#[derive(Clone, Debug)]
pub struct Put {
    /// As it is to be.
    pub commitment: Commitment,
    /// 0 for a new one, else the version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Adds or changes a promise.
pub async fn put(pool: &PgPool, command: &Put) -> Result<Commitment, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let id = command.commitment.commitment_id;
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    plan::repo::lock(&mut tx, command.commitment.plan_id).await?.ok_or_else(unknown)?;
    let held = repo::by_id(&mut tx, id).await?;
    if claim == Claim::Replay {
        return held.ok_or_else(unknown);
    }
    match &held {
        Some(_) if command.expected_version == 0 => return Err(PlanError::Exists("commitment")),
        None if command.expected_version != 0 => return Err(unknown()),
        Some(held) if held.plan_id != command.commitment.plan_id => return Err(unknown()),
        Some(held) if held.version != command.expected_version => return Err(PlanError::Stale),
        _ => {}
    }
    let commitment = Commitment { version: command.expected_version + 1, ..command.commitment.clone() };
    repo::put(&mut tx, &commitment).await?;
    let state = STATES.into_iter().find(|s| *s == commitment.state).unwrap_or("open");
    history::append(&mut tx, Step { aggregate: "commitment", id, version: commitment.version, state, reason: "", by: &command.request.caller }).await?;
    tx.commit().await?;
    Ok(commitment)
}
