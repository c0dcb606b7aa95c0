//! SQL of plan items, and of what is behind them.

use std::collections::HashMap;

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Arrangement, Band, Item, ItemKind, ItemState, OwnerKind, Sensitivity, Setting, Source, UnmetReason, WarmHandoff};
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

struct Row {
    plan_item_id: Uuid,
    plan_id: Uuid,
    student_id: Uuid,
    school_id: Uuid,
    school_year: i32,
    need_ids: Vec<Uuid>,
    builds_on_codes: Vec<String>,
    kind: ItemKind,
    service_category: String,
    description: String,
    owner: Option<OwnerKind>,
    first_step_owner: Option<OwnerKind>,
    due_on: Option<NaiveDate>,
    state: ItemState,
    ended_reason: Option<UnmetReason>,
    referral_id: Option<Uuid>,
    sensitivity: Sensitivity,
    version: i64,
    setting: Option<Setting>,
    band: Option<Band>,
    owner_id: Option<Uuid>,
    first_step_owner_id: Option<Uuid>,
    warm_handoff: Option<WarmHandoff>,
    priority: i16,
    funding_note: String,
    sessions_per_week: i16,
    minutes_per_session: i16,
    weeks: i16,
    depends_on: Vec<Uuid>,
    waits_for: Vec<Uuid>,
    goal_ids: Vec<Uuid>,
    replaced_by: Option<Uuid>,
    individual_review_id: Option<Uuid>,
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        Self {
            plan_item_id: row.plan_item_id,
            plan_id: row.plan_id,
            student_id: row.student_id,
            school_id: row.school_id,
            school_year: row.school_year,
            need_ids: row.need_ids,
            builds_on_codes: row.builds_on_codes,
            kind: row.kind,
            service_category: row.service_category,
            description: row.description,
            owner: row.owner,
            first_step_owner: row.first_step_owner,
            due_on: row.due_on,
            state: row.state,
            ended_reason: row.ended_reason,
            referral_id: row.referral_id,
            sensitivity: row.sensitivity,
            version: row.version,
            arrangement: Arrangement {
                setting: row.setting,
                band: row.band,
                owner_id: row.owner_id,
                first_step_owner_id: row.first_step_owner_id,
                warm_handoff: row.warm_handoff,
                priority: row.priority,
                funding_note: row.funding_note,
                sessions_per_week: row.sessions_per_week,
                minutes_per_session: row.minutes_per_session,
                weeks: row.weeks,
                depends_on: row.depends_on,
                waits_for: row.waits_for,
                goal_ids: row.goal_ids,
                replaced_by: row.replaced_by,
                individual_review_id: row.individual_review_id,
            },
        }
    }
}

/// Items by id, oldest first.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Item>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select i.plan_item_id, i.plan_id, p.student_id, p.school_id, p.school_year,
                  array(select l.need_id from plans.plan_item_need l where l.plan_item_id = i.plan_item_id order by l.need_id) as "need_ids!",
                  i.builds_on_codes, i.kind as "kind: ItemKind", i.service_category, i.description, i.owner as "owner: OwnerKind",
                  i.first_step_owner as "first_step_owner: OwnerKind", i.due_on, i.state as "state: ItemState", i.ended_reason as "ended_reason: UnmetReason",
                  i.referral_id, i.sensitivity as "sensitivity: Sensitivity", i.version, i.setting as "setting: Setting", i.band as "band: Band",
                  i.owner_id, i.first_step_owner_id, i.warm_handoff as "warm_handoff: WarmHandoff", i.priority, i.funding_note, i.sessions_per_week,
                  i.minutes_per_session, i.weeks, i.replaced_by, i.individual_review_id,
                  array(select d.depends_on_id from plans.plan_item_dependency d where d.plan_item_id = i.plan_item_id order by d.depends_on_id) as "depends_on!",
                  array(select d.depends_on_id from plans.plan_item_dependency d join plans.plan_item o on o.plan_item_id = d.depends_on_id
                        where d.plan_item_id = i.plan_item_id and o.state not in ('in_place', 'done') order by d.depends_on_id) as "waits_for!",
                  array(select g.goal_id from plans.plan_item_goal g where g.plan_item_id = i.plan_item_id order by g.goal_id) as "goal_ids!"
           from plans.plan_item i join plans.plan p using (plan_id) where i.plan_item_id = any($1) order by i.created_at, i.plan_item_id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Item::from).collect())
}

/// Writes how an item is arranged, in words and all.
pub async fn put_arrangement(conn: &mut PgConnection, item: &Item) -> Result<(), DbError> {
    let how = &item.arrangement;
    sqlx::query!(
        "update plans.plan_item set description = $2, owner = $3, first_step_owner = $4, due_on = $5, setting = $6, band = $7, owner_id = $8,
             first_step_owner_id = $9, warm_handoff = $10, priority = $11, funding_note = $12, sessions_per_week = $13, minutes_per_session = $14,
             weeks = $15, individual_review_id = $16, builds_on_codes = $17, service_category = $18
         where plan_item_id = $1",
        item.plan_item_id,
        item.description,
        item.owner.map(OwnerKind::as_str),
        item.first_step_owner.map(OwnerKind::as_str),
        item.due_on,
        how.setting.map(Setting::as_str),
        how.band.map(Band::as_str),
        how.owner_id,
        how.first_step_owner_id,
        how.warm_handoff.map(WarmHandoff::as_str),
        how.priority.clamp(1, 3),
        how.funding_note,
        how.sessions_per_week,
        how.minutes_per_session,
        how.weeks,
        how.individual_review_id,
        &item.builds_on_codes,
        item.service_category
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from plans.plan_item_dependency where plan_item_id = $1 and depends_on_id <> all($2)", item.plan_item_id, &how.depends_on)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into plans.plan_item_dependency (plan_item_id, depends_on_id) select $1, unnest($2::uuid[]) on conflict do nothing",
        item.plan_item_id,
        &how.depends_on
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from plans.plan_item_goal where plan_item_id = $1 and goal_id <> all($2)", item.plan_item_id, &how.goal_ids)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into plans.plan_item_goal (plan_item_id, goal_id) select $1, unnest($2::uuid[]) on conflict do nothing",
        item.plan_item_id,
        &how.goal_ids
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What each item of a plan depends on.
pub async fn dependencies(conn: &mut PgConnection, plan_id: Uuid) -> Result<HashMap<Uuid, Vec<Uuid>>, DbError> {
    let rows = sqlx::query!(
        "select d.plan_item_id, d.depends_on_id from plans.plan_item_dependency d join plans.plan_item i using (plan_item_id) where i.plan_id = $1",
        plan_id
    )
    .fetch_all(conn)
    .await?;
    let mut all: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in rows {
        all.entry(row.plan_item_id).or_default().push(row.depends_on_id);
    }
    Ok(all)
}

/// Lets items that answer one need answer another as well.
pub async fn answer_also(conn: &mut PgConnection, item_ids: &[Uuid], need_id: Uuid) -> Result<(), DbError> {
    sqlx::query!("insert into plans.plan_item_need (plan_item_id, need_id) select unnest($1::uuid[]), $2 on conflict do nothing", item_ids, need_id)
        .execute(conn)
        .await?;
    Ok(())
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
        "update plans.plan_item set state = $2, ended_reason = $3, referral_id = $4, sensitivity = $5, version = $6, replaced_by = $7, updated_at = now()
         where plan_item_id = $1 and version = $6::bigint - 1",
        item.plan_item_id,
        item.state.as_str(),
        item.ended_reason.map(UnmetReason::as_str),
        item.referral_id,
        item.sensitivity.as_str(),
        item.version,
        item.arrangement.replaced_by
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

/// Keeps needs that an item is to answer once they arrive.
pub async fn await_needs(conn: &mut PgConnection, item_id: Uuid, need_ids: &[Uuid]) -> Result<(), DbError> {
    sqlx::query!("insert into plans.awaited_need (need_id, plan_item_id) select unnest($2::uuid[]), $1 on conflict do nothing", item_id, need_ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Links items to needs that were awaited and are there now, in the item's own plan. Answers the items.
pub async fn link_awaited(conn: &mut PgConnection, need_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "with arrived as (
             delete from plans.awaited_need a using plans.need n, plans.plan_item i
             where a.need_id = any($1) and n.need_id = a.need_id and i.plan_item_id = a.plan_item_id and i.plan_id = n.plan_id
             returning a.plan_item_id, a.need_id)
         insert into plans.plan_item_need (plan_item_id, need_id) select plan_item_id, need_id from arrived on conflict do nothing returning plan_item_id",
        need_ids
    )
    .fetch_all(conn)
    .await?)
}

/// Keeps to whom a referral is addressed, and whose it is.
pub async fn address_referral(conn: &mut PgConnection, referral_id: Uuid, partner: Option<Uuid>, student: Uuid, needs: &[Uuid]) -> Result<(), DbError> {
    sqlx::query!("update plans.referral set partner_id = $2, student_id = $3, need_ids = $4 where referral_id = $1", referral_id, partner, student, needs)
        .execute(conn)
        .await?;
    Ok(())
}

/// Lets no item that is less guarded wait for this one any more.
pub async fn part_from_less_guarded(conn: &mut PgConnection, item_id: Uuid, sensitivity: Sensitivity) -> Result<(), DbError> {
    sqlx::query!(
        "delete from plans.plan_item_dependency d using plans.plan_item i
         where d.depends_on_id = $1 and i.plan_item_id = d.plan_item_id and i.sensitivity <> 'protected' and $2 = 'protected'",
        item_id,
        sensitivity.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}
