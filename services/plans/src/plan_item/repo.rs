//! SQL of plan items, and of what is behind them.

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Item, ItemKind, ItemState, OwnerKind, Sensitivity, Source, UnmetReason};
use crate::codes::EnrolmentState;
use crate::enrolment;

/// Writes a new item and what it answers. False where its id is taken.
pub async fn insert(conn: &mut PgConnection, item: &Item) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.plan_item (plan_item_id, plan_id, kind, service_category, description, builds_on_codes, owner, first_step_owner, due_on, referral_id, sensitivity)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        item.plan_item_id,
        item.plan_id,
        item.kind.as_str(),
        item.service_category,
        item.description,
        &item.builds_on_codes,
        item.owner.map(OwnerKind::as_str),
        item.first_step_owner.map(OwnerKind::as_str),
        item.due_on,
        item.referral_id,
        item.sensitivity.as_str()
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("insert into plans.plan_item_need (plan_item_id, need_id) select $1, unnest($2::uuid[])", item.plan_item_id, &item.need_ids)
        .execute(conn)
        .await?;
    Ok(true)
}

/// Items by id, oldest first.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Item>, DbError> {
    Ok(sqlx::query_as!(
        Item,
        r#"select i.plan_item_id, i.plan_id, p.student_id, p.school_id, p.school_year,
                  array(select l.need_id from plans.plan_item_need l where l.plan_item_id = i.plan_item_id order by l.need_id) as "need_ids!",
                  i.builds_on_codes, i.kind as "kind: ItemKind", i.service_category, i.description, i.owner as "owner: OwnerKind",
                  i.first_step_owner as "first_step_owner: OwnerKind", i.due_on, i.state as "state: ItemState", i.ended_reason as "ended_reason: UnmetReason",
                  i.referral_id, i.sensitivity as "sensitivity: Sensitivity", i.version
           from plans.plan_item i join plans.plan p using (plan_id) where i.plan_item_id = any($1) order by i.created_at, i.plan_item_id"#,
        ids
    )
    .fetch_all(conn)
    .await?)
}

/// One item.
pub async fn by_id(conn: &mut PgConnection, id: Uuid) -> Result<Option<Item>, DbError> {
    Ok(by_ids(conn, &[id]).await?.pop())
}

/// Items of a plan, oldest first.
pub async fn of_plan(conn: &mut PgConnection, plan_id: Uuid) -> Result<Vec<Item>, DbError> {
    let ids = sqlx::query_scalar!("select plan_item_id from plans.plan_item where plan_id = $1", plan_id).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// Items that answer any of these needs.
pub async fn of_needs(conn: &mut PgConnection, need_ids: &[Uuid]) -> Result<Vec<Item>, DbError> {
    let ids = sqlx::query_scalar!("select distinct plan_item_id from plans.plan_item_need where need_id = any($1)", need_ids).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// The plan of an item.
pub async fn plan_of(conn: &mut PgConnection, item_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select plan_id from plans.plan_item where plan_item_id = $1", item_id).fetch_optional(conn).await?)
}

/// Whose item it is.
pub async fn student_of(conn: &mut PgConnection, item_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select p.student_id from plans.plan_item i join plans.plan p using (plan_id) where i.plan_item_id = $1", item_id)
        .fetch_optional(conn)
        .await?)
}

/// Writes an item's state over the version before it.
pub async fn update(conn: &mut PgConnection, item: &Item) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.plan_item set state = $2, ended_reason = $3, referral_id = $4, sensitivity = $5, version = $6, updated_at = now()
         where plan_item_id = $1 and version = $6::bigint - 1",
        item.plan_item_id,
        item.state.as_str(),
        item.ended_reason.map(UnmetReason::as_str),
        item.referral_id,
        item.sensitivity.as_str(),
        item.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// What is behind an item: its enrolments and referrals, without those entered in error.
pub async fn sources(conn: &mut PgConnection, item_id: Uuid) -> Result<Vec<Source>, DbError> {
    let enrolments =
        sqlx::query!(r#"select state as "state: EnrolmentState", reason, updated_at from plans.service_enrolment where plan_item_id = $1"#, item_id)
            .fetch_all(&mut *conn)
            .await?;
    let referrals = sqlx::query!(
        r#"select referral_id, item_state as "state!: ItemState", item_reason as "reason: UnmetReason", changed_at
           from plans.referral where plan_item_id = $1 and item_state is not null"#,
        item_id
    )
    .fetch_all(conn)
    .await?;
    let enrolments = enrolments.into_iter().filter_map(|e| enrolment::entity::source(e.state, &e.reason, e.updated_at));
    let referrals = referrals.into_iter().map(|r| Source { state: r.state, reason: r.reason, at: r.changed_at, referral_id: Some(r.referral_id) });
    Ok(enrolments.chain(referrals).collect())
}

/// A referral as its last event told it.
#[derive(Clone, Debug)]
pub struct HeldReferral {
    /// Version of that event.
    pub version: i64,
    /// What it says of its item.
    pub item_state: Option<ItemState>,
    /// Why, where it ended without happening.
    pub item_reason: Option<UnmetReason>,
}

/// A referral we have heard of.
pub async fn referral(conn: &mut PgConnection, referral_id: Uuid) -> Result<Option<HeldReferral>, DbError> {
    Ok(sqlx::query_as!(
        HeldReferral,
        r#"select version, item_state as "item_state: ItemState", item_reason as "item_reason: UnmetReason" from plans.referral where referral_id = $1 for update"#,
        referral_id
    )
    .fetch_optional(conn)
    .await?)
}

/// Keeps what an event said of a referral, where it is newer. Answers whether it is.
pub async fn put_referral(conn: &mut PgConnection, referral_id: Uuid, item_id: Uuid, held: &HeldReferral, at: DateTime<Utc>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.referral as held (referral_id, plan_item_id, version, item_state, item_reason, changed_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (referral_id) do update set plan_item_id = excluded.plan_item_id, version = excluded.version, item_state = excluded.item_state,
             item_reason = excluded.item_reason,
             -- Since when it says so: closing what had ended before does not make it end later.
             changed_at = case when (held.item_state, held.item_reason) is not distinct from (excluded.item_state, excluded.item_reason)
                 then held.changed_at else excluded.changed_at end
         where held.version < excluded.version",
        referral_id,
        item_id,
        held.version,
        held.item_state.map(ItemState::as_str),
        held.item_reason.map(UnmetReason::as_str),
        at
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
