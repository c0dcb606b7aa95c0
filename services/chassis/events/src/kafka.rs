//! The log in Apache Kafka: what a district runs on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::envelope::Event;
use crate::log::{EventLog, LogError, Positions, Record, Subscription, Topic};

/// How to reach the brokers.
#[derive(Clone, Debug, Deserialize)]
pub struct KafkaSettings {
    /// `host:port`, several by commas.
    pub brokers: String,
    /// `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
    pub security_protocol: String,
    /// How the password is shown to the broker, where there is a user name.
    pub sasl_mechanism: String,
    /// User name for SASL; none where empty.
    pub username: String,
    /// Password for SASL. Secret.
    pub password: SecretString,
    /// PEM file of the authority of the brokers' certificates; the system's ones where empty.
    pub ca_file: String,
    /// PEM file of the certificate that is shown to brokers; none where empty.
    pub certificate: String,
    /// PEM file of its key.
    pub key: String,
    /// Whether topics are made where they are missing.
    pub create_topics: bool,
    /// Copies of each topic that we make.
    pub replication: i32,
    /// Put before every topic's name, so that several districts can share brokers.
    pub topic_prefix: String,
}

/// How long a question to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The log on Kafka.
pub struct KafkaLog {
    settings: KafkaSettings,
    producer: FutureProducer,
}

fn client(settings: &KafkaSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers).set("security.protocol", &settings.security_protocol);
    if !settings.username.is_empty() {
        config.set("sasl.mechanism", &settings.sasl_mechanism).set("sasl.username", &settings.username).set("sasl.password", settings.password.expose_secret());
    }
    for (key, file) in [("ssl.ca.location", &settings.ca_file), ("ssl.certificate.location", &settings.certificate), ("ssl.key.location", &settings.key)] {
        if !file.is_empty() {
            config.set(key, file);
        }
    }
    config
}

impl KafkaLog {
    /// Opens the log. Connects in the background.
    pub fn new(settings: KafkaSettings) -> Result<Self, LogError> {
        let producer = client(&settings)
            // Implies acks=all and keeps the order of retried batches.
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("message.timeout.ms", "120000")
            .create()?;
        Ok(Self { settings, producer })
    }

    fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.settings.topic_prefix)
    }
}

#[async_trait]
impl EventLog for KafkaLog {
    async fn ensure_topics(&self, topics: &[Topic]) -> Result<(), LogError> {
        // A service that only listens has none, and the broker refuses to make none.
        if topics.is_empty() || !self.settings.create_topics {
            return Ok(());
        }
        let admin: AdminClient<DefaultClientContext> = client(&self.settings).create()?;
        let names: Vec<String> = topics.iter().map(|t| self.topic(t.name)).collect();
        let new: Vec<NewTopic<'_>> = topics
            .iter()
            .zip(&names)
            .map(|(topic, name)| {
                NewTopic::new(name, topic.partitions, TopicReplication::Fixed(self.settings.replication))
                    // Read models are rebuilt from the log, so it keeps everything; operators may bound it.
                    .set("retention.ms", "-1")
                    .set("cleanup.policy", if topic.compacted { "compact" } else { "delete" })
            })
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
        for result in admin.create_topics(&new, &options).await? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(LogError::Refused(format!("cannot make topic {topic}: {code}"))),
            }
        }
        Ok(())
    }

    async fn publish(&self, events: &[Event]) -> Result<(), LogError> {
        let names: Vec<String> = events.iter().map(|e| self.topic(&e.topic)).collect();
        let mut sent = Vec::with_capacity(events.len());
        for (event, name) in events.iter().zip(&names) {
            let headers = event.headers().into_iter().fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(&value) }));
            let mut record = FutureRecord::to(name).key(&event.key).headers(headers);
            if !event.payload.is_empty() {
                record = record.payload(&event.payload);
            }
            // A full queue is back-pressure: wait for what is under way and go on.
            loop {
                match self.producer.send_result(record) {
                    Ok(delivery) => {
                        sent.push(delivery);
                        break;
                    }
                    Err((error, unsent)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        record = unsent;
                    }
                    Err((error, _)) => return Err(error.into()),
                }
            }
        }
        for delivery in join_all(sent).await {
            match delivery {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(error.into()),
                Err(_) => return Err(LogError::Refused("the producer went away".to_owned())),
            }
        }
        Ok(())
    }

    async fn read_by(&self, group: &str, topics: &[&str]) -> Result<Positions, LogError> {
        let consumer: BaseConsumer = client(&self.settings).set("group.id", format!("{}{group}", self.settings.topic_prefix)).create()?;
        let names: Vec<String> = topics.iter().map(|topic| self.topic(topic)).collect();
        let prefix = self.settings.topic_prefix.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let mut partitions = TopicPartitionList::new();
            for name in &names {
                for topic in consumer.fetch_metadata(Some(name), PATIENCE)?.topics() {
                    for partition in topic.partitions() {
                        partitions.add_partition(topic.name(), partition.id());
                    }
                }
            }
            let committed = consumer.committed_offsets(partitions, PATIENCE)?;
            let known = committed.elements().into_iter().filter_map(|element| {
                let Offset::Offset(next) = element.offset() else { return None };
                let topic = element.topic().strip_prefix(&prefix).unwrap_or(element.topic()).to_owned();
                Some(((topic, element.partition()), next))
            });
            Ok::<Positions, KafkaError>(known.collect())
        });
        Ok(asked.await.map_err(|_| LogError::Refused("the question for the group's offsets was interrupted".to_owned()))??)
    }

    async fn subscribe(&self, group: &str, topics: &[&str], _positions: Positions) -> Result<Box<dyn Subscription>, LogError> {
        let lag = Lag::default();
        let consumer: StreamConsumer<Lag> = client(&self.settings)
            .set("group.id", format!("{}{group}", self.settings.topic_prefix))
            // Offsets are stored after the database commit and committed in the background: no commit happens
            // inside a rebalance, where it would race (librdkafka 4059).
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", "1000")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("partition.assignment.strategy", "cooperative-sticky")
            // A killed reader's partitions go to its successor this soon; nobody waits three quarters of a minute after a crash.
            .set("session.timeout.ms", "15000")
            .set("fetch.wait.max.ms", "50")
            .set("topic.metadata.refresh.interval.ms", "5000")
            .set("statistics.interval.ms", "5000")
            .create_with_context(lag.clone())?;
        let names: Vec<String> = topics.iter().map(|t| self.topic(t)).collect();
        consumer.subscribe(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Box::new(KafkaSubscription { consumer, lag, prefix: self.settings.topic_prefix.clone() }))
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        // Every publish was awaited, so this only ends the client's threads.
        let _ = self.producer.flush(Duration::from_secs(5));
    }
}

/// What the client last said of how far behind it is, by topic and partition.
#[derive(Clone, Default)]
struct Lag(Arc<Mutex<Vec<(String, i32, i64)>>>);

impl ClientContext for Lag {
    fn stats(&self, told: Statistics) {
        let mut lag = Vec::new();
        for (name, topic) in &told.topics {
            // Partition -1 is the client's own, and a lag below nought says that it does not know.
            let known = topic.partitions.iter().filter(|(partition, of)| **partition >= 0 && of.fetch_state == "active" && of.consumer_lag >= 0);
            lag.extend(known.map(|(partition, of)| (name.clone(), *partition, of.consumer_lag)));
        }
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = lag;
    }
}

impl ConsumerContext for Lag {}

struct KafkaSubscription {
    consumer: StreamConsumer<Lag>,
    lag: Lag,
    prefix: String,
}

impl KafkaSubscription {
    fn record(&self, message: &BorrowedMessage<'_>) -> Record {
        let topic = message.topic().strip_prefix(&self.prefix).unwrap_or(message.topic()).to_owned();
        let header = |name: &str| {
            let headers = message.headers()?;
            headers.iter().find(|h| h.key == name).and_then(|h| h.value).and_then(|v| std::str::from_utf8(v).ok()).map(str::to_owned)
        };
        let key = message.key().map(|k| String::from_utf8_lossy(k).into_owned()).unwrap_or_default();
        Record {
            event: Event::from_record(&topic, key, &header, message.payload().unwrap_or_default().to_vec()).map_err(|e| e.to_string()),
            partition: message.partition(),
            offset: message.offset(),
            topic,
        }
    }
}

#[async_trait]
impl Subscription for KafkaSubscription {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Record>, LogError> {
        let mut records = Vec::new();
        let first = match tokio::time::timeout(Duration::from_millis(500), self.consumer.recv()).await {
            Ok(Ok(message)) => message,
            // Its owner has not made it yet; the client looks again by itself.
            Ok(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition))) | Err(_) => return Ok(records),
            Ok(Err(error)) => return Err(error.into()),
        };
        records.push(self.record(&first));
        // What has arrived already comes along; nobody waits for more.
        while records.len() < max {
            match tokio::time::timeout(Duration::from_millis(2), self.consumer.recv()).await {
                Ok(message) => records.push(self.record(&message?)),
                Err(_) => break,
            }
        }
        Ok(records)
    }

    async fn lag(&mut self) -> Result<Vec<(String, i32, i64)>, LogError> {
        let lag = self.lag.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        Ok(lag
            .into_iter()
            .map(|(topic, partition, behind)| (topic.strip_prefix(&self.prefix).map(str::to_owned).unwrap_or(topic), partition, behind))
            .collect())
    }

    async fn acknowledge(&mut self, records: &[Record]) -> Result<(), LogError> {
        let mut ends = std::collections::HashMap::new();
        for record in records {
            let end = ends.entry((record.topic.as_str(), record.partition)).or_insert(record.offset);
            *end = (*end).max(record.offset);
        }
        for ((topic, partition), offset) in ends {
            match self.consumer.store_offset(&format!("{}{topic}", self.prefix), partition, offset) {
                Ok(()) => {}
                // The partition went to another member meanwhile; the inbox keeps that one from applying twice.
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::State) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for KafkaSubscription {
    fn drop(&mut self) {
        // Leaving the group before the drop keeps the drop from hanging (rust-rdkafka 453).
        self.consumer.unsubscribe();
    }
}
