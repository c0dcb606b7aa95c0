//! The autosave: one statement, one round trip, no transaction around it. A single statement is atomic.
//!
//! The statement writes the entry, its history and the request id, and sets a pending review in progress; or it writes
//! nothing. Only then is it asked why: a replay, a stale version, a review that is done, a request id used twice.
//! The version is what makes a replay harmless: it never fits a second time.
//!
//! What is written into a review that was done already is an amendment, which is told to the other services at once:
//! that is rare, and done in a transaction after this statement found nothing to write.

use chassis_pg::DbError;
use chassis_pg::idempotency;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::entity::Entry;
use super::error::StudentReviewError;
use super::{Put, amend, entries};
use crate::concern::clock::Clock;
use crate::words::{Origin, certainty_word, domain_word};

struct Written {
    version: i64,
    author_id: Uuid,
    recorded_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    origin: Option<String>,
    from_entry_id: Option<Uuid>,
}

/// Writes an entry.
pub(super) async fn put(pool: &PgPool, clock: &Clock, command: &Put) -> Result<Entry, StudentReviewError> {
    let written = if command.change.expected_version == 0 { insert(pool, command).await } else { update(pool, command).await };
    match written {
        Ok(Some(written)) => Ok(Entry {
            version: written.version,
            author: written.author_id,
            recorded_at: written.recorded_at,
            updated_at: written.updated_at,
            origin: written.origin.as_deref().map(Origin::read).transpose()?,
            from: written.from_entry_id,
            ..command.entry.clone()
        }),
        Ok(None) => diagnose(pool, clock, command).await,
        Err(error) if error.constraint() == Some("idempotency_pkey") => diagnose(pool, clock, command).await,
        Err(error) => Err(error.into()),
    }
}

async fn insert(pool: &PgPool, command: &Put) -> Result<Option<Written>, DbError> {
    let (entry, change) = (&command.entry, &command.change);
    let written = sqlx::query_as!(
        Written,
        r#"with place as (
             select sr.class_review_id, sr.student_id
             from reviews.student_review sr join reviews.class_review cr using (class_review_id)
             where sr.class_review_id = $1 and sr.student_id = $2 and sr.state in ('pending', 'in_progress') and cr.state = 'in_progress'
             for key share of sr
         ), written as (
             insert into reviews.entry
                 (entry_id, class_review_id, student_id, polarity, code, domain, severity, certainty, source, note, sensitivity, version, author_id,
                  since, confirmed_by)
             select $3, class_review_id, student_id, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $17, $18 from place
             on conflict (entry_id) do nothing
             returning version, author_id, recorded_at, updated_at
         ), begun as (
             update reviews.student_review set state = 'in_progress', updated_at = now()
             where class_review_id = $1 and student_id = $2 and state = 'pending' and $11 <> 'protected' and exists (select from written)
         ), claimed as (
             insert into reviews.idempotency (caller, method, request_id, fingerprint) select $13, $14, $15, $16 from written
         ), revised as (
             insert into reviews.student_review_revision
                 (class_review_id, student_id, author_id, action, entry_id, entry_version, entry_author_id, polarity, code, domain, severity,
                  certainty, source, note, sensitivity, since, confirmed_by)
             select $1, $2, $12, 'entry_put', $3, version, author_id, $4, $5, $6, $7, $8, $9, $10, $11, $17, $18 from written
         )
         select version, author_id, recorded_at, updated_at, null::text as origin, null::uuid as from_entry_id from written"#,
        change.class_review_id,
        change.student_id,
        entry.id,
        entry.polarity.word(),
        entry.code,
        domain_word(entry.domain),
        entry.severity,
        entry.certainty.map(certainty_word),
        entry.source.word(),
        entry.note,
        entry.sensitivity.as_str(),
        command.author.id,
        change.request.caller,
        change.request.method,
        change.request.request_id,
        &change.request.fingerprint[..],
        entry.since,
        entry.confirmed_by.map(|s| s.word())
    )
    .fetch_optional(pool)
    .await?;
    Ok(written)
}

async fn update(pool: &PgPool, command: &Put) -> Result<Option<Written>, DbError> {
    let (entry, change, author) = (&command.entry, &command.change, &command.author);
    let written = sqlx::query_as!(
        Written,
        "with place as (
             select sr.class_review_id, sr.student_id
             from reviews.student_review sr join reviews.class_review cr using (class_review_id)
             where sr.class_review_id = $1 and sr.student_id = $2 and sr.state in ('pending', 'in_progress') and cr.state = 'in_progress'
             for key share of sr
         ), written as (
             update reviews.entry e set polarity = $4, code = $5, domain = $6, severity = $7, certainty = $8, source = $9, note = $10,
                 sensitivity = $11, since = $21, confirmed_by = $22, version = e.version + 1, updated_at = now()
             from place
             where e.entry_id = $3 and e.class_review_id = place.class_review_id and e.student_id = place.student_id
                 and e.version = $17 and not e.removed and e.superseded_by is null and (e.author_id = $12 or $18)
                 and (e.sensitivity = 'general'
                     or (e.sensitivity = 'restricted' and (e.author_id = $12 or e.domain = any($19)))
                     or (e.sensitivity = 'protected' and $20))
             returning e.version, e.author_id, e.recorded_at, e.updated_at, e.origin, e.from_entry_id
         ), begun as (
             update reviews.student_review set state = 'in_progress', updated_at = now()
             where class_review_id = $1 and student_id = $2 and state = 'pending' and $11 <> 'protected' and exists (select from written)
         ), claimed as (
             insert into reviews.idempotency (caller, method, request_id, fingerprint) select $13, $14, $15, $16 from written
         ), revised as (
             insert into reviews.student_review_revision
                 (class_review_id, student_id, author_id, action, entry_id, entry_version, entry_author_id, polarity, code, domain, severity,
                  certainty, source, note, sensitivity, since, confirmed_by)
             select $1, $2, $12, 'entry_put', $3, version, author_id, $4, $5, $6, $7, $8, $9, $10, $11, $21, $22 from written
         )
         select version, author_id, recorded_at, updated_at, origin, from_entry_id from written",
        change.class_review_id,
        change.student_id,
        entry.id,
        entry.polarity.word(),
        entry.code,
        domain_word(entry.domain),
        entry.severity,
        entry.certainty.map(certainty_word),
        entry.source.word(),
        entry.note,
        entry.sensitivity.as_str(),
        author.id,
        change.request.caller,
        change.request.method,
        change.request.request_id,
        &change.request.fingerprint[..],
        change.expected_version,
        author.may_change_others,
        &author.sight.restricted,
        author.sight.protected,
        entry.since,
        entry.confirmed_by.map(|s| s.word())
    )
    .fetch_optional(pool)
    .await?;
    Ok(written)
}

/// Why nothing was written. A replay is answered with the entry as it is now; an amendment is written here.
async fn diagnose(pool: &PgPool, clock: &Clock, command: &Put) -> Result<Entry, StudentReviewError> {
    let (change, author) = (&command.change, &command.author);
    let mut tx = pool.begin().await?;
    let replay = idempotency::claim(&mut tx, &change.request).await? == idempotency::Claim::Replay;
    let stored = entries::find(&mut tx, change.class_review_id, change.student_id, command.entry.id).await?;
    if replay {
        // What this request wrote is in the history whatever became of the entry since.
        return stored.map(|(entry, _)| entry).ok_or(StudentReviewError::NoEntry);
    }
    let (frame, review) = super::open(&mut tx, change).await?;
    review.transition(frame.writing())?;
    let taken = stored.is_some();
    let seen = stored.filter(|(entry, removed)| !removed && author.sight.sees(entry)).map(|(entry, _)| entry);
    let former = match seen {
        None if change.expected_version != 0 => return Err(StudentReviewError::NoEntry),
        // The claim above is rolled back with each of these: nothing was done under this id.
        None if taken => return Err(StudentReviewError::stale()),
        Some(entry) if entry.version != change.expected_version => return Err(StudentReviewError::stale()),
        Some(entry) if !entry.stands() => return Err(StudentReviewError::Superseded),
        Some(entry) if !author.may_change(&entry) => return Err(StudentReviewError::NotYours),
        fitting => fitting,
    };
    if !review.is_reviewed() {
        // It would have been written: somebody else changed something in between.
        return Err(StudentReviewError::stale());
    }
    let written = amend::put(&mut tx, clock, &frame, &review, command, former).await?;
    tx.commit().await?;
    Ok(written)
}
