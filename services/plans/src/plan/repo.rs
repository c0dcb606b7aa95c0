//! SQL of plans.

use std::collections::HashMap;

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{FamilyAnswer, FamilyResponse, Header, Plan, PlanState, Tier};
use crate::sight::{Sight, Whose};

/// Whose plan, where and when.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// Whose.
    pub student_id: Uuid,
    /// Where the student was reviewed.
    pub school_id: Uuid,
    /// Year in which the school year ends.
    pub school_year: i32,
    /// When the review said so.
    pub reviewed_at: DateTime<Utc>,
}

/// Makes the draft where there is none, and locks the plan. Answers whether it is new.
pub async fn ensure(conn: &mut PgConnection, owner: Owner) -> Result<(Plan, bool), DbError> {
    let made = sqlx::query!(
        "insert into plans.plan (plan_id, student_id, school_id, school_year, tier, reviewed_at)
         values ($1, $2, $3, $4, (select tier from plans.student_tier where student_id = $2 and school_year = $4), $5)
         on conflict on constraint plan_student_id_school_year_key do nothing",
        Uuid::now_v7(),
        owner.student_id,
        owner.school_id,
        owner.school_year,
        owner.reviewed_at
    )
    .execute(&mut *conn)
    .await?;
    let plan_id = sqlx::query_scalar!("select plan_id from plans.plan where student_id = $1 and school_year = $2", owner.student_id, owner.school_year)
        .fetch_one(&mut *conn)
        .await?;
    let plan = lock(conn, plan_id).await?.ok_or(DbError::Inconsistent { table: "plans.plan", what: "a plan that was there is gone" })?;
    Ok((plan, made.rows_affected() == 1))
}

/// Follows a student to another school, where this review is newer. Answers whether anything changed.
pub async fn follow_school(conn: &mut PgConnection, plan_id: Uuid, owner: Owner) -> Result<bool, DbError> {
    let moved = sqlx::query!(
        "update plans.plan set school_id = $2, reviewed_at = $3, version = version + 1, updated_at = now()
         where plan_id = $1 and reviewed_at < $3 and school_id <> $2",
        plan_id,
        owner.school_id,
        owner.reviewed_at
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update plans.plan set reviewed_at = $2 where plan_id = $1 and reviewed_at < $2", plan_id, owner.reviewed_at).execute(conn).await?;
    Ok(moved.rows_affected() == 1)
}

/// Puts together the strengths and interests of every class review of the plan.
pub async fn gather_codes(conn: &mut PgConnection, plan_id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "update plans.plan set
             strength_codes = (select coalesce(array_agg(distinct code order by code), '{}') from plans.review_source s, unnest(s.strength_codes) as code where s.plan_id = $1),
             interest_codes = (select coalesce(array_agg(distinct code order by code), '{}') from plans.review_source s, unnest(s.interest_codes) as code where s.plan_id = $1)
         where plan_id = $1",
        plan_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the newest tier of a student; the plan takes it while it is a draft, or where it had none.
pub async fn put_tier(
    conn: &mut PgConnection,
    student_id: Uuid,
    school_year: i32,
    tier: Tier,
    effective_at: DateTime<Utc>,
    assignment: Uuid,
) -> Result<(), DbError> {
    let newer = sqlx::query!(
        "insert into plans.student_tier as held (student_id, school_year, tier, effective_at, tier_assignment_id) values ($1, $2, $3, $4, $5)
         on conflict (student_id, school_year) do update set tier = excluded.tier, effective_at = excluded.effective_at, tier_assignment_id = excluded.tier_assignment_id
         where (held.effective_at, held.tier_assignment_id) < (excluded.effective_at, excluded.tier_assignment_id)",
        student_id,
        school_year,
        tier.as_str(),
        effective_at,
        assignment
    )
    .execute(&mut *conn)
    .await?;
    if newer.rows_affected() == 1 {
        sqlx::query!(
            "update plans.plan set tier = $3 where student_id = $1 and school_year = $2 and (state = 'draft' or tier is null)",
            student_id,
            school_year,
            tier.as_str()
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// A plan, locked. Every write to what is in a plan takes this lock first, so that what is derived is derived from all.
pub async fn lock(conn: &mut PgConnection, plan_id: Uuid) -> Result<Option<Plan>, DbError> {
    Ok(sqlx::query_as!(
        Plan,
        r#"select plan_id, student_id, school_id, school_year, state as "state: PlanState", tier as "tier: Tier", strength_codes, interest_codes, close_reason, version, created_at
           from plans.plan where plan_id = $1 for update"#,
        plan_id
    )
    .fetch_optional(conn)
    .await?)
}

/// The plan of a student in a year, or the latest.
pub async fn of_student(conn: &mut PgConnection, student_id: Uuid, school_year: Option<i32>) -> Result<Option<Plan>, DbError> {
    Ok(sqlx::query_as!(
        Plan,
        r#"select plan_id, student_id, school_id, school_year, state as "state: PlanState", tier as "tier: Tier", strength_codes, interest_codes, close_reason, version, created_at
           from plans.plan where student_id = $1 and ($2::integer is null or school_year = $2) order by school_year desc limit 1"#,
        student_id,
        school_year
    )
    .fetch_optional(conn)
    .await?)
}

/// Whose plan it is.
pub async fn student_of(conn: &mut PgConnection, plan_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select student_id from plans.plan where plan_id = $1", plan_id).fetch_optional(conn).await?)
}

/// Writes a plan's state over the version before it.
pub async fn update(conn: &mut PgConnection, plan: &Plan) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.plan set state = $2, close_reason = $3, version = $4, updated_at = now() where plan_id = $1 and version = $4::bigint - 1",
        plan.plan_id,
        plan.state.as_str(),
        plan.close_reason,
        plan.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// One plan of a list.
#[derive(Clone, Debug)]
pub struct ListedPlan {
    /// The plan.
    pub plan: Plan,
    /// Needs that may be seen.
    pub need_count: i64,
    /// Of these, unmet today.
    pub unmet_need_count: i64,
}

/// Which plans.
#[derive(Clone, Debug)]
pub struct ListQuery<'q> {
    /// Whose.
    pub whose: &'q Whose,
    /// What of their needs may be counted.
    pub sight: &'q Sight,
    /// Year in which the school year ends.
    pub school_year: i32,
    /// Setting.
    pub unmet_after: i32,
    /// Plans after this one.
    pub after: Option<Uuid>,
    /// How many.
    pub limit: i64,
}

/// Plans of students in a place, with counts of what may be seen.
pub async fn list(conn: &mut PgConnection, query: &ListQuery<'_>) -> Result<Vec<ListedPlan>, DbError> {
    let rows = sqlx::query!(
        r#"with page as (
               select * from plans.plan p
               where p.school_year = $1 and ($2::uuid is null or p.plan_id > $2)
                 and ($3 or exists (select from plans.relationship r where r.subject = p.student_id and r.relation in ('attends', 'member') and r.object = any($4::uuid[])))
               order by p.plan_id limit $5)
           select p.plan_id, p.student_id, p.school_id, p.school_year, p.state as "state: PlanState", p.tier as "tier: Tier", p.strength_codes, p.interest_codes,
                  p.close_reason, p.version, p.created_at, n.needs as "needs!", n.unmet as "unmet!"
           from page p
           cross join lateral (
               select count(*) as needs,
                      count(plans.unmet_reason(n.state, n.has_item_in_place, n.all_items_ended, n.last_reason, n.recorded_at::date, current_date, $6)) as unmet
               from plans.need n
               where n.plan_id = p.plan_id and case n.sensitivity
                   when 'general' then true
                   when 'restricted' then n.domain = any($7::text[]) or exists (
                       select from plans.relationship r join unnest($8::uuid[], $9::text[]) as seen(place, domain) on seen.place = r.object
                       where r.subject = n.student_id and r.relation in ('attends', 'member') and seen.domain = n.domain)
                   else $10 or n.student_id = any($12::uuid[]) or exists (
                       select from plans.relationship r where r.subject = n.student_id and r.relation in ('attends', 'member') and r.object = any($11::uuid[]))
               end) n
           order by p.plan_id"#,
        query.school_year,
        query.after,
        query.whose.everything,
        &query.whose.places,
        query.limit,
        query.unmet_after,
        &query.sight.restricted_everywhere,
        &query.sight.restricted_places,
        &query.sight.restricted_domains,
        query.sight.protected_everywhere,
        &query.sight.protected_places,
        &query.sight.protected_students
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| ListedPlan {
            plan: Plan {
                plan_id: r.plan_id,
                student_id: r.student_id,
                school_id: r.school_id,
                school_year: r.school_year,
                state: r.state,
                tier: r.tier,
                strength_codes: r.strength_codes,
                interest_codes: r.interest_codes,
                close_reason: r.close_reason,
                version: r.version,
                created_at: r.created_at,
            },
            need_count: r.needs,
            unmet_need_count: r.unmet,
        })
        .collect())
}

/// The headers of plans.
pub async fn headers(conn: &mut PgConnection, plan_ids: &[Uuid]) -> Result<HashMap<Uuid, Header>, DbError> {
    let rows = sqlx::query!(
        r#"select plan_id, lead_id, contributor_ids, trusted_adults, family_words, family_words_by, next_look_on, languages,
                  family_response as "family_response: FamilyResponse", family_responded_on, carried_from_plan_id
           from plans.plan where plan_id = any($1)"#,
        plan_ids
    )
    .fetch_all(conn)
    .await?;
    let wrong = |_| DbError::Inconsistent { table: "plans.plan", what: "trusted_adults" };
    let read = rows.into_iter().map(|r| {
        let header = Header {
            lead_id: r.lead_id,
            contributor_ids: r.contributor_ids,
            trusted_adults: serde_json::from_value(r.trusted_adults).map_err(wrong)?,
            family_words: r.family_words,
            family_words_by: r.family_words_by,
            next_look_on: r.next_look_on,
            languages: r.languages,
            family_response: r.family_response,
            family_responded_on: r.family_responded_on,
            carried_from_plan_id: r.carried_from_plan_id,
        };
        Ok((r.plan_id, header))
    });
    read.collect()
}

/// The header of one plan.
pub async fn header(conn: &mut PgConnection, plan_id: Uuid) -> Result<Header, DbError> {
    Ok(headers(conn, &[plan_id]).await?.remove(&plan_id).unwrap_or_default())
}

/// Writes what people write at the head of a plan; what the family answered stays.
pub async fn put_header(conn: &mut PgConnection, plan_id: Uuid, version: i64, header: &Header) -> Result<(), DbError> {
    let adults = serde_json::to_value(&header.trusted_adults).map_err(|_| DbError::Inconsistent { table: "plans.plan", what: "trusted_adults" })?;
    let done = sqlx::query!(
        "update plans.plan set lead_id = $3, contributor_ids = $4, trusted_adults = $5, family_words = $6, family_words_by = $7, next_look_on = $8,
             languages = $9, version = $2, updated_at = now()
         where plan_id = $1 and version = $2::bigint - 1",
        plan_id,
        version,
        header.lead_id,
        &header.contributor_ids,
        adults,
        header.family_words,
        header.family_words_by,
        header.next_look_on,
        &header.languages
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Keeps an answer of the family, the newest on the plan itself.
pub async fn put_answer(conn: &mut PgConnection, plan_id: Uuid, version: i64, answer: &FamilyAnswer) -> Result<(), DbError> {
    sqlx::query!(
        "insert into plans.family_answer (plan_id, response, answered_on, channel, language, interpreter, words, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        plan_id,
        answer.response.as_str(),
        answer.answered_on,
        answer.channel,
        answer.language,
        answer.interpreter,
        answer.words,
        answer.recorded_by
    )
    .execute(&mut *conn)
    .await?;
    let done = sqlx::query!(
        "update plans.plan set family_response = $3, family_responded_on = $4, version = $2, updated_at = now()
         where plan_id = $1 and version = $2::bigint - 1",
        plan_id,
        version,
        answer.response.as_str(),
        answer.answered_on
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// What the family answered, newest first.
pub async fn answers(conn: &mut PgConnection, plan_id: Uuid) -> Result<Vec<FamilyAnswer>, DbError> {
    Ok(sqlx::query_as!(
        FamilyAnswer,
        r#"select response as "response: FamilyResponse", answered_on, channel, language, interpreter, words, recorded_by, recorded_at
           from plans.family_answer where plan_id = $1 order by family_answer_id desc limit 100"#,
        plan_id
    )
    .fetch_all(conn)
    .await?)
}

/// Whether an item of the plan that goes on leaves the school. Protected ones have rules of their own, and a refusal must not tell of
/// them.
pub async fn leaves_school(conn: &mut PgConnection, plan_id: Uuid) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from plans.plan_item where plan_id = $1 and state in ('planned', 'arranging', 'in_place')
               and (kind = 'referral' or owner = 'partner' or setting = 'community') and sensitivity <> 'protected') as "leaves!""#,
        plan_id
    )
    .fetch_one(conn)
    .await?)
}

/// When to look at a plan next, where nobody said so.
pub async fn look_next(conn: &mut PgConnection, plan_id: Uuid, on: NaiveDate) -> Result<(), DbError> {
    sqlx::query!("update plans.plan set next_look_on = $2 where plan_id = $1 and next_look_on is null", plan_id, on).execute(conn).await?;
    Ok(())
}

/// The draft of the year after, made from a plan where there is none; locked. Answers whether it is new.
pub async fn draft_of_next_year(conn: &mut PgConnection, old: &Plan) -> Result<(Plan, bool), DbError> {
    let made = sqlx::query!(
        "insert into plans.plan (plan_id, student_id, school_id, school_year, tier, reviewed_at, strength_codes, interest_codes, lead_id, contributor_ids,
             trusted_adults, family_words, family_words_by, languages, carried_from_plan_id)
         select $1, student_id, school_id, school_year + 1, tier, reviewed_at, strength_codes, interest_codes, lead_id, contributor_ids, trusted_adults,
             family_words, family_words_by, languages, plan_id
         from plans.plan where plan_id = $2
         on conflict on constraint plan_student_id_school_year_key do nothing",
        Uuid::now_v7(),
        old.plan_id
    )
    .execute(&mut *conn)
    .await?;
    let plan_id = sqlx::query_scalar!("select plan_id from plans.plan where student_id = $1 and school_year = $2", old.student_id, old.school_year + 1)
        .fetch_one(&mut *conn)
        .await?;
    // A review of the new year may have made the draft already: it is linked, and keeps what it has.
    let linked = sqlx::query!(
        "update plans.plan set carried_from_plan_id = $2 where plan_id = $1 and carried_from_plan_id is null and state = 'draft'",
        plan_id,
        old.plan_id
    )
    .execute(&mut *conn)
    .await?;
    let plan = lock(conn, plan_id).await?.ok_or(DbError::Inconsistent { table: "plans.plan", what: "a plan that was there is gone" })?;
    Ok((plan, made.rows_affected() + linked.rows_affected() > 0))
}
