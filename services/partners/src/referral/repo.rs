//! Referrals in SQL.

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audience::Audience;
use super::entity::{Changed, Referral, Step};
use super::error::ReferralError;
use super::state::State;

/// A row of `partners.referral` with what is joined to it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns")]
pub struct Row {
    pub referral_id: Uuid,
    pub student_id: Uuid,
    pub school_id: Uuid,
    pub need_ids: Vec<Uuid>,
    pub need_codes: Vec<String>,
    pub plan_item_id: Option<Uuid>,
    pub partner_id: Uuid,
    pub service_id: Uuid,
    pub service_category: String,
    pub state: String,
    pub urgency: String,
    pub mode: String,
    pub shared_scopes: Vec<String>,
    pub first_step_owner: String,
    pub requested_by: Uuid,
    pub respond_by: Option<NaiveDate>,
    pub reason: String,
    pub reason_side: String,
    pub outcome: String,
    pub consent_id: Option<Uuid>,
    pub disclosure_id: Option<Uuid>,
    pub recalled: bool,
    pub consent_holds: bool,
    pub holds_place: bool,
    pub waits: bool,
    pub sent_at: Option<DateTime<Utc>>,
    pub opened_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

/// What a draft needs to know of its service.
#[derive(Debug)]
pub struct Offer {
    /// Whose.
    pub partner_id: Uuid,
    /// Category.
    pub category: String,
    /// The partner's sector.
    pub sector: String,
    /// Both are active.
    pub active: bool,
}

/// A service as far as a draft looks at it.
pub async fn offer(conn: &mut PgConnection, service_id: Uuid) -> Result<Option<Offer>, DbError> {
    let found = sqlx::query_as!(
        Offer,
        r#"select s.partner_id, s.category, p.sector, s.status = 'active' and p.status = 'active' as "active!"
           from partners.service as s join partners.partner as p on p.partner_id = s.partner_id where s.service_id = $1"#,
        service_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Stores a draft and its first step.
pub async fn insert(conn: &mut PgConnection, draft: &Changed) -> Result<(), ReferralError> {
    let r = draft.referral();
    sqlx::query!(
        "insert into partners.referral
             (referral_id, student_id, school_id, need_ids, need_codes, plan_item_id, partner_id, service_id, state, urgency, mode,
              shared_scopes, first_step_owner, requested_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)",
        r.referral_id,
        r.student_id,
        r.school_id,
        &r.need_ids,
        &r.need_codes,
        r.plan_item_id,
        r.partner_id,
        r.service_id,
        r.state().as_str(),
        r.urgency.as_str(),
        r.mode.as_str(),
        &r.shared_scopes,
        r.first_step_owner,
        r.requested_by,
        r.created_at,
    )
    .execute(&mut *conn)
    .await?;
    step(conn, r, draft.step()).await?;
    Ok(())
}

/// Stores a change and its step.
pub async fn save(conn: &mut PgConnection, changed: &Changed) -> Result<(), DbError> {
    let r = changed.referral();
    let done = sqlx::query!(
        "update partners.referral
         set state = $3, respond_by = $4, reason = $5, reason_side = $6, outcome = $7, consent_id = $8, disclosure_id = $9, recalled = $10,
             holds_place = $11, waits = $12, sent_at = $13, opened_at = $14, updated_at = $15, version = $2::bigint
         where referral_id = $1 and version = $2::bigint - 1",
        r.referral_id,
        r.version,
        r.state().as_str(),
        r.respond_by,
        r.reason,
        r.reason_side,
        r.outcome_text(),
        r.consent_id,
        r.disclosure_id,
        r.recalled,
        r.holds_place(),
        r.waits(),
        r.sent_at,
        r.opened_at,
        r.updated_at,
    )
    .execute(&mut *conn)
    .await?;
    expect_one(&done)?;
    step(conn, r, changed.step()).await
}

async fn step(conn: &mut PgConnection, referral: &Referral, step: &Step) -> Result<(), DbError> {
    sqlx::query!(
        "insert into partners.referral_step (referral_id, version, at, transition, state, side, reason) values ($1, $2, $3, $4, $5, $6, $7)",
        referral.referral_id,
        referral.version,
        step.at,
        step.transition,
        step.state.as_str(),
        step.side,
        step.reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The steps of a referral, oldest first.
pub async fn steps(conn: &mut PgConnection, referral_id: Uuid) -> Result<Vec<Step>, DbError> {
    let rows =
        sqlx::query!("select at, transition, state, side, reason from partners.referral_step where referral_id = $1 order by version limit 1000", referral_id)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|r| {
            let state = State::read(&r.state).ok_or(DbError::Inconsistent { table: "partners.referral_step", what: "an unknown state" })?;
            Ok(Step { at: r.at, transition: r.transition, state, side: r.side, reason: r.reason })
        })
        .collect()
}

/// Who made the newest step, and which.
pub async fn newest_step(conn: &mut PgConnection, referral: &Referral) -> Result<Option<(String, String)>, DbError> {
    let found =
        sqlx::query!("select transition, side from partners.referral_step where referral_id = $1 and version = $2", referral.referral_id, referral.version)
            .fetch_optional(conn)
            .await?;
    Ok(found.map(|r| (r.transition, r.side)))
}

/// One, for whoever has been let in.
pub async fn load(conn: &mut PgConnection, referral_id: Uuid) -> Result<Option<Referral>, DbError> {
    let everybody = Audience::service();
    Ok(list(conn, &everybody, &Filter { ids: Some(vec![referral_id]), ..Filter::default() }, 1).await?.pop())
}

/// One, to change it.
pub async fn lock(conn: &mut PgConnection, referral_id: Uuid) -> Result<Option<Referral>, DbError> {
    let locked =
        sqlx::query_scalar!("select referral_id from partners.referral where referral_id = $1 for update", referral_id).fetch_optional(&mut *conn).await?;
    if locked.is_none() {
        return Ok(None);
    }
    load(conn, referral_id).await
}

/// Those sent by a consent, locked in the order in which their places are given back.
pub async fn lock_by_consent(conn: &mut PgConnection, consent_id: Uuid) -> Result<Vec<Referral>, DbError> {
    let ids = sqlx::query_scalar!("select referral_id from partners.referral where consent_id = $1 order by service_id, referral_id for update", consent_id)
        .fetch_all(&mut *conn)
        .await?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(load(conn, id).await?);
    }
    Ok(found)
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// These only.
    pub ids: Option<Vec<Uuid>>,
    /// Of a student.
    pub student_id: Option<Uuid>,
    /// Of a school.
    pub school_id: Option<Uuid>,
    /// In these states.
    pub states: Option<Vec<String>>,
    /// Changed since.
    pub since: Option<DateTime<Utc>>,
    /// After this one, newest first.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// Referrals that an audience may see, newest first. The one statement that lists, gets and watches all go through.
pub async fn list(conn: &mut PgConnection, audience: &Audience, filter: &Filter, limit: i64) -> Result<Vec<Referral>, DbError> {
    let (after_time, after_id) = filter.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"select r.referral_id, r.student_id, r.school_id, r.need_ids, r.need_codes, r.plan_item_id, r.partner_id, r.service_id,
                  s.category as service_category, r.state, r.urgency, r.mode, r.shared_scopes, r.first_step_owner, r.requested_by, r.respond_by,
                  r.reason, r.reason_side, r.outcome, r.consent_id, r.disclosure_id, r.recalled,
                  coalesce(c.revoked_at is null and current_date between c.valid_from and c.expires_on, true) as "consent_holds!",
                  r.holds_place, r.waits, r.sent_at, r.opened_at, r.created_at, r.updated_at, r.version
           from partners.referral as r
           join partners.service as s on s.service_id = r.service_id
           left join partners.consent as c on c.consent_id = r.consent_id
           where ($1::uuid[] is null or r.referral_id = any ($1))
             and ($2::uuid is null or r.student_id = $2)
             and ($3::uuid is null or r.school_id = $3)
             and ($4::text[] is null or r.state = any ($4))
             and ($5::timestamptz is null or r.updated_at >= $5)
             and ($6::timestamptz is null or (r.created_at, r.referral_id) < ($6, $7::uuid))
             -- A partner's side: what was sent to it, and nothing that shares nothing.
             and ($8::uuid is null or (r.partner_id = $8 and r.mode = 'normal' and r.sent_at is not null))
             -- The school's side: students of one's schools and classes as the roster has them.
             and ($8::uuid is not null or $9 or exists (
                   select 1 from partners.relationship as n
                   where n.subject = r.student_id
                     and (n.relation = 'attends' and n.object = any ($10::uuid[]) or n.relation = 'member' and n.object = any ($11::uuid[]))))
             -- Protected ones: those on the case.
             and (r.mode <> 'protected' or $12 or r.student_id = any ($14::uuid[]) or exists (
                   select 1 from partners.relationship as n where n.subject = r.student_id and n.relation = 'attends' and n.object = any ($13::uuid[])))
           order by r.created_at desc, r.referral_id desc
           limit $15"#,
        filter.ids.as_deref(),
        filter.student_id,
        filter.school_id,
        filter.states.as_deref(),
        filter.since,
        after_time,
        after_id,
        audience.partner,
        audience.everything,
        &audience.schools,
        &audience.classes,
        audience.protected_everywhere,
        &audience.protected_schools,
        &audience.protected_students,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Referral::read).collect()
}
