//! SQL of needs.

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Certainty, Domain, Need, NeedState, Sensitivity, UnmetReason};
use crate::sight::{Sight, Whose};

/// A need as a review recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub need_id: Uuid,
    /// Code.
    pub code: String,
    /// Domain.
    pub domain: Domain,
    /// 1 to 3.
    pub severity: i16,
    /// How sure.
    pub certainty: Certainty,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// Where recorded needs come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The plan they go to.
    pub plan_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// The class review.
    pub class_review_id: Uuid,
    /// Whether the message is one of protected needs.
    pub protected: bool,
}

/// Stores what a review recorded; a need it once called off is open again. A protected need that is still one is never
/// lowered by a general message. Answers which needs changed.
pub async fn record(conn: &mut PgConnection, origin: Origin, needs: &[Recorded]) -> Result<Vec<Uuid>, DbError> {
    let ids: Vec<Uuid> = needs.iter().map(|n| n.need_id).collect();
    let codes: Vec<String> = needs.iter().map(|n| n.code.clone()).collect();
    let domains: Vec<String> = needs.iter().map(|n| n.domain.as_str().to_owned()).collect();
    let severities: Vec<i16> = needs.iter().map(|n| n.severity).collect();
    let certainties: Vec<String> = needs.iter().map(|n| n.certainty.as_str().to_owned()).collect();
    let sensitivities: Vec<String> = needs.iter().map(|n| n.sensitivity.as_str().to_owned()).collect();
    let times: Vec<DateTime<Utc>> = needs.iter().map(|n| n.recorded_at).collect();
    Ok(sqlx::query_scalar!(
        "insert into plans.need as held (need_id, plan_id, student_id, class_review_id, code, domain, severity, certainty, sensitivity, recorded_at)
         select need_id, $1, $2, $3, code, domain, severity, certainty, sensitivity, recorded_at
         from unnest($4::uuid[], $5::text[], $6::text[], $7::smallint[], $8::text[], $9::text[], $10::timestamptz[])
              as new(need_id, code, domain, severity, certainty, sensitivity, recorded_at)
         on conflict (need_id) do update set
             code = excluded.code, domain = excluded.domain, severity = excluded.severity, certainty = excluded.certainty, sensitivity = excluded.sensitivity,
             state = case when held.judged_by = 'review' then 'open' else held.state end,
             judged_by = case when held.judged_by = 'review' then '' else held.judged_by end,
             version = held.version + 1, updated_at = now()
         where held.student_id = excluded.student_id
           and ($11 or held.sensitivity <> 'protected' or held.judged_by = 'review')
           and (held.judged_by = 'review' or (held.code, held.domain, held.severity, held.certainty, held.sensitivity)
                is distinct from (excluded.code, excluded.domain, excluded.severity, excluded.certainty, excluded.sensitivity))
         returning need_id",
        origin.plan_id,
        origin.student_id,
        origin.class_review_id,
        &ids,
        &codes,
        &domains,
        &severities,
        &certainties,
        &sensitivities,
        &times,
        origin.protected
    )
    .fetch_all(conn)
    .await?)
}

/// Needs of a class review that its newer version no longer has, and that nobody judged, are no longer needs. Answers which.
pub async fn call_off_missing(conn: &mut PgConnection, origin: Origin, kept: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "update plans.need set state = 'no_longer', judged_by = 'review', judged_at = now(), version = version + 1, updated_at = now()
         where class_review_id = $1 and student_id = $2 and (sensitivity = 'protected') = $3 and need_id <> all($4)
           and state in ('open', 'being_addressed')
         returning need_id",
        origin.class_review_id,
        origin.student_id,
        origin.protected,
        kept
    )
    .fetch_all(conn)
    .await?)
}

/// Needs by id, oldest first.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Need>, DbError> {
    Ok(sqlx::query_as!(
        Need,
        r#"select n.need_id, n.plan_id, n.student_id, p.school_id, p.school_year, n.code, n.domain as "domain: Domain", n.severity, n.certainty as "certainty: Certainty",
                  n.sensitivity as "sensitivity: Sensitivity", n.state as "state: NeedState", n.recorded_at, n.has_item_in_place, n.all_items_ended,
                  n.last_reason as "last_reason: UnmetReason", n.version
           from plans.need n join plans.plan p using (plan_id) where n.need_id = any($1) order by n.recorded_at, n.need_id"#,
        ids
    )
    .fetch_all(conn)
    .await?)
}

/// Needs of a plan, oldest first.
pub async fn of_plan(conn: &mut PgConnection, plan_id: Uuid) -> Result<Vec<Need>, DbError> {
    let ids = sqlx::query_scalar!("select need_id from plans.need where plan_id = $1", plan_id).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// The plan of a need.
pub async fn plan_of(conn: &mut PgConnection, need_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select plan_id from plans.need where need_id = $1", need_id).fetch_optional(conn).await?)
}

/// Whose need it is.
pub async fn student_of(conn: &mut PgConnection, need_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select student_id from plans.need where need_id = $1", need_id).fetch_optional(conn).await?)
}

/// Writes somebody's judgement.
pub async fn settle_by_staff(conn: &mut PgConnection, need_id: Uuid, state: NeedState) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.need set state = $2, judged_by = 'staff', judged_at = now(), version = version + 1, updated_at = now() where need_id = $1",
        need_id,
        state.as_str()
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Writes what the closing of a referral came to, unless somebody judged later. Answers which needs changed.
pub async fn settle_by_referral(
    conn: &mut PgConnection,
    student_id: Uuid,
    need_ids: &[Uuid],
    state: NeedState,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "update plans.need set state = $3, judged_by = 'referral', judged_at = $4, version = version + 1, updated_at = now()
         where student_id = $1 and need_id = any($2) and state <> 'no_longer' and (judged_at is null or judged_at < $4) and state <> $3
         returning need_id",
        student_id,
        need_ids,
        state.as_str(),
        at
    )
    .fetch_all(conn)
    .await?)
}

/// Whether deriving is a change of its own or part of one that raised the version already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A change of its own.
    Raise,
    /// Part of another.
    AlreadyRaised,
}

/// Derives what the items of needs come to, and the state of those that nobody settled. Answers which needs changed.
pub async fn derive(conn: &mut PgConnection, need_ids: &[Uuid], version: Version) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "with facts as (
             select n.need_id,
                    coalesce(bool_or(i.state in ('in_place', 'done')), false) as has_item_in_place,
                    coalesce(bool_or(i.state = 'in_place'), false) as in_place,
                    coalesce(bool_and(i.state in ('declined_by_family', 'not_available', 'withdrawn', 'replaced')), false) as all_items_ended,
                    coalesce((array_agg(coalesce(i.ended_reason, 'not_yet_arranged') order by i.created_at desc, i.plan_item_id desc)
                              filter (where i.plan_item_id is not null))[1], 'not_yet_arranged') as last_reason
             from plans.need n left join plans.plan_item_need l using (need_id) left join plans.plan_item i using (plan_item_id)
             where n.need_id = any($1) group by n.need_id),
         wanted as (
             select f.*, case when n.state not in ('open', 'being_addressed') then n.state when f.in_place then 'being_addressed' else 'open' end as state
             from facts f join plans.need n using (need_id))
         update plans.need n set state = w.state, has_item_in_place = w.has_item_in_place, all_items_ended = w.all_items_ended, last_reason = w.last_reason,
                version = version + $2, updated_at = now()
         from wanted w
         where n.need_id = w.need_id
           and (n.state, n.has_item_in_place, n.all_items_ended, n.last_reason) is distinct from (w.state, w.has_item_in_place, w.all_items_ended, w.last_reason)
         returning n.need_id",
        need_ids,
        i64::from(version == Version::Raise)
    )
    .fetch_all(conn)
    .await?)
}

/// Keeps needs as they are now in the history. The first line of a need counts from when it was recorded.
pub async fn remember(conn: &mut PgConnection, need_ids: &[Uuid], by: &str) -> Result<(), DbError> {
    sqlx::query!(
        "insert into plans.need_change (need_id, version, state, has_item_in_place, all_items_ended, last_reason, changed_by, changed_at)
         select need_id, version, state, has_item_in_place, all_items_ended, last_reason, $2, case when version = 1 then least(recorded_at, now()) else now() end
         from plans.need where need_id = any($1)
         on conflict do nothing",
        need_ids,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which unmet needs.
#[derive(Clone, Debug)]
pub struct UnmetQuery<'q> {
    /// Whose.
    pub whose: &'q Whose,
    /// What of their needs may be seen.
    pub sight: &'q Sight,
    /// Only this domain.
    pub domain: Option<Domain>,
    /// Unmet as of this day.
    pub as_of: NaiveDate,
    /// Setting.
    pub unmet_after: i32,
    /// Needs after this one, oldest first.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// How many.
    pub limit: i64,
}

/// Needs that were unmet at the end of a day, as they were then, oldest first.
pub async fn list_unmet(conn: &mut PgConnection, query: &UnmetQuery<'_>) -> Result<Vec<Need>, DbError> {
    let (after_time, after_id) = query.after.unzip();
    Ok(sqlx::query_as!(
        Need,
        r#"select n.need_id, n.plan_id, n.student_id, p.school_id, p.school_year, n.code, n.domain as "domain: Domain", n.severity, n.certainty as "certainty: Certainty",
                  n.sensitivity as "sensitivity: Sensitivity", c.state as "state: NeedState", n.recorded_at, c.has_item_in_place, c.all_items_ended,
                  c.last_reason as "last_reason: UnmetReason", n.version
           from plans.need n join plans.plan p using (plan_id)
           cross join lateral (
               select h.state, h.has_item_in_place, h.all_items_ended, h.last_reason from plans.need_change h
               where h.need_id = n.need_id and h.changed_at < ($1::date + 1)::timestamp::timestamptz order by h.version desc limit 1) c
           where plans.unmet_reason(c.state, c.has_item_in_place, c.all_items_ended, c.last_reason, n.recorded_at::date, $1, $2) is not null
             and ($3::text is null or n.domain = $3)
             and ($4::timestamptz is null or (n.recorded_at, n.need_id) > ($4, $5::uuid))
             and ($6 or exists (select from plans.relationship r where r.subject = n.student_id and r.relation in ('attends', 'member') and r.object = any($7::uuid[])))
             and case n.sensitivity
                 when 'general' then true
                 when 'restricted' then n.domain = any($8::text[]) or exists (
                     select from plans.relationship r join unnest($9::uuid[], $10::text[]) as seen(place, domain) on seen.place = r.object
                     where r.subject = n.student_id and r.relation in ('attends', 'member') and seen.domain = n.domain)
                 else $11 or n.student_id = any($14::uuid[]) or exists (
                     select from plans.relationship r where r.subject = n.student_id and r.relation in ('attends', 'member') and r.object = any($12::uuid[]))
             end
           order by n.recorded_at, n.need_id limit $13"#,
        query.as_of,
        query.unmet_after,
        query.domain.map(Domain::as_str),
        after_time,
        after_id,
        query.whose.everything,
        &query.whose.places,
        &query.sight.restricted_everywhere,
        &query.sight.restricted_places,
        &query.sight.restricted_domains,
        query.sight.protected_everywhere,
        &query.sight.protected_places,
        query.limit,
        &query.sight.protected_students
    )
    .fetch_all(conn)
    .await?)
}

/// A need that is understood as another now is no longer one. Answers whether it was.
pub async fn supersede(conn: &mut PgConnection, student_id: Uuid, need_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "update plans.need set state = 'no_longer', judged_by = 'review', judged_at = now(), version = version + 1, updated_at = now()
         where need_id = $1 and student_id = $2 and state <> 'no_longer'",
        need_id,
        student_id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Needs that are still open follow a student into the plan of the next year. Answers which. Their items stay where they are.
pub async fn carry_over(conn: &mut PgConnection, from_plan: Uuid, to_plan: Uuid) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "update plans.need set plan_id = $2, version = version + 1, updated_at = now()
         where plan_id = $1 and state in ('open', 'being_addressed', 'partly_met', 'not_met')
         returning need_id",
        from_plan,
        to_plan
    )
    .fetch_all(conn)
    .await?)
}

/// Needs of a student in every plan, oldest first.
pub async fn of_student(conn: &mut PgConnection, student_id: Uuid) -> Result<Vec<Need>, DbError> {
    let ids = sqlx::query_scalar!("select need_id from plans.need where student_id = $1", student_id).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// Needs of these students that are open or being addressed.
pub async fn open_of_students(conn: &mut PgConnection, student_ids: &[Uuid]) -> Result<Vec<Need>, DbError> {
    let ids = sqlx::query_scalar!("select need_id from plans.need where student_id = any($1) and state in ('open', 'being_addressed')", student_ids)
        .fetch_all(&mut *conn)
        .await?;
    by_ids(conn, &ids).await
}
