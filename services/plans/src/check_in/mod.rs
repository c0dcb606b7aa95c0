//! Regular check-ins, e.g. weekly between the teacher and a parent, with what each side said.

pub mod entity;
pub(crate) mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::PlanError;
use crate::history::{self, Step};
use crate::plan;
use crate::plan::entity::PlanState;

use entity::{CheckIn, Note};

/// Adds or changes a check-in.
#[derive(Clone, Debug)]
pub struct Put {
    /// As it is to be.
    pub check_in: CheckIn,
    /// 0 for a new one, else the version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Adds or changes a check-in.
pub async fn put(pool: &PgPool, command: &Put) -> Result<CheckIn, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let plan = plan::repo::lock(&mut tx, command.check_in.plan_id).await?.ok_or_else(unknown)?;
    let id = command.check_in.check_in_id;
    if claim == Claim::Replay {
        return load(&mut tx, id, command.request.method).await;
    }
    if plan.state == PlanState::Closed {
        return Err(PlanError::WrongState { what: "plan", state: plan.state.as_str(), transition: "put_check_in" });
    }
    let new = command.expected_version == 0;
    if !new && load(&mut tx, id, command.request.method).await?.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    let check_in = CheckIn { version: command.expected_version + 1, ..command.check_in.clone() };
    if !repo::put(&mut tx, &check_in, new).await? {
        return Err(PlanError::Exists("check-in"));
    }
    let state = if check_in.ends_on.is_some() { "ends" } else { "goes_on" };
    history::append(&mut tx, Step { aggregate: "check_in", id, version: check_in.version, state, reason: "", by: &command.request.caller }).await?;
    let stored = load(&mut tx, id, command.request.method).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Notes one check-in.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which.
    pub check_in_id: Uuid,
    /// What was said.
    pub note: Note,
    /// So that it happens once.
    pub request: Request,
}

/// Notes that a check-in happened or was missed. One a day.
pub async fn record(pool: &PgPool, command: &Record) -> Result<CheckIn, PlanError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, &command.request).await? == Claim::New && !repo::add_note(&mut tx, command.check_in_id, &command.note).await? {
        return Err(PlanError::Exists("note of this day"));
    }
    let stored = load(&mut tx, command.check_in_id, command.request.method).await?;
    tx.commit().await?;
    Ok(stored)
}

async fn load(conn: &mut PgConnection, id: Uuid, action: &str) -> Result<CheckIn, PlanError> {
    repo::by_ids(conn, &[id]).await?.pop().ok_or_else(|| PlanError::unknown(action))
}
