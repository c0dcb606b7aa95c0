//! What a log must do for us. Kafka and PostgreSQL both pass the same contract tests.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::envelope::Event;

/// A topic as its owner declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// `<service>.<aggregate>.v<major>`.
    pub name: &'static str,
    /// Partitions in Kafka.
    pub partitions: i32,
    /// Only the newest record of each key need be kept.
    pub compacted: bool,
}

impl Topic {
    /// A topic that keeps every record.
    pub const fn full(name: &'static str) -> Self {
        Self { name, partitions: 6, compacted: false }
    }

    /// A topic that keeps the newest record of each key.
    pub const fn state(name: &'static str) -> Self {
        Self { name, partitions: 6, compacted: true }
    }
}

/// What went wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Kafka.
    #[error("kafka")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// PostgreSQL.
    #[error("postgres log")]
    Postgres(#[from] sqlx::Error),
    /// The log ends before the tables do.
    #[error(
        "topic {topic} ends at {end}, but the tables hold its events up to {position}: it is another log than before. Stop the service and run its verb `after-restore --log lost`"
    )]
    Shorter {
        /// Topic.
        topic: String,
        /// Its next offset.
        end: i64,
        /// The consumer's.
        position: i64,
    },
    /// The log did not take a record.
    #[error("the log did not take a record: {0}")]
    Refused(String),
}

/// A record as a subscription hands it out.
#[derive(Clone, Debug)]
pub struct Record {
    /// The event; what is not one of ours comes as an error text, and goes to the dead letters.
    pub event: Result<Event, String>,
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset within the partition.
    pub offset: i64,
}

/// Where a consumer stands: (topic, partition) to the next offset.
pub type Positions = HashMap<(String, i32), i64>;

/// An append-only log of topics.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Makes topics that are not there yet.
    async fn ensure_topics(&self, topics: &[Topic]) -> Result<(), LogError>;

    /// Appends events in order. Answers once all are durable; after an error some may be there.
    async fn publish(&self, events: &[Event]) -> Result<(), LogError>;

    /// How far `group` has read by the log's own account: (topic, partition) to the next offset. Nothing where the log keeps none.
    async fn read_by(&self, group: &str, topics: &[&str]) -> Result<Positions, LogError>;

    /// Follows topics as a member of `group`, from `positions` or the beginning.
    async fn subscribe(&self, group: &str, topics: &[&str], positions: Positions) -> Result<Box<dyn Subscription>, LogError>;
}

/// One member's view of its topics.
#[async_trait]
pub trait Subscription: Send {
    /// The next records in order within each partition: at least one, or none after a short wait.
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Record>, LogError>;

    /// How many records are still to come, by topic and partition, of those that this member reads.
    async fn lag(&mut self) -> Result<Vec<(String, i32, i64)>, LogError>;

    /// Tells the log that the effects of these records are committed.
    async fn acknowledge(&mut self, records: &[Record]) -> Result<(), LogError>;
}
