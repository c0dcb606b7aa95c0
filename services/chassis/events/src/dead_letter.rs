//! Events that could not be applied: kept with the reason, listed, replayed or discarded by an operator.
//!
//! They are rows beside the inbox rather than records of a topic, so that keeping one is atomic with moving past it,
//! and discarding one is possible at all.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use chassis_pg::DbError;

use crate::consumer::{ApplyError, Handler};
use crate::envelope::Event;
use crate::log::Record;

/// A dead letter as operators see it: no payload.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    /// Its id.
    pub dead_letter_id: Uuid,
    /// Which consumer refused it.
    pub consumer: String,
    /// Topic.
    pub topic: String,
    /// Type of event.
    pub r#type: String,
    /// Why it was refused.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was put aside.
    pub received_at: DateTime<Utc>,
}

/// What a replay did.
#[derive(Debug, PartialEq, Eq)]
pub enum Replay {
    /// Applied now.
    Applied,
    /// Refused again, with the reason.
    Refused(String),
    /// There is no such dead letter.
    NotFound,
}

pub(crate) async fn insert(conn: &mut PgConnection, consumer: &str, record: &Record, reason: &str) -> Result<(), DbError> {
    let (id, key, r#type, headers, payload) = match &record.event {
        Ok(event) => (
            event.id,
            event.key.clone(),
            event.r#type.clone(),
            serde_json::json!(event.headers().into_iter().collect::<std::collections::HashMap<_, _>>()),
            event.payload.clone(),
        ),
        // A record that is not an event has no id; its place in the log names it.
        Err(_) => (
            Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{}/{}", record.topic, record.partition, record.offset).as_bytes()),
            String::new(),
            String::new(),
            serde_json::json!({}),
            Vec::new(),
        ),
    };
    sqlx::query(
        r#"insert into dead_letter (consumer, topic, partition, "offset", event_id, key, type, headers, payload, reason)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (consumer, event_id) do update set attempts = dead_letter.attempts + 1, reason = excluded.reason"#,
    )
    .bind(consumer)
    .bind(&record.topic)
    .bind(record.partition)
    .bind(record.offset)
    .bind(id)
    .bind(key)
    .bind(r#type)
    .bind(headers)
    .bind(payload)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Dead letters, oldest first.
pub async fn list(pool: &PgPool) -> Result<Vec<DeadLetter>, DbError> {
    Ok(sqlx::query_as(
        "select dead_letter_id, consumer, topic, type, reason, attempts, received_at from dead_letter order by received_at, dead_letter_id limit 1000",
    )
    .fetch_all(pool)
    .await?)
}

/// Applies a dead letter again, in one transaction with its removal.
pub async fn replay(pool: &PgPool, dead_letter_id: Uuid, handler: &dyn Handler) -> Result<Replay, DbError> {
    let mut tx = pool.begin().await?;
    let row: Option<(String, String, serde_json::Value, Vec<u8>)> =
        sqlx::query_as("select topic, key, headers, payload from dead_letter where dead_letter_id = $1 for update")
            .bind(dead_letter_id)
            .fetch_optional(&mut *tx)
            .await?;
    let Some((topic, key, headers, payload)) = row else { return Ok(Replay::NotFound) };
    let header = |name: &str| headers.get(name).and_then(|v| v.as_str()).map(str::to_owned);
    let applied = match Event::from_record(&topic, key, &header, payload) {
        Ok(event) => handler.apply(&mut tx, &event).await,
        Err(error) => Err(ApplyError::Reject(error.to_string())),
    };
    match applied {
        Ok(()) => {
            sqlx::query("delete from dead_letter where dead_letter_id = $1").bind(dead_letter_id).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(Replay::Applied)
        }
        Err(ApplyError::Retry(error)) => Err(error),
        Err(ApplyError::Reject(reason)) => {
            tx.rollback().await?;
            sqlx::query("update dead_letter set attempts = attempts + 1, reason = $2 where dead_letter_id = $1")
                .bind(dead_letter_id)
                .bind(&reason)
                .execute(pool)
                .await?;
            Ok(Replay::Refused(reason))
        }
    }
}

/// Forgets a dead letter. Answers whether it was there.
pub async fn discard(pool: &PgPool, dead_letter_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query("delete from dead_letter where dead_letter_id = $1").bind(dead_letter_id).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}
