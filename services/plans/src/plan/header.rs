//! What people write at the head of a plan, and what the family answers to it.

use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::entity::{FamilyAnswer, Header, Plan, PlanState};
use super::{events, repo};
use crate::error::PlanError;
use crate::history::{self, Step};

/// A change of one plan.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub plan_id: Uuid,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// The plan as it is to be changed; none where the request was done before.
async fn open<'t>(pool: &PgPool, change: &Change) -> Result<(Transaction<'t, Postgres>, Option<Plan>), PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &change.request).await?;
    let plan = repo::lock(&mut tx, change.plan_id).await?.ok_or_else(|| PlanError::unknown(change.request.method))?;
    if claim == Claim::Replay {
        return Ok((tx, None));
    }
    if plan.version != change.expected_version {
        return Err(PlanError::Stale);
    }
    Ok((tx, Some(plan)))
}

async fn keep(conn: &mut PgConnection, plan: &Plan, reason: &str, by: &str) -> Result<(), PlanError> {
    let step = Step { aggregate: "plan", id: plan.plan_id, version: plan.version, state: plan.state.as_str(), reason, by };
    history::append(conn, step).await?;
    Ok(events::publish(conn, plan).await?)
}

async fn read(conn: &mut PgConnection, change: &Change) -> Result<(Plan, Header), PlanError> {
    let plan = repo::lock(conn, change.plan_id).await?.ok_or_else(|| PlanError::unknown(change.request.method))?;
    let header = repo::header(conn, change.plan_id).await?;
    Ok((plan, header))
}

/// Writes the header. What the family answered stays.
pub async fn update(pool: &PgPool, change: &Change, header: &Header) -> Result<(Plan, Header), PlanError> {
    let (mut tx, plan) = open(pool, change).await?;
    if let Some(mut plan) = plan {
        if plan.state == PlanState::Closed {
            return Err(PlanError::WrongState { what: "plan", state: plan.state.as_str(), transition: "update" });
        }
        plan.version += 1;
        repo::put_header(&mut tx, plan.plan_id, plan.version, header).await?;
        keep(&mut tx, &plan, "header", &change.request.caller).await?;
    }
    let stored = read(&mut tx, change).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Keeps what the family answered. A draft was not shown to them yet, and a closed plan is past.
pub async fn answer(pool: &PgPool, change: &Change, answer: &FamilyAnswer) -> Result<(Plan, Header), PlanError> {
    let (mut tx, plan) = open(pool, change).await?;
    if let Some(mut plan) = plan {
        if matches!(plan.state, PlanState::Draft | PlanState::Closed) {
            return Err(PlanError::WrongState { what: "plan", state: plan.state.as_str(), transition: "record_family_response" });
        }
        plan.version += 1;
        repo::put_answer(&mut tx, plan.plan_id, plan.version, answer).await?;
        keep(&mut tx, &plan, answer.response.as_str(), &change.request.caller).await?;
    }
    let stored = read(&mut tx, change).await?;
    tx.commit().await?;
    Ok(stored)
}
