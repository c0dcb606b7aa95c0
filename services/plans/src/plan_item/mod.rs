//! Plan items: written by hand, moved by hand or by the enrolment or referral behind them.

pub mod entity;
pub(crate) mod events;
pub(crate) mod grpc;
pub mod repo;

use std::collections::HashSet;

use chassis_access::Clearance;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::PlanError;
use crate::need::entity::{Need, NeedState};
use crate::plan::entity::PlanState;
use crate::sight::may_see;
use crate::{follow_up, goal, need, plan};

use entity::{Arrangement, Item, ItemState, ItemTransition, Sensitivity, UnmetReason};

/// Whether a caller who sees these needs may see an item: only with all that it answers. One that is more guarded than its needs, such
/// as a decision of a guarded review, needs the clearance by itself.
pub fn visible(item: &Item, seen: &[Need], clearance: &Clearance) -> bool {
    let answered = || item.need_ids.iter().filter_map(|id| seen.iter().find(|n| n.need_id == *id));
    let own = match item.sensitivity {
        Sensitivity::General => true,
        Sensitivity::Restricted => clearance.all_restricted() || answered().any(|n| n.sensitivity == Sensitivity::Restricted),
        Sensitivity::Protected => clearance.protected(),
    };
    own && answered().count() == item.need_ids.len()
}

/// Takes out of what is shown of items whatever names an item or goal that is not shown.
pub fn name_only_seen(items: &mut [Item], goals: &[Uuid]) {
    let seen: HashSet<Uuid> = items.iter().map(|i| i.plan_item_id).collect();
    for how in items.iter_mut().map(|i| &mut i.arrangement) {
        how.depends_on.retain(|id| seen.contains(id));
        how.waits_for.retain(|id| seen.contains(id));
        how.replaced_by = how.replaced_by.filter(|id| seen.contains(id));
        how.goal_ids.retain(|id| goals.contains(id));
    }
}

/// Adds an item. Its plan, student, school, state, sensitivity and version are filled in here.
#[derive(Clone, Debug)]
pub struct Add {
    /// As asked for.
    pub item: Item,
    /// So that it happens once.
    pub request: Request,
}

/// Adds an item for needs that the caller may see, or one that builds on strengths and interests.
pub async fn add(pool: &PgPool, command: &Add, clearance: &Clearance) -> Result<Item, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let plan = plan::repo::lock(&mut tx, command.item.plan_id).await?.ok_or_else(unknown)?;
    if claim == Claim::Replay {
        return repo::by_id(&mut tx, command.item.plan_item_id).await?.ok_or_else(unknown);
    }
    if plan.state == PlanState::Closed {
        return Err(PlanError::WrongState { what: "plan", state: plan.state.as_str(), transition: "add_item" });
    }
    let mut item = command.item.clone();
    item.need_ids.sort();
    item.need_ids.dedup();
    let needs = need::repo::by_ids(&mut tx, &item.need_ids).await?;
    for (i, id) in command.item.need_ids.iter().enumerate() {
        let found = needs.iter().find(|n| n.need_id == *id && n.plan_id == plan.plan_id && may_see(clearance, n.sensitivity, n.domain));
        match found {
            None => return Err(PlanError::field(&format!("item.need_ids[{i}]"), "is not a need of this plan; take one that GetPlan answers")),
            Some(n) if n.state == NeedState::NoLonger => {
                return Err(PlanError::field(&format!("item.need_ids[{i}]"), "is no longer a need; open it again first"));
            }
            Some(_) => {}
        }
    }
    item.sensitivity = needs.iter().map(|n| n.sensitivity).max().unwrap_or(Sensitivity::General);
    check_arrangement(&mut tx, &item).await?;
    let item = create(&mut tx, &item, &command.request.caller).await?.ok_or(PlanError::Exists("plan item"))?;
    tx.commit().await?;
    Ok(item)
}

/// What an item waits for and which goals it serves must be of its plan, and nothing may wait for itself.
async fn check_arrangement(conn: &mut PgConnection, item: &Item) -> Result<(), PlanError> {
    let how = &item.arrangement;
    let others = repo::by_ids(conn, &how.depends_on).await?;
    for (i, id) in how.depends_on.iter().enumerate() {
        if !others.iter().any(|o| o.plan_item_id == *id && o.plan_id == item.plan_id && o.sensitivity <= item.sensitivity) {
            return Err(PlanError::field(&format!("item.depends_on_item_ids[{i}]"), "is not an item of this plan; take one that GetPlan answers"));
        }
    }
    if entity::closes_circle(item.plan_item_id, &how.depends_on, &repo::dependencies(conn, item.plan_id).await?) {
        return Err(PlanError::field("item.depends_on_item_ids", "would let the item wait for itself, by way of what it depends on"));
    }
    let goals = goal::repo::by_ids(conn, &how.goal_ids).await?;
    for (i, id) in how.goal_ids.iter().enumerate() {
        if !goals.iter().any(|g| g.goal_id == *id && g.plan_id == item.plan_id && g.sensitivity <= item.sensitivity) {
            return Err(PlanError::field(&format!("item.goal_ids[{i}]"), "is not a goal of this plan; take one that GetPlan answers"));
        }
    }
    Ok(())
}

/// Changes an item that is not over.
#[derive(Clone, Debug)]
pub struct Update {
    /// As it is to be; needs, kind and state are not looked at.
    pub item: Item,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Changes an item's words, owner, dates and what it waits for.
pub async fn update(pool: &PgPool, command: &Update, clearance: &Clearance) -> Result<Item, PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let held = lock_visible(&mut tx, command.item.plan_item_id, clearance, command.request.method).await?;
    if claim == Claim::Replay {
        return Ok(held);
    }
    if held.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    if held.state == ItemState::Done || held.state.is_unhappened() {
        return Err(PlanError::WrongState { what: "plan item", state: held.state.as_str(), transition: "update" });
    }
    let asked = &command.item;
    let next = Item {
        description: asked.description.clone(),
        owner: asked.owner,
        first_step_owner: asked.first_step_owner,
        due_on: asked.due_on,
        builds_on_codes: asked.builds_on_codes.clone(),
        arrangement: Arrangement { individual_review_id: held.arrangement.individual_review_id, ..asked.arrangement.clone() },
        version: held.version + 1,
        ..held
    };
    check_arrangement(&mut tx, &next).await?;
    repo::put_arrangement(&mut tx, &next).await?;
    write(&mut tx, &next, &command.request.caller).await?;
    let stored = repo::by_id(&mut tx, next.plan_item_id).await?.ok_or_else(|| PlanError::unknown(command.request.method))?;
    tx.commit().await?;
    Ok(stored)
}

/// Writes an item with its history and events; none where its id is taken. The plan must be locked.
pub(crate) async fn create(conn: &mut PgConnection, item: &Item, by: &str) -> Result<Option<Item>, DbError> {
    if !repo::insert(conn, item).await? {
        return Ok(None);
    }
    repo::put_arrangement(conn, item).await?;
    let Some(stored) = repo::by_id(conn, item.plan_item_id).await? else { return Ok(None) };
    events::publish(conn, &stored, by).await?;
    follow_up::hooks::added(conn, &stored, by).await?;
    // A referral may have told of itself before its item was written.
    if repo::sources(conn, item.plan_item_id).await?.is_empty() {
        need::follow_items(conn, &stored.need_ids, by).await?;
        return Ok(Some(stored));
    }
    Ok(Some(follow_sources(conn, stored, by).await?))
}

/// Moves an item by hand.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Which.
    pub plan_item_id: Uuid,
    /// How.
    pub transition: ItemTransition,
    /// Why, where it does not happen.
    pub reason: Option<UnmetReason>,
    /// The item that takes its place, for `replace`.
    pub replaced_by: Option<Uuid>,
    /// The version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Moves an item by hand. Refused where its state follows from an enrolment or a referral.
pub async fn transition(pool: &PgPool, command: &Transition, clearance: &Clearance) -> Result<Item, PlanError> {
    use ItemTransition as T;
    let reason = match (command.transition, command.reason) {
        (T::DeclineByFamily | T::NotAvailable, None | Some(UnmetReason::NotYetArranged)) => {
            return Err(PlanError::field("reason", "must say why it does not happen, and cannot be not_yet_arranged"));
        }
        (T::DeclineByFamily | T::NotAvailable, given) => given,
        (T::Withdraw, given) => Some(given.filter(|r| *r != UnmetReason::NotYetArranged).unwrap_or(UnmetReason::Other)),
        (T::Arrange | T::PutInPlace | T::Finish | T::Replace, _) => None,
    };
    if (command.transition == T::Replace) != command.replaced_by.is_some() {
        return Err(PlanError::field("replaced_by", "must name the item that takes its place, for `replace` and only then"));
    }
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let mut item = lock_visible(&mut tx, command.plan_item_id, clearance, command.request.method).await?;
    if claim == Claim::Replay {
        return Ok(item);
    }
    if item.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    if !repo::sources(&mut tx, item.plan_item_id).await?.is_empty() {
        return Err(PlanError::Derived);
    }
    item.state = item.state.transition(command.transition)?;
    if command.transition == T::PutInPlace && !item.arrangement.waits_for.is_empty() {
        return Err(PlanError::Waits(item.arrangement.waits_for));
    }
    if let Some(other) = command.replaced_by {
        let other = repo::by_id(&mut tx, other)
            .await?
            .filter(|o| o.plan_id == item.plan_id && o.plan_item_id != item.plan_item_id && o.sensitivity <= item.sensitivity);
        item.arrangement.replaced_by =
            Some(other.ok_or_else(|| PlanError::field("replaced_by", "is not another item of this plan; take one that GetPlan answers"))?.plan_item_id);
    }
    item.ended_reason = reason;
    item.version += 1;
    write(&mut tx, &item, &command.request.caller).await?;
    follow_up::follow_item(&mut tx, &item, &command.request.caller).await?;
    tx.commit().await?;
    Ok(item)
}

/// Locks the plan of an item and answers the item, where the caller may see all that it answers.
pub(crate) async fn lock_visible(conn: &mut PgConnection, item_id: Uuid, clearance: &Clearance, action: &str) -> Result<Item, PlanError> {
    let unknown = || PlanError::unknown(action);
    let plan_id = repo::plan_of(conn, item_id).await?.ok_or_else(unknown)?;
    plan::repo::lock(conn, plan_id).await?.ok_or_else(unknown)?;
    let item = repo::by_id(conn, item_id).await?.ok_or_else(unknown)?;
    let mut seen = need::repo::by_ids(conn, &item.need_ids).await?;
    seen.retain(|n| may_see(clearance, n.sensitivity, n.domain));
    if visible(&item, &seen, clearance) { Ok(item) } else { Err(unknown()) }
}

/// Items that must be in place before this one and are not.
pub(crate) async fn waits_for(conn: &mut PgConnection, item: &Item) -> Result<Vec<Uuid>, DbError> {
    Ok(repo::by_id(conn, item.plan_item_id).await?.map(|i| i.arrangement.waits_for).unwrap_or_default())
}

/// Lets an item follow what is behind it; where nothing is left, it is planned again. The plan must be locked.
pub(crate) async fn follow_sources(conn: &mut PgConnection, item: Item, by: &str) -> Result<Item, DbError> {
    let sources = repo::sources(conn, item.plan_item_id).await?;
    let mut next = item.clone();
    match entity::leading(&sources) {
        Some(leading) => {
            next.state = leading.state;
            next.ended_reason = leading.reason;
            next.referral_id = leading.referral_id.or(item.referral_id);
        }
        None => {
            next.state = ItemState::Planned;
            next.ended_reason = None;
        }
    }
    if next == item {
        return Ok(item);
    }
    next.version += 1;
    write(conn, &next, by).await?;
    Ok(next)
}

/// Raises an item's sensitivity, where it is lower.
pub(crate) async fn raise_sensitivity(conn: &mut PgConnection, mut item: Item, to: Sensitivity, by: &str) -> Result<Item, DbError> {
    if item.sensitivity < to {
        item.sensitivity = to;
        item.version += 1;
        // What may be seen by more people must not wait for, and so tell of, what they may not see.
        repo::part_from_less_guarded(conn, item.plan_item_id, to).await?;
        write(conn, &item, by).await?;
    }
    Ok(item)
}

async fn write(conn: &mut PgConnection, item: &Item, by: &str) -> Result<(), DbError> {
    repo::update(conn, item).await?;
    events::publish(conn, item, by).await?;
    need::follow_items(conn, &item.need_ids, by).await
}

/// Items that were to answer these needs before they arrived answer them now, and are as sensitive. The plan must be locked.
pub(crate) async fn link_awaited(conn: &mut PgConnection, need_ids: &[Uuid], by: &str) -> Result<(), DbError> {
    let linked = repo::link_awaited(conn, need_ids).await?;
    for item in repo::by_ids(conn, &linked).await? {
        let highest = need::repo::by_ids(conn, &item.need_ids).await?.iter().map(|n| n.sensitivity).max();
        let mut next = raise_sensitivity(conn, item, highest.unwrap_or(Sensitivity::General), by).await?;
        // What it answers has changed in any case.
        next.version += 1;
        write(conn, &next, by).await?;
    }
    Ok(())
}
