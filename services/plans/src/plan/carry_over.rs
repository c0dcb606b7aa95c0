//! A plan goes on into the next school year: a new draft with what is still open, linked back. Items are not copied: last year's
//! are suggested anew, with how they did.

use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::PgPool;
use uuid::Uuid;

use super::entity::{Header, Plan};
use super::{events, repo};
use crate::error::PlanError;
use crate::history::{self, Step};
use crate::need;

/// Carries a plan over.
#[derive(Clone, Debug)]
pub struct CarryOver {
    /// The plan of the ending year.
    pub plan_id: Uuid,
    /// The next school year.
    pub school_year: i32,
    /// So that it happens once.
    pub request: Request,
}

/// Makes the draft of the next year, or answers the one that is there. Needs that are still open follow into it.
pub async fn carry_over(pool: &PgPool, command: &CarryOver) -> Result<(Plan, Header), PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let old = repo::lock(&mut tx, command.plan_id).await?.ok_or_else(unknown)?;
    if command.school_year != old.school_year + 1 {
        return Err(PlanError::field("school_year", format!("must be {}, the year after the plan's own", old.school_year + 1)));
    }
    let (mut draft, new) = repo::draft_of_next_year(&mut tx, &old).await?;
    if new && claim == Claim::New {
        draft.version += 1;
        repo::update(&mut tx, &draft).await?;
        let moved = need::repo::carry_over(&mut tx, old.plan_id, draft.plan_id).await?;
        let step = Step {
            aggregate: "plan",
            id: draft.plan_id,
            version: draft.version,
            state: draft.state.as_str(),
            reason: "carried_over",
            by: &command.request.caller,
        };
        history::append(&mut tx, step).await?;
        events::publish(&mut tx, &draft).await?;
        need::events::publish(&mut tx, &moved, &command.request.caller).await?;
    }
    let header = repo::header(&mut tx, draft.plan_id).await?;
    tx.commit().await?;
    Ok((draft, header))
}
