//! SQL of concerns.

use chassis_access::Sensitivity;
use chassis_pg::{DbError, expect_one};
use chassis_rpc::PageRequest;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Answer, Concern};
use crate::case_access::sight::{Listed, Place, Reach};
use crate::words::{ConcernSource, ConcernState, Triage, Urgency, domain_word, read_domain, read_sensitivity};

struct Row {
    concern_id: Uuid,
    student_id: Uuid,
    school_id: Uuid,
    school_year: i32,
    state: String,
    urgency: String,
    source: String,
    domain: String,
    code: String,
    words: String,
    sensitivity: String,
    need_ids: Vec<Uuid>,
    urgent_need_id: Option<Uuid>,
    raised_by: Uuid,
    raised_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    triage: Option<String>,
    triage_note: String,
    triaged_by: Option<Uuid>,
    triaged_at: Option<DateTime<Utc>>,
    individual_review_id: Option<Uuid>,
    close_note: String,
    version: i64,
    schools: Vec<Uuid>,
    rank: i32,
    at: i64,
}

impl TryFrom<Row> for Listed<Concern> {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let answer = match (row.triage, row.triaged_at) {
            (Some(triage), Some(at)) => Some(Answer { triage: Triage::read(&triage)?, note: row.triage_note, by: row.triaged_by.unwrap_or_default(), at }),
            _ => None,
        };
        let record = Concern {
            id: row.concern_id,
            student_id: row.student_id,
            school_id: row.school_id,
            school_year: row.school_year,
            state: ConcernState::read(&row.state)?,
            urgency: Urgency::read(&row.urgency)?,
            source: ConcernSource::read(&row.source)?,
            domain: read_domain(&row.domain)?,
            code: row.code,
            words: row.words,
            sensitivity: read_sensitivity(&row.sensitivity)?,
            need_ids: row.need_ids,
            urgent_need_id: row.urgent_need_id,
            raised_by: row.raised_by,
            raised_at: row.raised_at,
            due_at: row.due_at,
            answer,
            individual_review_id: row.individual_review_id,
            close_note: row.close_note,
            version: row.version,
        };
        Ok(Self { record, schools: row.schools, place: Place { rank: row.rank, at: row.at, id: row.concern_id } })
    }
}

/// Concerns with the schools of their students and their place in lists, by the rest of a statement.
macro_rules! concerns {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"select c.concern_id, c.student_id, c.school_id, c.school_year, c.state, c.urgency, c.source, c.domain, c.code, c.words,
                   c.sensitivity, c.need_ids, c.urgent_need_id, c.raised_by, c.raised_at, c.due_at, c.triage, c.triage_note, c.triaged_by,
                   c.triaged_at, c.individual_review_id, c.close_note, c.version,
                   array(select r.object from reviews.relationship r where r.subject = c.student_id and r.relation = 'attends' order by 1) as "schools!",
                   p.rank as "rank!", p.at as "at!"
               from reviews.concern c
               cross join lateral (
                   select case c.state when 'raised' then 0 when 'triaged' then 1 else 2 end as rank,
                       case c.state when 'closed' then -(extract(epoch from c.raised_at) * 1000000)::bigint
                           else (extract(epoch from c.due_at) * 1000000)::bigint end as at
               ) p "#
                + $rest
            $(, $argument)*
        )
    };
}

/// One concern.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Concern>, DbError> {
    let row = concerns!("where c.concern_id = $1", id).fetch_optional(conn).await?;
    row.map(|row| Listed::try_from(row).map(|listed| listed.record)).transpose()
}

/// Takes the row's lock, so that what is read after it is what is decided on.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    sqlx::query!("select concern_id from reviews.concern where concern_id = $1 for update", id).fetch_optional(conn).await?;
    Ok(())
}

/// Those that wait by when they are due, then the answered ones likewise, then the closed ones newest first.
pub(super) async fn list(conn: &mut PgConnection, reach: &Reach, open_only: bool, page: &PageRequest<Place>) -> Result<Vec<Listed<Concern>>, DbError> {
    let rows = concerns!(
        "where ($1::uuid is null or c.student_id = $1)
           and ($2 or exists (select from reviews.relationship r
                              where r.subject = c.student_id and r.relation in ('attends', 'member') and r.object = any($3)))
           and (c.sensitivity <> 'protected' or $4 or c.student_id = any($5)
                or exists (select from reviews.relationship r
                           where r.subject = c.student_id and r.relation = 'attends' and r.object = any($6)))
           and (not $7 or c.state <> 'closed')
           and ($8::integer is null or (p.rank, p.at, c.concern_id) > ($8, $9, $10))
         order by p.rank, p.at, c.concern_id limit $11",
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

/// The highest sensitivity of these needs of the student, as far as they are recorded here.
pub(super) async fn sensitivity_of_needs(conn: &mut PgConnection, student_id: Uuid, needs: &[Uuid]) -> Result<Sensitivity, DbError> {
    let found = sqlx::query_scalar!("select distinct sensitivity from reviews.entry where student_id = $1 and entry_id = any($2)", student_id, needs)
        .fetch_all(conn)
        .await?;
    found.iter().try_fold(Sensitivity::General, |highest, word| Ok(highest.max(read_sensitivity(word)?)))
}

/// Writes a new concern; false where its id is taken, or its suspected need has one.
pub(super) async fn insert(conn: &mut PgConnection, concern: &Concern) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "with written as (
             insert into reviews.concern
                 (concern_id, student_id, school_id, school_year, state, urgency, source, domain, code, words, sensitivity, need_ids,
                  urgent_need_id, raised_by, raised_at, due_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             on conflict do nothing
             returning *
         )
         insert into reviews.case_revision (subject_id, version, subject, action, author_id, content)
         select concern_id, version, 'concern', 'raised', raised_by, to_jsonb(written) from written",
        concern.id,
        concern.student_id,
        concern.school_id,
        concern.school_year,
        concern.state.word(),
        concern.urgency.word(),
        concern.source.word(),
        domain_word(concern.domain),
        concern.code,
        concern.words,
        concern.sensitivity.as_str(),
        &concern.need_ids,
        concern.urgent_need_id,
        concern.raised_by,
        concern.raised_at,
        concern.due_at,
        concern.version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a concern as it follows from a step, and that into the history.
pub(super) async fn update(conn: &mut PgConnection, next: &Concern, author: Uuid, action: &str) -> Result<(), DbError> {
    let answer = next.answer.as_ref();
    let done = sqlx::query!(
        "with written as (
             update reviews.concern set state = $2, version = $3, triage = $4, triage_note = $5, triaged_by = $6, triaged_at = $7,
                 individual_review_id = $8, close_note = $9
             where concern_id = $1 and version + 1 = $3
             returning *
         )
         insert into reviews.case_revision (subject_id, version, subject, action, author_id, content)
         select concern_id, version, 'concern', $10, $11, to_jsonb(written) from written",
        next.id,
        next.state.word(),
        next.version,
        answer.map(|a| a.triage.word()),
        answer.map(|a| a.note.as_str()).unwrap_or_default(),
        answer.map(|a| a.by),
        answer.map(|a| a.at),
        next.individual_review_id,
        next.close_note,
        action,
        author
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}
