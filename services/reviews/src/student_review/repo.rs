//! SQL of student reviews and their entries; the autosave has its own in `put.rs`.

use chassis_pg::{DbError, expect_one};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Entry, StudentReview};
use super::{Change, Frame};
use crate::taxonomy::Domain;
use crate::words::{ClassReviewState, Polarity, Season, Source, StudentReviewState, domain_word, read_certainty, read_domain, read_sensitivity, read_tier};

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
        })
    }
}

pub(super) struct EntryRow {
    student_id: Uuid,
    entry_id: Uuid,
    polarity: String,
    code: String,
    domain: String,
    severity: i16,
    certainty: Option<String>,
    source: String,
    note: String,
    sensitivity: String,
    version: i64,
    author_id: Uuid,
    recorded_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
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
        })
    }
}

/// The class review around a student's review; none where there is no such review. Held against handing in until
/// the transaction ends.
pub(super) async fn frame(conn: &mut PgConnection, class_review_id: Uuid) -> Result<Option<Frame>, DbError> {
    let row = sqlx::query!(
        "select r.state, r.class_id, r.school_id, r.review_cycle_id, c.school_year, c.season
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
    }))
}

/// Takes the row's lock, against which the autosave waits.
pub(super) async fn lock(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid) -> Result<(), DbError> {
    sqlx::query!("select state from reviews.student_review where class_review_id = $1 and student_id = $2 for update", class_review_id, student_id)
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// One student's review with its entries.
pub(super) async fn find(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid) -> Result<Option<StudentReview>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select class_review_id, student_id, grade, state, version, no_concern_domains, assigned_tier, tier_reason, tier_reason_text,
             no_strength_reason, not_reviewed_reason
         from reviews.student_review where class_review_id = $1 and student_id = $2",
        class_review_id,
        student_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut review = StudentReview::try_from(row)?;
    let entries = sqlx::query_as!(
        EntryRow,
        "select student_id, entry_id, polarity, code, domain, severity, certainty, source, note, sensitivity, version, author_id,
             recorded_at, updated_at
         from reviews.entry where class_review_id = $1 and student_id = $2 and not removed order by recorded_at, entry_id",
        class_review_id,
        student_id
    )
    .fetch_all(conn)
    .await?;
    review.entries = entries.into_iter().map(Entry::try_from).collect::<Result<_, _>>()?;
    Ok(Some(review))
}

/// Every student of a class review in the snapshot's order, with their entries: two statements however many they are.
pub(super) async fn of_class_review(conn: &mut PgConnection, class_review_id: Uuid) -> Result<Vec<StudentReview>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "select class_review_id, student_id, grade, state, version, no_concern_domains, assigned_tier, tier_reason, tier_reason_text,
             no_strength_reason, not_reviewed_reason
         from reviews.student_review where class_review_id = $1 order by position",
        class_review_id
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut reviews = rows.into_iter().map(StudentReview::try_from).collect::<Result<Vec<_>, _>>()?;
    let at: std::collections::HashMap<Uuid, usize> = reviews.iter().enumerate().map(|(i, r)| (r.student_id, i)).collect();
    let entries = sqlx::query_as!(
        EntryRow,
        "select student_id, entry_id, polarity, code, domain, severity, certainty, source, note, sensitivity, version, author_id,
             recorded_at, updated_at
         from reviews.entry where class_review_id = $1 and not removed order by recorded_at, entry_id",
        class_review_id
    )
    .fetch_all(conn)
    .await?;
    for row in entries {
        if let Some(review) = at.get(&row.student_id).and_then(|i| reviews.get_mut(*i)) {
            review.entries.push(row.try_into()?);
        }
    }
    Ok(reviews)
}

/// One entry, and whether it was taken out.
pub(super) async fn find_entry(conn: &mut PgConnection, at: &Change, entry_id: Uuid) -> Result<Option<(Entry, bool)>, DbError> {
    let removed = sqlx::query_scalar!(
        "select removed from reviews.entry where entry_id = $1 and class_review_id = $2 and student_id = $3",
        entry_id,
        at.class_review_id,
        at.student_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(removed) = removed else { return Ok(None) };
    let row = sqlx::query_as!(
        EntryRow,
        "select student_id, entry_id, polarity, code, domain, severity, certainty, source, note, sensitivity, version, author_id,
             recorded_at, updated_at
         from reviews.entry where entry_id = $1",
        entry_id
    )
    .fetch_one(conn)
    .await?;
    Ok(Some((row.try_into()?, removed)))
}

pub(super) async fn remove_entry(conn: &mut PgConnection, at: &Change, entry_id: Uuid, author: Uuid) -> Result<(), DbError> {
    let done = sqlx::query!(
        "with gone as (
             update reviews.entry set removed = true, version = version + 1, updated_at = now()
             where entry_id = $1 and class_review_id = $2 and student_id = $3 and version = $4 and not removed
             returning *
         )
         insert into reviews.student_review_revision
             (class_review_id, student_id, author_id, action, entry_id, entry_version, entry_author_id, polarity, code, domain, severity,
              certainty, source, note, sensitivity)
         select class_review_id, student_id, $5, 'entry_removed', entry_id, version, author_id, polarity, code, domain, severity,
             certainty, source, note, sensitivity
         from gone",
        entry_id,
        at.class_review_id,
        at.student_id,
        at.expected_version,
        author
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Writes a student's review as it follows from a step, and what was done into the history.
pub(super) async fn update(conn: &mut PgConnection, next: &StudentReview, author: Uuid, action: &str) -> Result<(), DbError> {
    let domains: Vec<String> = next.no_concern.iter().map(|d| domain_word(Some(*d)).to_owned()).collect();
    let done = sqlx::query!(
        "with written as (
             update reviews.student_review set state = $3, version = $4, no_concern_domains = $5, assigned_tier = $6, tier_reason = $7,
                 tier_reason_text = $8, no_strength_reason = $9, not_reviewed_reason = $10, updated_at = now()
             where class_review_id = $1 and student_id = $2 and version + 1 = $4
             returning *
         )
         insert into reviews.student_review_revision (class_review_id, student_id, author_id, action, review)
         select class_review_id, student_id, $11, $12, to_jsonb(written) - '{class_review_id,student_id,position,updated_at}'::text[] from written",
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
         where s.student_id = $1 and s.state in ('in_progress', 'reviewed') and r.state <> 'cancelled'
         order by r.started_at desc, r.class_review_id desc limit 1",
        student_id
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}
