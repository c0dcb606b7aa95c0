//! SQL of individual reviews.

use chassis_pg::{DbError, expect_one};
use chassis_rpc::PageRequest;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::entity::{Decision, Finding, IndividualReview, Invitation, Member};
use crate::case_access::sight::{Listed, Place, Reach};
use crate::words::{FamilyVoice, IndividualReviewState, Trigger, domain_word, read_domain, read_sensitivity};

/// A finding as the table keeps it.
#[derive(Serialize, Deserialize)]
struct KeptFinding {
    domain: String,
    text: String,
}

struct Row {
    individual_review_id: Uuid,
    student_id: Uuid,
    school_id: Uuid,
    school_year: i32,
    state: String,
    held_state: Option<String>,
    trigger: String,
    concern_id: Option<Uuid>,
    sensitivity: String,
    lead_id: Option<Uuid>,
    team: Json<Vec<Member>>,
    invitation: Option<Json<Invitation>>,
    meets_on: Option<NaiveDate>,
    held_on: Option<NaiveDate>,
    family_voice: Option<String>,
    family_words: String,
    findings: Json<Vec<KeptFinding>>,
    decisions: Json<Vec<Decision>>,
    review_on: Option<NaiveDate>,
    look_again_on: Option<NaiveDate>,
    reason: String,
    seconded_by: Option<Uuid>,
    opened_by: Uuid,
    opened_at: DateTime<Utc>,
    version: i64,
    schools: Vec<Uuid>,
    rank: i32,
    at: i64,
}

impl TryFrom<Row> for Listed<IndividualReview> {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let mut findings = Vec::with_capacity(row.findings.len());
        for kept in row.findings.0 {
            findings.extend(read_domain(&kept.domain)?.map(|domain| Finding { domain, text: kept.text }));
        }
        let record = IndividualReview {
            id: row.individual_review_id,
            student_id: row.student_id,
            school_id: row.school_id,
            school_year: row.school_year,
            state: IndividualReviewState::read(&row.state)?,
            held_state: row.held_state.as_deref().map(IndividualReviewState::read).transpose()?,
            trigger: Trigger::read(&row.trigger)?,
            concern_id: row.concern_id,
            sensitivity: read_sensitivity(&row.sensitivity)?,
            lead_id: row.lead_id,
            team: row.team.0,
            invitation: row.invitation.map(|i| i.0),
            meets_on: row.meets_on,
            held_on: row.held_on,
            family_voice: row.family_voice.as_deref().map(FamilyVoice::read).transpose()?,
            family_words: row.family_words,
            findings,
            decisions: row.decisions.0,
            review_on: row.review_on,
            look_again_on: row.look_again_on,
            reason: row.reason,
            seconded_by: row.seconded_by,
            opened_by: row.opened_by,
            opened_at: row.opened_at,
            version: row.version,
        };
        Ok(Self { record, schools: row.schools, place: Place { rank: row.rank, at: row.at, id: row.individual_review_id } })
    }
}

/// Individual reviews with the schools of their students and their place in lists, by the rest of a statement.
macro_rules! reviews {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"select i.individual_review_id, i.student_id, i.school_id, i.school_year, i.state, i.held_state, i.trigger, i.concern_id,
                   i.sensitivity, i.lead_id, i.team as "team: Json<Vec<Member>>", i.invitation as "invitation: Json<Invitation>", i.meets_on,
                   i.held_on, i.family_voice, i.family_words, i.findings as "findings: Json<Vec<KeptFinding>>",
                   i.decisions as "decisions: Json<Vec<Decision>>", i.review_on, i.look_again_on, i.reason, i.seconded_by, i.opened_by,
                   i.opened_at, i.version,
                   array(select r.object from reviews.relationship r where r.subject = i.student_id and r.relation = 'attends' order by 1) as "schools!",
                   p.rank as "rank!", p.at as "at!"
               from reviews.individual_review i
               cross join lateral (
                   select case when i.state in ('not_needed', 'closed') then 1 else 0 end as rank,
                       case when i.state in ('not_needed', 'closed') then -(extract(epoch from i.opened_at) * 1000000)::bigint
                           else (i.next_on - date '2000-01-01')::bigint end as at
               ) p "#
                + $rest
            $(, $argument)*
        )
    };
}

/// One individual review.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<IndividualReview>, DbError> {
    one(reviews!("where i.individual_review_id = $1", id).fetch_optional(conn).await?)
}

/// The open one of a student, of the protected ones or of the others.
pub(super) async fn find_open(conn: &mut PgConnection, student_id: Uuid, protected: bool) -> Result<Option<IndividualReview>, DbError> {
    let row = reviews!("where i.student_id = $1 and (i.sensitivity = 'protected') = $2 and i.state not in ('not_needed', 'closed')", student_id, protected);
    one(row.fetch_optional(conn).await?)
}

fn one(row: Option<Row>) -> Result<Option<IndividualReview>, DbError> {
    row.map(|row| Listed::try_from(row).map(|listed| listed.record)).transpose()
}

/// Takes the row's lock, so that what is read after it is what is decided on.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    sqlx::query!("select individual_review_id from reviews.individual_review where individual_review_id = $1 for update", id).fetch_optional(conn).await?;
    Ok(())
}

/// Open ones by what is next due, then the ended ones newest first.
pub(super) async fn list(conn: &mut PgConnection, reach: &Reach, open_only: bool, page: &PageRequest<Place>) -> Result<Vec<Listed<IndividualReview>>, DbError> {
    let rows = reviews!(
        "where ($1::uuid is null or i.student_id = $1)
           and ($2 or exists (select from reviews.relationship r
                              where r.subject = i.student_id and r.relation in ('attends', 'member') and r.object = any($3)))
           and (i.sensitivity <> 'protected' or $4 or i.student_id = any($5)
                or exists (select from reviews.relationship r
                           where r.subject = i.student_id and r.relation = 'attends' and r.object = any($6)))
           and (not $7 or p.rank = 0)
           and ($8::integer is null or (p.rank, p.at, i.individual_review_id) > ($8, $9, $10))
         order by p.rank, p.at, i.individual_review_id limit $11",
        reach.student,
        reach.everything,
        &reach.places,
        reach.protected_everywhere,
        &reach.protected_students,
        &reach.protected_schools,
        open_only,
        page.after.map(|p| p.rank),
        page.after.map(|p| p.at),
        page.after.map(|p| p.id),
        page.size + 1
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Listed::try_from).collect()
}

/// Writes a new one; false where the student has an open one.
pub(super) async fn insert(conn: &mut PgConnection, review: &IndividualReview) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "with written as (
             insert into reviews.individual_review
                 (individual_review_id, student_id, school_id, school_year, state, trigger, concern_id, sensitivity, opened_by, opened_at,
                  next_on, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             on conflict (student_id, (sensitivity = 'protected')) where state not in ('not_needed', 'closed') do nothing
             returning *
         )
         insert into reviews.case_revision (subject_id, version, subject, action, author_id, content)
         select individual_review_id, version, 'individual_review', 'opened', opened_by, to_jsonb(written) from written",
        review.id,
        review.student_id,
        review.school_id,
        review.school_year,
        review.state.word(),
        review.trigger.word(),
        review.concern_id,
        review.sensitivity.as_str(),
        review.opened_by,
        review.opened_at,
        review.next_on(),
        review.version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes one as it follows from a step, and that into the history.
pub(super) async fn update(conn: &mut PgConnection, next: &IndividualReview, author: Uuid, action: &str) -> Result<(), DbError> {
    let findings: Vec<KeptFinding> =
        next.findings.iter().map(|f| KeptFinding { domain: domain_word(Some(f.domain)).to_owned(), text: f.text.clone() }).collect();
    let done = sqlx::query!(
        "with written as (
             update reviews.individual_review set state = $2, version = $3, held_state = $4, lead_id = $5, team = $6, invitation = $7,
                 meets_on = $8, held_on = $9, family_voice = $10, family_words = $11, findings = $12, decisions = $13, review_on = $14,
                 look_again_on = $15, reason = $16, seconded_by = $17, next_on = $18
             where individual_review_id = $1 and version + 1 = $3
             returning *
         )
         insert into reviews.case_revision (subject_id, version, subject, action, author_id, content)
         select individual_review_id, version, 'individual_review', $19, $20, to_jsonb(written) from written",
        next.id,
        next.state.word(),
        next.version,
        next.held_state.map(|s| s.word()),
        next.lead_id,
        Json(&next.team) as _,
        next.invitation.as_ref().map(Json) as _,
        next.meets_on,
        next.held_on,
        next.family_voice.map(|v| v.word()),
        next.family_words,
        Json(&findings) as _,
        Json(&next.decisions) as _,
        next.review_on,
        next.look_again_on,
        next.reason,
        next.seconded_by,
        next.next_on(),
        action,
        author
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}
