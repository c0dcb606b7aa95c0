//! The log in PostgreSQL: the embedded default for one machine.
//!
//! A topic's row hands out offsets and stays locked until the append commits, so offsets become visible in order
//! and a reader that asks for what follows its position can miss nothing. One partition a topic; one reader a group.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Connection as _, PgPool};
use uuid::Uuid;

use chassis_pg::lock::Held;

use crate::envelope::Event;
use crate::log::{EventLog, LogError, Positions, Record, Subscription, Topic};

const SCHEMA: &str = include_str!("postgres_log.sql");
const POLL: Duration = Duration::from_millis(500);

/// The log on a database.
#[derive(Clone, Debug)]
pub struct PostgresLog {
    pool: PgPool,
}

impl PostgresLog {
    /// Opens the log; [`EventLog::ensure_topics`] makes its tables where they are missing.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn ensure_tables(&self) -> Result<(), LogError> {
        // A role that may only write to the log still finds the tables that its operator made.
        let made: bool = sqlx::query_scalar("select to_regclass('event_log.topic') is not null and to_regclass('event_log.record') is not null")
            .fetch_one(&self.pool)
            .await?;
        if made {
            return Ok(());
        }
        let mut tx = self.pool.begin().await?;
        // Several services start at once; `create ... if not exists` alone may still collide.
        sqlx::query("select pg_advisory_xact_lock(hashtext('wraparound event log'))").execute(&mut *tx).await?;
        // An operator may have made the schema for a role that may make none.
        let schema: bool = sqlx::query_scalar("select exists (select 1 from pg_namespace where nspname = 'event_log')").fetch_one(&mut *tx).await?;
        if !schema {
            sqlx::query("create schema if not exists event_log").execute(&mut *tx).await?;
        }
        sqlx::raw_sql(SCHEMA).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    async fn ensure_topics(&self, topics: &[Topic]) -> Result<(), LogError> {
        self.ensure_tables().await?;
        for topic in topics {
            sqlx::query("insert into event_log.topic (name, compacted) values ($1, $2) on conflict (name) do update set compacted = excluded.compacted where topic.compacted <> excluded.compacted")
                .bind(topic.name)
                .bind(topic.compacted)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    async fn publish(&self, events: &[Event]) -> Result<(), LogError> {
        // Topics in one order, so that two publishers cannot wait for each other.
        let mut by_topic: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in events {
            by_topic.entry(&event.topic).or_default().push(event);
        }
        let mut tx = self.pool.begin().await?;
        for (topic, events) in by_topic {
            let count = i64::try_from(events.len()).map_err(|_| LogError::Refused("batch too large".to_owned()))?;
            let end: Option<i64> = sqlx::query_scalar("update event_log.topic set next_offset = next_offset + $2 where name = $1 returning next_offset")
                .bind(topic)
                .bind(count)
                .fetch_optional(&mut *tx)
                .await?;
            let end = end.ok_or_else(|| LogError::Refused(format!("topic {topic} does not exist")))?;
            let headers: Vec<serde_json::Value> = events.iter().map(|e| serde_json::json!({ "ce_source": e.source, "traceparent": e.traceparent })).collect();
            sqlx::query(
                r#"insert into event_log.record (topic, "offset", event_id, key, type, headers, occurred_at, payload)
                   select $1, $2 + ordinality - 1, id, key, type, headers, at, payload
                   from unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[], $8::bytea[])
                        with ordinality as r (id, key, type, headers, at, payload, ordinality)"#,
            )
            .bind(topic)
            .bind(end - count)
            .bind(events.iter().map(|e| e.id).collect::<Vec<_>>())
            .bind(events.iter().map(|e| e.key.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|e| e.r#type.as_str()).collect::<Vec<_>>())
            .bind(headers)
            .bind(events.iter().map(|e| e.time).collect::<Vec<_>>())
            .bind(events.iter().map(|e| e.payload.as_slice()).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query("select pg_notify('event_log', '')").execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn read_by(&self, _group: &str, _topics: &[&str]) -> Result<Positions, LogError> {
        Ok(Positions::new())
    }

    async fn subscribe(&self, group: &str, topics: &[&str], positions: Positions) -> Result<Box<dyn Subscription>, LogError> {
        let held = loop {
            match crate::consumer::elect(&self.pool, group).await {
                Ok(Some(held)) => break held,
                Ok(None) => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(chassis_pg::DbError::Driver(error)) => return Err(error.into()),
                Err(error) => return Err(LogError::Refused(error.to_string())),
            }
        };
        let ends: Vec<(String, i64)> = sqlx::query_as("select name, next_offset from event_log.topic").fetch_all(&self.pool).await?;
        for ((topic, _), position) in &positions {
            let end = ends.iter().find(|(name, _)| name == topic).map_or(0, |(_, end)| *end);
            if *position > end {
                return Err(LogError::Shorter { topic: topic.clone(), end, position: *position });
            }
        }
        // A listener keeps its connection for as long as it lives. Out of the pool it would take one from publishing, and
        // as many consumers as the pool is large would silence the service.
        let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let mut listener = PgListener::connect_with(&own.connect_lazy_with((*self.pool.connect_options()).clone())).await?;
        listener.listen("event_log").await?;
        let next = topics.iter().map(|t| ((*t).to_owned(), positions.get(&((*t).to_owned(), 0)).copied().unwrap_or(0))).collect();
        Ok(Box::new(PostgresSubscription { held, listener, next, read: VecDeque::new() }))
    }
}

struct PostgresSubscription {
    held: Held,
    listener: PgListener,
    /// What to read next.
    next: BTreeMap<String, i64>,
    /// Read, not yet handed out.
    read: VecDeque<Record>,
}

#[derive(sqlx::FromRow)]
struct Row {
    topic: String,
    offset: i64,
    event_id: Uuid,
    key: String,
    r#type: String,
    headers: serde_json::Value,
    occurred_at: DateTime<Utc>,
    payload: Vec<u8>,
}

impl Row {
    fn record(self) -> Record {
        let header = |name: &str| self.headers.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        Record {
            event: Ok(Event {
                id: self.event_id,
                source: header("ce_source").unwrap_or_default(),
                traceparent: header("traceparent"),
                topic: self.topic.clone(),
                key: self.key,
                r#type: self.r#type,
                time: self.occurred_at,
                payload: self.payload,
            }),
            topic: self.topic,
            partition: 0,
            offset: self.offset,
        }
    }
}

impl PostgresSubscription {
    async fn read_more(&mut self, max: usize) -> Result<(), LogError> {
        let rows: Vec<Row> = sqlx::query_as(
            r#"select r.topic, r."offset", r.event_id, r.key, r.type, r.headers, r.occurred_at, r.payload
               from unnest($1::text[], $2::bigint[]) as want (topic, from_offset)
               cross join lateral (
                   select * from event_log.record r where r.topic = want.topic and r."offset" >= want.from_offset
                   order by r."offset" limit $3
               ) r
               order by r.topic, r."offset""#,
        )
        .bind(self.next.keys().cloned().collect::<Vec<_>>())
        .bind(self.next.values().copied().collect::<Vec<_>>())
        .bind(i64::try_from(max).unwrap_or(i64::MAX))
        .fetch_all(self.held.connection())
        .await?;
        for row in &rows {
            if let Some(next) = self.next.get_mut(&row.topic) {
                *next = (*next).max(row.offset + 1);
            }
        }
        self.read = merge(rows);
        Ok(())
    }
}

#[async_trait]
impl Subscription for PostgresSubscription {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Record>, LogError> {
        if self.read.is_empty() {
            self.read_more(max).await?;
        }
        if self.read.is_empty() {
            tokio::select! {
                heard = self.listener.try_recv() => { heard?; }
                () = tokio::time::sleep(POLL) => {}
            }
            self.read_more(max).await?;
        }
        let take = self.read.len().min(max);
        Ok(self.read.drain(..take).collect())
    }

    async fn lag(&mut self) -> Result<Vec<(String, i32, i64)>, LogError> {
        let unread: HashMap<&str, i64> = self.read.iter().fold(HashMap::new(), |mut unread, record| {
            *unread.entry(record.topic.as_str()).or_default() += 1;
            unread
        });
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select t.name, t.next_offset - want.from_offset
             from unnest($1::text[], $2::bigint[]) as want (topic, from_offset) join event_log.topic t on t.name = want.topic",
        )
        .bind(self.next.keys().cloned().collect::<Vec<_>>())
        .bind(self.next.values().copied().collect::<Vec<_>>())
        .fetch_all(self.held.connection())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(topic, behind)| {
                let more = unread.get(topic.as_str()).copied().unwrap_or(0);
                (topic, 0, behind.max(0) + more)
            })
            .collect())
    }

    async fn acknowledge(&mut self, _records: &[Record]) -> Result<(), LogError> {
        // The consumer keeps its positions beside its effects. This says so early that the election was lost.
        self.held.connection().ping().await?;
        Ok(())
    }
}

/// Merges the topics by time, so that causes tend to come before effects; a topic's own order always holds, also
/// where clocks differ.
fn merge(rows: Vec<Row>) -> VecDeque<Record> {
    let mut topics: BTreeMap<String, VecDeque<Row>> = BTreeMap::new();
    for row in rows {
        topics.entry(row.topic.clone()).or_default().push_back(row);
    }
    let mut heads: BinaryHeap<Reverse<(DateTime<Utc>, String)>> =
        topics.iter().filter_map(|(topic, rows)| rows.front().map(|r| Reverse((r.occurred_at, topic.clone())))).collect();
    let mut records = VecDeque::new();
    while let Some(Reverse((_, topic))) = heads.pop() {
        let Some(rows) = topics.get_mut(&topic) else { continue };
        if let Some(row) = rows.pop_front() {
            records.push_back(row.record());
        }
        if let Some(next) = rows.front() {
            heads.push(Reverse((next.occurred_at, topic)));
        }
    }
    records
}
