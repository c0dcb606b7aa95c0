//! Goals: where a student is, where they are to be, and the points between.

pub mod entity;
mod events;
pub(crate) mod grpc;
pub mod repo;

use chassis_access::Clearance;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::PlanError;
use crate::history::{self, Step};
use crate::need;
use crate::plan;
use crate::plan::entity::PlanState;
use crate::sight::may_see;

use entity::{Goal, GoalState, GoalTransition, Progress, Sensitivity};

/// Points that one goal holds.
const MOST_POINTS: usize = 200;

/// Adds or changes a goal.
#[derive(Clone, Debug)]
pub struct Put {
    /// As it is to be; student, school, state and sensitivity are filled in here.
    pub goal: Goal,
    /// 0 for a new one, else the version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Adds or changes a goal about needs that the caller may see.
pub async fn put(pool: &PgPool, command: &Put, clearance: &Clearance) -> Result<Goal, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let plan = plan::repo::lock(&mut tx, command.goal.plan_id).await?.ok_or_else(unknown)?;
    if claim == Claim::Replay {
        return load(&mut tx, command.goal.goal_id, clearance, command.request.method).await;
    }
    if plan.state == PlanState::Closed {
        return Err(PlanError::WrongState { what: "plan", state: plan.state.as_str(), transition: "put_goal" });
    }
    let needs = need::repo::by_ids(&mut tx, &command.goal.need_ids).await?;
    for (i, id) in command.goal.need_ids.iter().enumerate() {
        if !needs.iter().any(|n| n.need_id == *id && n.plan_id == plan.plan_id && may_see(clearance, n.sensitivity, n.domain)) {
            return Err(PlanError::field(&format!("goal.need_ids[{i}]"), "is not a need of this plan; take one that GetPlan answers"));
        }
    }
    let held = match command.expected_version {
        0 => None,
        _ => Some(load(&mut tx, command.goal.goal_id, clearance, command.request.method).await?),
    };
    if let Some(held) = &held {
        if held.version != command.expected_version {
            return Err(PlanError::Stale);
        }
        if held.state != GoalState::Open || held.plan_id != plan.plan_id {
            return Err(PlanError::WrongState { what: "goal", state: held.state.as_str(), transition: "put_goal" });
        }
    }
    let goal = Goal {
        // What was told as protected once is never told openly later.
        sensitivity: needs.iter().map(|n| n.sensitivity).chain(held.iter().map(|h| h.sensitivity)).max().unwrap_or(Sensitivity::General),
        domain: needs.first().map_or(command.goal.domain, |n| n.domain),
        version: command.expected_version + 1,
        ..command.goal.clone()
    };
    if !repo::put(&mut tx, &goal, held.is_none()).await? {
        return Err(PlanError::Exists("goal"));
    }
    told(&mut tx, goal.goal_id, &command.request.caller).await?;
    let stored = load(&mut tx, goal.goal_id, clearance, command.request.method).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Moves a goal.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Which.
    pub goal_id: Uuid,
    /// How.
    pub transition: GoalTransition,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Ends a goal, or opens it again.
pub async fn transition(pool: &PgPool, command: &Transition, clearance: &Clearance) -> Result<Goal, PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let goal = lock(&mut tx, command.goal_id, clearance, command.request.method).await?;
    if claim == Claim::Replay {
        return Ok(goal);
    }
    if goal.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    let state = goal.state.transition(command.transition)?;
    repo::set_state(&mut tx, goal.goal_id, state, goal.version + 1).await?;
    told(&mut tx, goal.goal_id, &command.request.caller).await?;
    let stored = load(&mut tx, goal.goal_id, clearance, command.request.method).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Adds a point.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which goal.
    pub goal_id: Uuid,
    /// The point.
    pub point: Progress,
    /// So that it happens once.
    pub request: Request,
}

/// Adds a progress point. Points are never changed: a later one of the same day counts.
pub async fn record(pool: &PgPool, command: &Record, clearance: &Clearance) -> Result<Goal, PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let goal = lock(&mut tx, command.goal_id, clearance, command.request.method).await?;
    if claim == Claim::Replay {
        return Ok(goal);
    }
    if goal.state != GoalState::Open {
        return Err(PlanError::WrongState { what: "goal", state: goal.state.as_str(), transition: "record_progress" });
    }
    if !goal.fits(command.point.value) {
        return Err(PlanError::field("point.value", "must be on the goal's scale: 0 to 4, or a plain number up to a million"));
    }
    if goal.progress.len() >= MOST_POINTS {
        return Err(PlanError::field("point", format!("is one too many: a goal holds {MOST_POINTS} points; set a new goal")));
    }
    if !repo::add_point(&mut tx, goal.goal_id, &command.point).await? {
        return Err(PlanError::Exists("progress point"));
    }
    let stored = load(&mut tx, goal.goal_id, clearance, command.request.method).await?;
    tx.commit().await?;
    Ok(stored)
}

async fn lock(conn: &mut PgConnection, goal_id: Uuid, clearance: &Clearance, action: &str) -> Result<Goal, PlanError> {
    let plan_id = repo::plan_of(conn, goal_id).await?.ok_or_else(|| PlanError::unknown(action))?;
    plan::repo::lock(conn, plan_id).await?;
    load(conn, goal_id, clearance, action).await
}

async fn load(conn: &mut PgConnection, goal_id: Uuid, clearance: &Clearance, action: &str) -> Result<Goal, PlanError> {
    let goal = repo::by_ids(conn, &[goal_id]).await?.pop().ok_or_else(|| PlanError::unknown(action))?;
    let mut seen = need::repo::by_ids(conn, &goal.need_ids).await?;
    seen.retain(|n| may_see(clearance, n.sensitivity, n.domain));
    if goal.visible(&seen, clearance) { Ok(goal) } else { Err(PlanError::unknown(action)) }
}

/// Lets goals be as guarded as the needs that they are about, and tells of those that this changed. The plan must be locked.
pub(crate) async fn follow_needs(conn: &mut PgConnection, need_ids: &[Uuid], by: &str) -> Result<(), DbError> {
    for goal_id in repo::raise_sensitivity(conn, need_ids).await? {
        told(conn, goal_id, by).await?;
    }
    Ok(())
}

async fn told(conn: &mut PgConnection, goal_id: Uuid, by: &str) -> Result<(), DbError> {
    let Some(goal) = repo::by_ids(conn, &[goal_id]).await?.pop() else { return Ok(()) };
    let step = Step { aggregate: "goal", id: goal_id, version: goal.version, state: goal.state.as_str(), reason: "", by };
    history::append(conn, step).await?;
    events::publish(conn, &goal).await
}
