//! Needs: recorded by reviews, moved by their items, judged by people.

pub mod entity;
pub(crate) mod events;
pub(crate) mod grpc;
pub mod repo;
pub mod unmet;

use chassis_access::Clearance;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::PlanError;
use crate::plan;
use crate::sight::may_see;

use entity::{Need, NeedState};

/// Judges a need.
#[derive(Clone, Debug)]
pub struct Judge {
    /// Which.
    pub need_id: Uuid,
    /// What it comes to.
    pub state: NeedState,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Judges a need. Opened again, it follows its items again.
pub async fn judge(pool: &PgPool, command: &Judge, clearance: &Clearance) -> Result<Need, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let plan_id = repo::plan_of(&mut tx, command.need_id).await?.ok_or_else(unknown)?;
    plan::repo::lock(&mut tx, plan_id).await?.ok_or_else(unknown)?;
    let held = load(&mut tx, command.need_id).await?.filter(|n| may_see(clearance, n.sensitivity, n.domain)).ok_or_else(unknown)?;
    if claim == Claim::Replay {
        return Ok(held);
    }
    if held.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    let next = held.state.judge(command.state)?;
    repo::settle_by_staff(&mut tx, command.need_id, next).await?;
    repo::derive(&mut tx, &[command.need_id], repo::Version::AlreadyRaised).await?;
    events::publish(&mut tx, &[command.need_id], &command.request.caller).await?;
    let judged = load(&mut tx, command.need_id).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(judged)
}

/// Derives needs from their items, and tells of those that this changed. The plan must be locked.
pub async fn follow_items(conn: &mut PgConnection, need_ids: &[Uuid], by: &str) -> Result<(), DbError> {
    let changed = repo::derive(conn, need_ids, repo::Version::Raise).await?;
    events::publish(conn, &changed, by).await
}

async fn load(conn: &mut PgConnection, need_id: Uuid) -> Result<Option<Need>, DbError> {
    Ok(repo::by_ids(conn, &[need_id]).await?.pop())
}
