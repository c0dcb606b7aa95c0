//! SQL of single entries, for what is written in a transaction; the autosave has its own in `put.rs`.

use chassis_access::Sensitivity;
use chassis_pg::{DbError, expect_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Entry, StudentReview};
use super::repo::entries;
use crate::words::{certainty_word, domain_word};

/// One entry of a student's review, and whether it was taken out.
pub(crate) async fn find(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid, entry_id: Uuid) -> Result<Option<(Entry, bool)>, DbError> {
    let removed = sqlx::query_scalar!(
        "select removed from reviews.entry where entry_id = $1 and class_review_id = $2 and student_id = $3",
        entry_id,
        class_review_id,
        student_id
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(removed) = removed else { return Ok(None) };
    let row = entries!("where e.entry_id = $1", entry_id).fetch_one(conn).await?;
    Ok(Some((row.try_into()?, removed)))
}

/// The class review in which a student's entry is; none where there is no such entry.
pub(crate) async fn class_review_of(conn: &mut PgConnection, student_id: Uuid, entry_id: Uuid) -> Result<Option<Uuid>, DbError> {
    let found = sqlx::query_scalar!("select class_review_id from reviews.entry where entry_id = $1 and student_id = $2 and not removed", entry_id, student_id)
        .fetch_optional(conn)
        .await?;
    Ok(found)
}

/// Writes a new entry in its first version; false where the id is taken.
pub(crate) async fn insert(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid, entry: &Entry) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into reviews.entry
             (entry_id, class_review_id, student_id, polarity, code, domain, severity, certainty, source, note, sensitivity, version, author_id,
              since, confirmed_by, origin, from_entry_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14, $15, $16)
         on conflict (entry_id) do nothing",
        entry.id,
        class_review_id,
        student_id,
        entry.polarity.word(),
        entry.code,
        domain_word(entry.domain),
        entry.severity,
        entry.certainty.map(certainty_word),
        entry.source.word(),
        entry.note,
        entry.sensitivity.as_str(),
        entry.author,
        entry.since,
        entry.confirmed_by.map(|s| s.word()),
        entry.origin.map(|o| o.word()),
        entry.from
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes an entry's content over the version before.
pub(crate) async fn change(conn: &mut PgConnection, entry: &Entry, expected_version: i64) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update reviews.entry set polarity = $2, code = $3, domain = $4, severity = $5, certainty = $6, source = $7, note = $8,
             sensitivity = $9, since = $10, confirmed_by = $11, version = version + 1, updated_at = now()
         where entry_id = $1 and version = $12 and not removed and superseded_by is null",
        entry.id,
        entry.polarity.word(),
        entry.code,
        domain_word(entry.domain),
        entry.severity,
        entry.certainty.map(certainty_word),
        entry.source.word(),
        entry.note,
        entry.sensitivity.as_str(),
        entry.since,
        entry.confirmed_by.map(|s| s.word()),
        expected_version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Takes an entry out.
pub(crate) async fn remove(conn: &mut PgConnection, entry_id: Uuid, expected_version: i64) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update reviews.entry set removed = true, version = version + 1, updated_at = now()
         where entry_id = $1 and version = $2 and not removed and superseded_by is null",
        entry_id,
        expected_version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Lets another entry take an entry's place.
pub(crate) async fn supersede(conn: &mut PgConnection, entry_id: Uuid, expected_version: i64, by: Uuid) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update reviews.entry set superseded_by = $3, version = version + 1, updated_at = now()
         where entry_id = $1 and version = $2 and not removed and superseded_by is null",
        entry_id,
        expected_version,
        by
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Sets who may see an entry.
pub(crate) async fn guard(conn: &mut PgConnection, entry_id: Uuid, expected_version: i64, sensitivity: Sensitivity) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update reviews.entry set sensitivity = $3, version = version + 1, updated_at = now() where entry_id = $1 and version = $2 and not removed",
        entry_id,
        expected_version,
        sensitivity.as_str()
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Adds an entry as it now is to the history of a review; the reason has the entry's readers.
pub(crate) async fn revise(
    conn: &mut PgConnection,
    review: &StudentReview,
    entry_id: Uuid,
    author: Uuid,
    action: &str,
    reason: Option<&str>,
) -> Result<(), DbError> {
    let done = sqlx::query!(
        "insert into reviews.student_review_revision
             (class_review_id, student_id, author_id, action, entry_id, entry_version, entry_author_id, polarity, code, domain, severity,
              certainty, source, note, sensitivity, since, confirmed_by, reason)
         select $1, $2, $4, $5, entry_id, version, author_id, polarity, code, domain, severity, certainty, source, note, sensitivity,
             since, confirmed_by, $6
         from reviews.entry where entry_id = $3",
        review.class_review_id,
        review.student_id,
        entry_id,
        author,
        action,
        reason
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Writes state and version of a review as they follow from a step about its entries, whose history is theirs.
pub(crate) async fn advance(conn: &mut PgConnection, before: &StudentReview, next: &StudentReview) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update reviews.student_review set state = $4, version = $5, protected_changes = $6, updated_at = now()
         where class_review_id = $1 and student_id = $2 and version = $3",
        next.class_review_id,
        next.student_id,
        before.version,
        next.state.word(),
        next.version,
        next.protected_changes
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}
