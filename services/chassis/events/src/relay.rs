//! The relay: one elected leader a database publishes outbox rows in order and deletes them once the log has them.
//!
//! Deleting rather than remembering a cursor makes late commits harmless: a row that commits after a higher one is
//! simply seen next time. Order per key holds because writers of one aggregate serialise on its row.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use chassis_pg::{DbError, lock};

use crate::envelope::Event;
use crate::log::{EventLog, LogError};

/// Best size of a batch, as measured (`docs/EVENTS.md`).
const BATCH: i64 = 500;
/// How long to sleep where no notification comes.
const POLL: Duration = Duration::from_millis(500);

/// Publishes the outbox of one schema.
pub struct Relay {
    pool: PgPool,
    schema: &'static str,
    log: Arc<dyn EventLog>,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<sqlx::Error> for RelayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    id: Uuid,
    aggregatetype: String,
    aggregateid: String,
    r#type: String,
    payload: Vec<u8>,
    headers: serde_json::Value,
    occurred_at: DateTime<Utc>,
}

impl Row {
    fn event(self) -> Event {
        let header = |name| self.headers.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        Event {
            id: self.id,
            source: header("ce_source").unwrap_or_default(),
            traceparent: header("traceparent"),
            topic: self.aggregatetype,
            key: self.aggregateid,
            r#type: self.r#type,
            time: self.occurred_at,
            payload: self.payload,
        }
    }
}

impl Relay {
    /// A relay for the schema that `pool` has as its search path.
    pub fn new(pool: PgPool, schema: &'static str, log: Arc<dyn EventLog>) -> Self {
        Self { pool, schema, log }
    }

    /// Runs until told to stop. Errors are logged and tried again; nothing is ever skipped.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Duration::from_millis(100);
        while !stop.is_cancelled() {
            let lead = async {
                match self.lead(&stop).await {
                    Ok(()) => Duration::from_secs(2),
                    Err(error) => {
                        tracing::warn!(schema = self.schema, error = &error as &dyn std::error::Error, "outbox relay stopped; it will try again");
                        backoff
                    }
                }
            };
            let wait = lead.await;
            backoff = (backoff * 2).min(Duration::from_secs(2));
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Leads while the lock lasts; answers at once where somebody else leads.
    async fn lead(&self, stop: &CancellationToken) -> Result<(), RelayError> {
        let Some(mut held) = lock::try_hold(&self.pool, &format!("relay {}", self.schema)).await? else {
            return Ok(());
        };
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(&format!("outbox_{}", self.schema)).await?;
        tracing::info!(schema = self.schema, "outbox relay leads");
        loop {
            while self.drain(held.connection()).await? == usize::try_from(BATCH).unwrap_or(0) {}
            tokio::select! {
                () = stop.cancelled() => {
                    // What was committed before the stop still goes out.
                    while self.drain(held.connection()).await? > 0 {}
                    held.release().await;
                    return Ok(());
                }
                heard = listener.try_recv() => { heard?; }
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Publishes one batch. The lock's own connection does the work, so that a lost lock cannot go unnoticed.
    async fn drain(&self, conn: &mut PgConnection) -> Result<usize, RelayError> {
        let rows: Vec<Row> =
            sqlx::query_as("select position, id, aggregatetype, aggregateid, type, payload, headers, occurred_at from outbox order by position limit $1")
                .bind(BATCH)
                .fetch_all(&mut *conn)
                .await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let positions: Vec<i64> = rows.iter().map(|r| r.position).collect();
        let events: Vec<Event> = rows.into_iter().map(Row::event).collect();
        self.log.publish(&events).await?;
        sqlx::query("delete from outbox where position = any($1)").bind(&positions).execute(conn).await?;
        metrics::counter!("outbox_published_total", "schema" => self.schema).increment(positions.len() as u64);
        Ok(positions.len())
    }
}
