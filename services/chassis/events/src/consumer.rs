//! The consumer: effect, inbox row and position in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use chassis_pg::{DbError, lock};

use crate::dead_letter;
use crate::envelope::Event;
use crate::lag::Behind;
use crate::log::{EventLog, LogError, Record};
use crate::restored::Standing;

const BATCH: usize = 500;
/// How often it tells how far behind it is.
pub(crate) const TELL_LAG: Duration = Duration::from_secs(5);

/// Why an event could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Something is away; the same event is tried again until it works.
    #[error(transparent)]
    Retry(#[from] DbError),
    /// It will never work: the event goes to the dead letters. Say why, without values.
    #[error("{0}")]
    Reject(String),
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        let error = DbError::from(error);
        if error.is_transient() { Self::Retry(error) } else { Self::Reject(chain(&error)) }
    }
}

impl From<prost::DecodeError> for ApplyError {
    fn from(error: prost::DecodeError) -> Self {
        Self::Reject(format!("undecodable payload: {error}"))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// Applies events to a service's own tables.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Topics to follow.
    fn topics(&self) -> Vec<&'static str>;

    /// Writes the event's effect on `conn`, which is inside the consumer's transaction. Types that the handler does
    /// not know are ignored: they are newer than this binary.
    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError>;
}

/// One consumer of a service: a handler and the log it follows.
pub struct Consumer {
    name: &'static str,
    schema: &'static str,
    pool: PgPool,
    log: Arc<dyn EventLog>,
    handler: Arc<dyn Handler>,
}

#[derive(Debug, thiserror::Error)]
enum ConsumerError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Log(#[from] LogError),
    /// The tables are older than the group, so they were restored, and what lies between would be passed over in silence.
    #[error(
        "the log has {topic} read up to {read} by this consumer, but its tables hold only what came before {position}: they were restored. Stop the service and run its verb `after-restore`"
    )]
    SetBack { topic: String, read: i64, position: i64 },
}

impl ConsumerError {
    /// Whether only an operator can mend it.
    fn wants_somebody(&self) -> bool {
        matches!(self, Self::SetBack { .. } | Self::Log(LogError::Shorter { .. }))
    }
}

impl From<sqlx::Error> for ConsumerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

enum Outcome {
    Done,
    /// Some event of the batch was refused; each is to be tried by itself.
    OneByOne,
}

impl Consumer {
    /// A consumer called `name` of the service that owns `schema`.
    pub fn new(schema: &'static str, name: &'static str, pool: PgPool, log: Arc<dyn EventLog>, handler: Arc<dyn Handler>) -> Self {
        Self { name, schema, pool, log, handler }
    }

    /// Runs until told to stop. A lost database or log is waited for; no event is skipped.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Duration::from_millis(100);
        while !stop.is_cancelled() {
            let wait = match self.follow(&stop).await {
                Ok(()) => Duration::from_secs(2),
                Err(error) if error.wants_somebody() => {
                    metrics::gauge!("consumer_set_back", "schema" => self.schema, "consumer" => self.name).set(1.0);
                    tracing::error!(
                        schema = self.schema,
                        consumer = self.name,
                        error = &error as &dyn std::error::Error,
                        "consumer reads nothing until somebody decides"
                    );
                    Duration::from_secs(30)
                }
                Err(error) => {
                    tracing::warn!(schema = self.schema, consumer = self.name, error = &error as &dyn std::error::Error, "consumer stopped; it will try again");
                    backoff = (backoff * 2).min(Duration::from_secs(2));
                    backoff
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn follow(&self, stop: &CancellationToken) -> Result<(), ConsumerError> {
        // Several replicas may hold partitions of one Kafka group; the PostgreSQL log has one reader a group, which
        // its own lock elects. The work itself is safe in both cases.
        let mut work = self.pool.acquire().await?.detach();
        let generation: Uuid = sqlx::query_scalar("select generation from consumer_generation").fetch_one(&mut work).await?;
        let group = format!("{}.{}.{}", self.schema, self.name, generation.simple());
        let topics = self.handler.topics();
        // In this order: the log is told of what the tables hold already, so it can never be ahead of a later look at them.
        let read = self.log.read_by(&group, &topics).await?;
        let (standing, positions) = Standing::read(&mut work, self.name).await?;
        for ((topic, partition), read) in read {
            let position = positions.get(&(topic.clone(), partition)).copied().unwrap_or(0);
            if read > position {
                return Err(ConsumerError::SetBack { topic, read, position });
            }
        }
        let mut subscription = self.log.subscribe(&group, &topics, positions).await?;
        tracing::info!(schema = self.schema, consumer = self.name, "consumer follows its topics");
        metrics::gauge!("consumer_set_back", "schema" => self.schema, "consumer" => self.name).set(0.0);
        let mut purged = std::time::Instant::now();
        let mut behind = Behind::default();
        loop {
            behind.tell(self.schema, self.name, subscription.as_mut()).await?;
            let records = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                records = subscription.next_batch(BATCH) => records?,
            };
            if !records.is_empty() {
                if let Outcome::OneByOne = self.apply(&mut work, &standing, &records, false).await? {
                    for record in &records {
                        self.apply(&mut work, &standing, std::slice::from_ref(record), true).await?;
                    }
                }
                subscription.acknowledge(&records).await?;
                metrics::counter!("consumer_applied_total", "schema" => self.schema, "consumer" => self.name).increment(records.len() as u64);
            } else if purged.elapsed() > Duration::from_secs(3600) {
                sqlx::query("delete from inbox where received_at < now() - interval '30 days'").execute(&mut work).await?;
                purged = std::time::Instant::now();
            }
        }
    }

    /// Applies a batch in one transaction. With `alone`, a refused event is put with the dead letters instead.
    async fn apply(&self, work: &mut PgConnection, standing: &Standing, records: &[Record], alone: bool) -> Result<Outcome, ConsumerError> {
        let mut tx = work.begin().await?;
        let due = || records.iter().filter(|record| !standing.passes_over(record));
        let ids: Vec<Uuid> = due().filter_map(|r| r.event.as_ref().ok()).map(|e| e.id).collect();
        let fresh: HashSet<Uuid> =
            sqlx::query_scalar("insert into inbox (consumer, event_id) select $1, id from unnest($2::uuid[]) as id on conflict do nothing returning event_id")
                .bind(self.name)
                .bind(&ids)
                .fetch_all(&mut *tx)
                .await?
                .into_iter()
                .collect();
        let mut seen = HashSet::new();
        for record in due() {
            let refused = match &record.event {
                Err(reason) => Some(reason.clone()),
                Ok(event) if !fresh.contains(&event.id) || !seen.insert(event.id) => None,
                Ok(event) => {
                    // A link rather than a parent would need one span a batch; one span an event joins the trace.
                    let span = tracing::info_span!("consume", otel.name = %format!("{} consumes {}", self.schema, event.topic), otel.kind = "consumer", consumer = self.name, messaging.destination.name = %event.topic);
                    if let Some(traceparent) = &event.traceparent {
                        chassis_rpc::observe::follow(&span, traceparent);
                    }
                    let mut inner = tx.begin_if(alone).await?;
                    match self.handler.apply(inner.conn(), event).instrument(span).await {
                        Ok(()) => {
                            inner.keep().await?;
                            None
                        }
                        Err(ApplyError::Retry(error)) if error.is_transient() => return Err(error.into()),
                        Err(ApplyError::Retry(error)) => {
                            inner.undo().await?;
                            Some(chain(&error))
                        }
                        Err(ApplyError::Reject(reason)) => {
                            inner.undo().await?;
                            Some(reason)
                        }
                    }
                }
            };
            match refused {
                None => {}
                Some(_) if !alone => {
                    tx.rollback().await?;
                    return Ok(Outcome::OneByOne);
                }
                Some(reason) => {
                    tracing::error!(schema = self.schema, consumer = self.name, topic = %record.topic, partition = record.partition, offset = record.offset, %reason, "event put with the dead letters");
                    metrics::counter!("consumer_dead_letters_total", "schema" => self.schema, "consumer" => self.name).increment(1);
                    dead_letter::insert(&mut tx, self.name, record, &reason).await?;
                }
            }
        }
        self.advance(&mut tx, records).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    async fn advance(&self, conn: &mut PgConnection, records: &[Record]) -> Result<(), DbError> {
        /// Next offset, records, newest event.
        type End = (i64, i64, Option<DateTime<Utc>>);
        let mut ends: HashMap<(&str, i32), End> = HashMap::new();
        for record in records {
            let end = ends.entry((&record.topic, record.partition)).or_default();
            end.0 = end.0.max(record.offset + 1);
            end.1 += 1;
            end.2 = end.2.max(record.event.as_ref().ok().map(|e| e.time));
        }
        let (mut topics, mut partitions, mut next, mut counts, mut times) = (vec![], vec![], vec![], vec![], vec![]);
        for ((topic, partition), (offset, count, time)) in ends {
            topics.push(topic);
            partitions.push(partition);
            next.push(offset);
            counts.push(count);
            times.push(time);
        }
        sqlx::query(
            "insert into consumer_position as held (consumer, topic, partition, next_offset, applied_count, newest_event_time)
             select $1, * from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::timestamptz[])
             on conflict (consumer, topic, partition) do update set
                 next_offset = greatest(held.next_offset, excluded.next_offset),
                 applied_count = held.applied_count + excluded.applied_count,
                 newest_event_time = greatest(held.newest_event_time, excluded.newest_event_time),
                 resume_offset = case when held.resume_offset > excluded.next_offset then held.resume_offset end",
        )
        .bind(self.name)
        .bind(topics)
        .bind(partitions)
        .bind(next)
        .bind(counts)
        .bind(times)
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// A savepoint around one event, or nothing around it.
enum Inner<'t> {
    Savepoint(sqlx::Transaction<'t, sqlx::Postgres>),
    Plain(&'t mut PgConnection),
}

trait BeginIf {
    async fn begin_if(&mut self, savepoint: bool) -> Result<Inner<'_>, sqlx::Error>;
}

impl BeginIf for sqlx::Transaction<'_, sqlx::Postgres> {
    async fn begin_if(&mut self, savepoint: bool) -> Result<Inner<'_>, sqlx::Error> {
        if savepoint { Ok(Inner::Savepoint(self.begin().await?)) } else { Ok(Inner::Plain(self)) }
    }
}

impl Inner<'_> {
    fn conn(&mut self) -> &mut PgConnection {
        match self {
            Self::Savepoint(tx) => tx,
            Self::Plain(conn) => conn,
        }
    }
    async fn keep(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Savepoint(tx) => tx.commit().await,
            Self::Plain(_) => Ok(()),
        }
    }
    async fn undo(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Savepoint(tx) => tx.rollback().await,
            Self::Plain(_) => Ok(()),
        }
    }
}

/// Elects the one reader of a group on the PostgreSQL log.
pub(crate) async fn elect(pool: &PgPool, group: &str) -> Result<Option<lock::Held>, DbError> {
    lock::try_hold(pool, &format!("consumer {group}")).await
}
