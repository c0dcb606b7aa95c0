//! SQL of student reviews and their entries; the autosave has its own in `put.rs`.

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Frame;
use super::entity::{Entry, StudentReview};
use crate::taxonomy::Domain;
use crate::words::{
    ClassReviewState, Origin, Polarity, Season, Source, StudentReviewState, domain_word, read_certainty, read_domain, read_sensitivity, read_tier,
};
use crate::{activity, prior};

struct Row {
    class_review_id: Uuid,
    student_id: Uuid,
    grade: String,
    state: String,
    version: i64,
    no_concern_domains: Vec<String>,
    assigned_tier: Option<String>,
    tier_reason: String,
    tier_reason_text: String,
    no_strength_reason: String,
    not_reviewed_reason: String,
    added: bool,
    protected_changes: i64,
}

impl TryFrom<Row> for StudentReview {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let domains: Result<Vec<Option<Domain>>, DbError> = row.no_concern_domains.iter().map(|d| read_domain(d)).collect();
        Ok(Self {
            class_review_id: row.class_review_id,
            student_id: row.student_id,
            grade: row.grade,
            state: StudentReviewState::read(&row.state)?,
            version: row.version,
            no_concern: domains?.into_iter().flatten().collect(),
            assigned_tier: row.assigned_tier.as_deref().map(read_tier).transpose()?,
            tier_reason: row.tier_reason,
            tier_reason_text: row.tier_reason_text,
            no_strength_reason: row.no_strength_reason,
            not_reviewed_reason: row.not_reviewed_reason,
            entries: Vec::new(),
            added: row.added,
            protected_changes: row.protected_changes,
            active_seconds: 0,
            open_priors: Vec::new(),
        })
    }
}

pub(crate) struct EntryRow {
    pub(super) student_id: Uuid,
    pub(super) entry_id: Uuid,
    pub(super) polarity: String,
    pub(super) code: String,
    pub(super) domain: String,
    pub(super) severity: i16,
    pub(super) certainty: Option<String>,
    pub(super) source: String,
    pub(super) note: String,
    pub(super) sensitivity: String,
    pub(super) version: i64,
    pub(super) author_id: Uuid,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) since: Option<NaiveDate>,
    pub(super) confirmed_by: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) from_entry_id: Option<Uuid>,
    pub(super) superseded_by: Option<Uuid>,
}

impl TryFrom<EntryRow> for Entry {
    type Error = DbError;
    fn try_from(row: EntryRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.entry_id,
            polarity: Polarity::read(&row.polarity)?,
            code: row.code,
            domain: read_domain(&row.domain)?,
            severity: row.severity,
            certainty: row.certainty.as_deref().map(read_certainty).transpose()?,
            source: Source::read(&row.source)?,
            note: row.note,
            sensitivity: read_sensitivity(&row.sensitivity)?,
            version: row.version,
            author: row.author_id,
            recorded_at: row.recorded_at,
            updated_at: row.updated_at,
            since: row.since,
            confirmed_by: row.confirmed_by.as_deref().map(Source::read).transpose()?,
            origin: row.origin.as_deref().map(Origin::read).transpose()?,
            from: row.from_entry_id,
            superseded_by: row.superseded_by,
        })
    }
}

/// Entries by the rest of a statement.
macro_rules! entries {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            crate::student_review::repo::EntryRow,
            "select e.student_id, e.entry_id, e.polarity, e.code, e.domain, e.severity, e.certainty, e.source, e.note, e.sensitivity, e.version,
                 e.author_id, e.recorded_at, e.updated_at, e.since, e.confirmed_by, e.origin, e.from_entry_id, e.superseded_by
             from reviews.entry e "
                + $rest
            $(, $argument)*
        )
    };
}
pub(crate) use entries;

/// Student reviews without entries, by the rest of a statement.
macro_rules! rows {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select class_review_id, student_id, grade, state, version, no_concern_domains, assigned_tier, tier_reason, tier_reason_text,
                 no_strength_reason, not_reviewed_reason, added, protected_changes
             from reviews.student_review "
                + $rest
            $(, $argument)*
        )
    };
}

/// The class review around a student's review; none where there is no such review. Held against handing in until
/// the transaction ends.
pub(crate) async fn frame(conn: &mut PgConnection, class_review_id: Uuid) -> Result<Option<Frame>, DbError> {
    let row = sqlx::query!(
        "select r.state, r.class_id, r.school_id, r.review_cycle_id, r.reopen_count, c.school_year, c.season, c.required_fields
         from reviews.class_review r join reviews.review_cycle c using (review_cycle_id)
         where r.class_review_id = $1 for share of r",
        class_review_id
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Frame {
        class_review_id,
        state: ClassReviewState::read(&row.state)?,
        class_id: row.class_id,
        school_id: row.school_id,
        cycle_id: row.review_cycle_id,
        school_year: row.school_year,
        season: Season::read(&row.season)?,
        reopened: row.reopen_count > 0,
        required_fields: row.required_fields,
    }))
}

/// Takes the row's lock, against which the autosave waits.
pub(crate) async fn lock(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid) -> Result<(), DbError> {
    sqlx::query!("select state from reviews.student_review where class_review_id = $1 and student_id = $2 for update", class_review_id, student_id)
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// One student's review with its entries.
pub(crate) async fn find(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid) -> Result<Option<StudentReview>, DbError> {
    Ok(of_class_review(conn, class_review_id, Some(&[student_id])).await?.pop())
}

/// Every student of a class review, or these, in the snapshot's order, with their entries: so many statements however
/// many they are.
pub(crate) async fn of_class_review(conn: &mut PgConnection, class_review_id: Uuid, only: Option<&[Uuid]>) -> Result<Vec<StudentReview>, DbError> {
    let rows = rows!("where class_review_id = $1 and ($2::uuid[] is null or student_id = any($2)) order by position", class_review_id, only)
        .fetch_all(&mut *conn)
        .await?;
    let mut reviews = rows.into_iter().map(StudentReview::try_from).collect::<Result<Vec<_>, _>>()?;
    let at: std::collections::HashMap<Uuid, usize> = reviews.iter().enumerate().map(|(i, r)| (r.student_id, i)).collect();
    let entries = entries!(
        "where e.class_review_id = $1 and ($2::uuid[] is null or e.student_id = any($2)) and not e.removed order by e.recorded_at, e.entry_id",
        class_review_id,
        only
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in entries {
        if let Some(review) = at.get(&row.student_id).and_then(|i| reviews.get_mut(*i)) {
            review.entries.push(row.try_into()?);
        }
    }
    for (student_id, seconds) in activity::repo::of_students(conn, class_review_id, only).await? {
        if let Some(review) = at.get(&student_id).and_then(|i| reviews.get_mut(*i)) {
            review.active_seconds = seconds;
        }
    }
    for (student_id, entry) in prior::repo::open(conn, class_review_id, only).await? {
        if let Some(review) = at.get(&student_id).and_then(|i| reviews.get_mut(*i)) {
            review.open_priors.push(entry);
        }
    }
    Ok(reviews)
}

/// Writes a student's review as it follows from a step, and what was done into the history.
pub(crate) async fn update(conn: &mut PgConnection, next: &StudentReview, author: Uuid, action: &str) -> Result<(), DbError> {
    let domains: Vec<String> = next.no_concern.iter().map(|d| domain_word(Some(*d)).to_owned()).collect();
    let done = sqlx::query!(
        "with written as (
             update reviews.student_review set state = $3, version = $4, no_concern_domains = $5, assigned_tier = $6, tier_reason = $7,
                 tier_reason_text = $8, no_strength_reason = $9, not_reviewed_reason = $10, updated_at = now()
             where class_review_id = $1 and student_id = $2 and version + 1 = $4
             returning *
         )
         insert into reviews.student_review_revision (class_review_id, student_id, author_id, action, review)
         select class_review_id, student_id, $11, $12, to_jsonb(written) - '{class_review_id,student_id,position,updated_at,protected_changes}'::text[] from written",
        next.class_review_id,
        next.student_id,
        next.state.word(),
        next.version,
        &domains,
        next.assigned_tier.map(|t| t.as_str()),
        next.tier_reason,
        next.tier_reason_text,
        next.no_strength_reason,
        next.not_reviewed_reason,
        author,
        action
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Whether protected needs were ever recorded here, so that those who were told are told of their end.
pub(super) async fn had_protected_needs(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid) -> Result<bool, DbError> {
    let had = sqlx::query_scalar!(
        r#"select exists (
               select 1 from reviews.student_review_revision
               where class_review_id = $1 and student_id = $2 and sensitivity = 'protected' and polarity = 'need'
           ) as "had!""#,
        class_review_id,
        student_id
    )
    .fetch_one(conn)
    .await?;
    Ok(had)
}

/// The class review in which the student was last written about: the latest that was begun.
pub(super) async fn latest(conn: &mut PgConnection, student_id: Uuid) -> Result<Option<Uuid>, DbError> {
    let id = sqlx::query_scalar!(
        "select r.class_review_id from reviews.student_review s join reviews.class_review r using (class_review_id)
         where s.student_id = $1 and s.state in ('in_progress', 'reviewed', 'amended') and r.state <> 'cancelled'
         order by r.started_at desc nulls last, r.class_review_id desc limit 1",
        student_id
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}
