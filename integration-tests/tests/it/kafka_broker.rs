//! The broker that the other tests stand on: what is acknowledged is there after a kill and after a restart.

use std::time::Duration;

use integration_tests::kafka::Kafka;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::Message as _;
use rdkafka::producer::{FutureProducer, FutureRecord};

const TOPIC: &str = "broker.test.v1";

fn client(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.bootstrap()).set_log_level(RDKafkaLogLevel::Emerg);
    config
}

async fn produce(kafka: &Kafka, key: &str) {
    let producer: FutureProducer = client(kafka).set("acks", "all").create().unwrap();
    let record = FutureRecord::to(TOPIC).key(key).payload("payload");
    producer.send(record, Duration::from_secs(20)).await.unwrap();
}

async fn keys(kafka: &Kafka, count: usize) -> Vec<String> {
    let consumer: StreamConsumer = client(kafka).set("group.id", uuid::Uuid::now_v7().to_string()).set("auto.offset.reset", "earliest").create().unwrap();
    consumer.subscribe(&[TOPIC]).unwrap();
    let mut keys = Vec::new();
    while keys.len() < count {
        let message = tokio::time::timeout(Duration::from_secs(30), consumer.recv()).await.unwrap().unwrap();
        keys.push(String::from_utf8(message.key().unwrap().to_vec()).unwrap());
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_messages_outlive_a_kill_and_a_restart() {
    let mut kafka = tokio::task::spawn_blocking(Kafka::start).await.unwrap().unwrap();
    let admin: AdminClient<DefaultClientContext> = client(&kafka).create().unwrap();
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(1));
    for outcome in admin.create_topics([&topic], &AdminOptions::new()).await.unwrap() {
        outcome.unwrap();
    }
    produce(&kafka, "one").await;
    assert_eq!(keys(&kafka, 1).await, ["one"]);

    let first = kafka.pid().unwrap();
    kafka.kill9().unwrap();
    assert!(kafka.pid().is_none());
    kafka.restart().unwrap();
    assert_ne!(kafka.pid(), Some(first));
    produce(&kafka, "two").await;
    kafka.restart().unwrap();
    assert_eq!(keys(&kafka, 2).await, ["one", "two"]);
}
