//! What both event logs promise: order per key, nothing lost, each effect once, refused events put aside.
//!
//! Every test runs on the PostgreSQL log and on a real Apache Kafka.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chassis_events::kafka::{KafkaLog, KafkaSettings};
use chassis_events::log::Positions;
use chassis_events::postgres::PostgresLog;
use chassis_events::relay::Relay;
use chassis_events::restored::{self, LogAfter};
use chassis_events::{ApplyError, Consumer, Event, EventLog, Handler, Topic, dead_letter, outbox};
use chassis_pg::Migrations;
use integration_tests::kafka::Kafka;
use proto::reviews::v1::TierAssigned;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const TOPIC: &str = "contract.test.v1";
const TOPICS: &[Topic] = &[Topic::full(TOPIC)];

static NO_MORE: sqlx::migrate::Migrator = sqlx::migrate::Migrator::DEFAULT;
/// The chassis' own tables and nothing else.
const MIGRATIONS: Migrations = Migrations { schema: "reviews", own: &NO_MORE };

/// A database with the chassis' tables, and a pool on it.
async fn database() -> PgPool {
    let url = integration_tests::postgres::fresh_database("events").await.unwrap();
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let pool = PgPoolOptions::new().max_connections(12).connect_with(options.options([("search_path", "reviews")])).await.unwrap();
    MIGRATIONS.apply(&pool).await.unwrap();
    sqlx::query("create table effect (key text not null, number bigint not null, position bigint generated always as identity)").execute(&pool).await.unwrap();
    pool
}

async fn postgres_log(pool: &PgPool) -> Arc<dyn EventLog> {
    let log = PostgresLog::new(pool.clone());
    log.ensure_topics(TOPICS).await.unwrap();
    Arc::new(log)
}

async fn kafka_log(kafka: &Kafka) -> Arc<dyn EventLog> {
    let settings = KafkaSettings {
        brokers: kafka.bootstrap(),
        security_protocol: "plaintext".to_owned(),
        sasl_mechanism: "PLAIN".to_owned(),
        username: String::new(),
        ca_file: String::new(),
        certificate: String::new(),
        key: String::new(),
        create_topics: true,
        password: String::new().into(),
        replication: 1,
        topic_prefix: format!("{}.", Uuid::now_v7().simple()),
    };
    let log = KafkaLog::new(settings).unwrap();
    log.ensure_topics(TOPICS).await.unwrap();
    Arc::new(log)
}

/// An event that carries a number; its key decides the order that must hold.
fn numbered(key: &str, number: i32) -> Event {
    Event::new(TOPIC, key, &TierAssigned { school_year: number, ..TierAssigned::default() }, None)
}

/// Writes what it is given into `effect`; refuses number 13, and everything for a while where told to.
struct Effects {
    away: AtomicBool,
    refused: AtomicUsize,
}

impl Effects {
    fn new() -> Arc<Self> {
        Arc::new(Self { away: AtomicBool::new(false), refused: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Handler for Effects {
    fn topics(&self) -> Vec<&'static str> {
        vec![TOPIC]
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        let Some(message) = event.decode::<TierAssigned>()? else { return Ok(()) };
        sqlx::query("insert into effect (key, number) values ($1, $2)").bind(&event.key).bind(i64::from(message.school_year)).execute(&mut *conn).await?;
        if self.away.load(Ordering::SeqCst) {
            // What a lost database looks like to a handler.
            return Err(ApplyError::Retry(sqlx::Error::PoolTimedOut.into()));
        }
        if message.school_year == 13 && self.refused.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(ApplyError::Reject("thirteen is refused".to_owned()));
        }
        Ok(())
    }
}

async fn effects(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("select key, number from effect order by position").fetch_all(pool).await.unwrap()
}

async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !done().await {
        assert!(Instant::now() < until, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Background {
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Background {
    fn start(pool: &PgPool, log: &Arc<dyn EventLog>, handler: &Arc<Effects>) -> Self {
        let stop = CancellationToken::new();
        let relay = Relay::new(pool.clone(), "reviews", log.clone());
        let consumer = Consumer::new("reviews", "effects", pool.clone(), log.clone(), handler.clone());
        let tasks = vec![tokio::spawn(relay.run(stop.clone())), tokio::spawn(consumer.run(stop.clone()))];
        Self { stop, tasks }
    }

    async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

async fn each_effect_once_and_in_order(log: Arc<dyn EventLog>, pool: PgPool) {
    let handler = Effects::new();
    let background = Background::start(&pool, &log, &handler);
    // Three keys, written by three tasks, each in its own transactions.
    let mut writers = Vec::new();
    for key in ["a", "b", "c"] {
        let pool = pool.clone();
        writers.push(tokio::spawn(async move {
            for number in 100..200 {
                let mut tx = pool.begin().await.unwrap();
                outbox::append(&mut tx, &numbered(key, number)).await.unwrap();
                if number % 10 == 0 {
                    tx.rollback().await.unwrap();
                } else {
                    tx.commit().await.unwrap();
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    eventually("all effects", async || effects(&pool).await.len() >= 270).await;
    background.stop().await;

    // The same events come a second time, as after a relay that died before its delete.
    let mut again = Vec::new();
    for key in ["a", "b"] {
        again.push(numbered(key, 300));
    }
    log.publish(&again).await.unwrap();
    log.publish(&again).await.unwrap();
    let background = Background::start(&pool, &log, &handler);
    eventually("the late ones", async || effects(&pool).await.len() >= 272).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    background.stop().await;

    let effects = effects(&pool).await;
    assert_eq!(effects.len(), 272, "each effect once, rolled back ones never");
    for key in ["a", "b", "c"] {
        let numbers: Vec<i64> = effects.iter().filter(|(k, _)| k == key).map(|(_, n)| *n).collect();
        assert!(numbers.is_sorted(), "{key} is out of order: {numbers:?}");
    }
    let left: i64 = sqlx::query_scalar("select count(*) from outbox").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
}

async fn a_refused_event_is_put_aside_and_the_others_go_on(log: Arc<dyn EventLog>, pool: PgPool) {
    let handler = Effects::new();
    for number in 10..20 {
        outbox::append(&mut pool.acquire().await.unwrap(), &numbered("k", number)).await.unwrap();
    }
    let background = Background::start(&pool, &log, &handler);
    eventually("nine effects", async || effects(&pool).await.len() >= 9).await;
    background.stop().await;
    assert!(effects(&pool).await.iter().all(|(_, n)| *n != 13));

    let letters = dead_letter::list(&pool).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, "thirteen is refused");
    // Refused twice so far (in the batch, then alone); the third time it is taken.
    assert_eq!(dead_letter::replay(&pool, letters[0].dead_letter_id, handler.as_ref()).await.unwrap(), dead_letter::Replay::Applied);
    assert_eq!(effects(&pool).await.len(), 10);
    assert!(dead_letter::list(&pool).await.unwrap().is_empty());
    assert_eq!(dead_letter::replay(&pool, letters[0].dead_letter_id, handler.as_ref()).await.unwrap(), dead_letter::Replay::NotFound);
    assert!(!dead_letter::discard(&pool, letters[0].dead_letter_id).await.unwrap());
}

async fn what_is_away_is_waited_for(log: Arc<dyn EventLog>, pool: PgPool) {
    let handler = Effects::new();
    handler.away.store(true, Ordering::SeqCst);
    let background = Background::start(&pool, &log, &handler);
    outbox::append(&mut pool.acquire().await.unwrap(), &numbered("k", 1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(effects(&pool).await.is_empty(), "a failed effect leaves nothing");
    handler.away.store(false, Ordering::SeqCst);
    eventually("the effect", async || effects(&pool).await.len() == 1).await;
    background.stop().await;
    assert!(dead_letter::list(&pool).await.unwrap().is_empty());
}

async fn a_dropped_consumer_starts_from_the_beginning(log: Arc<dyn EventLog>, pool: PgPool) {
    for number in 100..110 {
        outbox::append(&mut pool.acquire().await.unwrap(), &numbered("k", number)).await.unwrap();
    }
    let handler = Effects::new();
    let background = Background::start(&pool, &log, &handler);
    eventually("ten effects", async || effects(&pool).await.len() == 10).await;
    background.stop().await;
    // What dropping and migrating a schema does.
    for statement in ["truncate inbox", "truncate consumer_position", "truncate effect", "update consumer_generation set generation = gen_random_uuid()"] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let background = Background::start(&pool, &log, &handler);
    eventually("ten effects again", async || effects(&pool).await.len() == 10).await;
    background.stop().await;
}

/// Applies twenty events and sets the tables back to the first five, as a restore does.
async fn set_back(log: &Arc<dyn EventLog>, pool: &PgPool, handler: &Arc<Effects>) {
    for number in 100..120 {
        outbox::append(&mut pool.acquire().await.unwrap(), &numbered("k", number)).await.unwrap();
    }
    let background = Background::start(pool, log, handler);
    eventually("twenty effects", async || effects(pool).await.len() == 20).await;
    // Kafka is told of the end within a second, as in a district that ran for a while.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    background.stop().await;
    for statement in
        ["delete from effect where number >= 105", "delete from inbox where event_id not in (select event_id from inbox order by event_id limit 5)"]
    {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    sqlx::query("update consumer_position set next_offset = 5").execute(pool).await.unwrap();
}

fn numbers(effects: &[(String, i64)]) -> Vec<i64> {
    effects.iter().map(|(_, number)| *number).collect()
}

/// Kafka's group is ahead of restored tables. Nothing is passed over in silence, and once somebody has decided nothing is missing or double.
async fn restored_tables_are_noticed_and_read_on(log: Arc<dyn EventLog>, pool: PgPool) {
    let handler = Effects::new();
    set_back(&log, &pool, &handler).await;
    outbox::append(&mut pool.acquire().await.unwrap(), &numbered("k", 120)).await.unwrap();
    let background = Background::start(&pool, &log, &handler);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(numbers(&effects(&pool).await), (100..105).collect::<Vec<_>>(), "a consumer ahead of its tables reads nothing");
    background.stop().await;
    // Its inbox has forgotten what was long ago; the position still knows.
    sqlx::query("truncate inbox").execute(&pool).await.unwrap();
    restored::stand_again(&pool, LogAfter::Kept, None).await.unwrap();
    let background = Background::start(&pool, &log, &handler);
    eventually("all effects", async || effects(&pool).await.len() >= 21).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    background.stop().await;
    assert_eq!(numbers(&effects(&pool).await), (100..=120).collect::<Vec<_>>());
}

/// A log that was lost ends before the tables do. New events are not taken for old ones.
async fn a_lost_log_is_noticed(log: Arc<dyn EventLog>, pool: PgPool) {
    let handler = Effects::new();
    set_back(&log, &pool, &handler).await;
    for statement in ["truncate event_log.record", "update event_log.topic set next_offset = 0"] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    outbox::append(&mut pool.acquire().await.unwrap(), &numbered("k", 120)).await.unwrap();
    let background = Background::start(&pool, &log, &handler);
    tokio::time::sleep(Duration::from_secs(3)).await;
    background.stop().await;
    assert_eq!(effects(&pool).await.len(), 5, "nothing is read while the log is another one");
    restored::stand_again(&pool, LogAfter::Lost, None).await.unwrap();
    let background = Background::start(&pool, &log, &handler);
    eventually("the new one", async || numbers(&effects(&pool).await).ends_with(&[120])).await;
    background.stop().await;
}

#[tokio::test]
async fn a_role_that_may_make_no_schema_makes_its_tables_in_the_one_it_was_given() {
    let url = integration_tests::postgres::fresh_database("log").await.unwrap();
    let owner = PgPool::connect(&url).await.unwrap();
    let role = format!("log_{}", Uuid::now_v7().simple());
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create role {role} login password 'given'; create schema event_log authorization {role}")))
        .execute(&owner)
        .await
        .unwrap();
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let own = PgPoolOptions::new().connect_with(options.username(&role).password("given")).await.unwrap();
    PostgresLog::new(own).ensure_topics(TOPICS).await.unwrap();
}

async fn headers_come_back_as_they_went(log: Arc<dyn EventLog>) {
    // A service that only listens makes no topics.
    log.ensure_topics(&[]).await.unwrap();
    let mut event = numbered("key", 7);
    event.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    log.publish(std::slice::from_ref(&event)).await.unwrap();
    let mut subscription = log.subscribe("headers", &[TOPIC], Positions::new()).await.unwrap();
    let mut records = Vec::new();
    eventually("the record", async || {
        records.extend(subscription.next_batch(10).await.unwrap());
        !records.is_empty()
    })
    .await;
    let back = records[0].event.clone().unwrap();
    assert_eq!(
        (back.id, &back.key, &back.r#type, &back.source, &back.traceparent, &back.payload),
        (event.id, &event.key, &event.r#type, &event.source, &event.traceparent, &event.payload)
    );
    assert_eq!(back.time.timestamp_micros(), event.time.timestamp_micros());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_lock_is_free_at_once() {
    let pool = database().await;
    for round in 0..30 {
        let held = chassis_pg::lock::try_hold(&pool, "a lock").await.unwrap();
        let held = held.unwrap_or_else(|| panic!("round {round}: the lock is still held after its release"));
        assert!(chassis_pg::lock::try_hold(&pool, "a lock").await.unwrap().is_none(), "two hold one lock");
        held.release().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_log_keeps_the_contract() {
    let pool = database().await;
    each_effect_once_and_in_order(postgres_log(&pool).await, pool).await;
    let pool = database().await;
    a_refused_event_is_put_aside_and_the_others_go_on(postgres_log(&pool).await, pool).await;
    let pool = database().await;
    what_is_away_is_waited_for(postgres_log(&pool).await, pool).await;
    let pool = database().await;
    a_dropped_consumer_starts_from_the_beginning(postgres_log(&pool).await, pool).await;
    let pool = database().await;
    a_lost_log_is_noticed(postgres_log(&pool).await, pool).await;
    let pool = database().await;
    headers_come_back_as_they_went(postgres_log(&pool).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_keeps_the_contract() {
    let kafka = tokio::task::spawn_blocking(Kafka::start).await.unwrap().unwrap();
    each_effect_once_and_in_order(kafka_log(&kafka).await, database().await).await;
    a_refused_event_is_put_aside_and_the_others_go_on(kafka_log(&kafka).await, database().await).await;
    what_is_away_is_waited_for(kafka_log(&kafka).await, database().await).await;
    a_dropped_consumer_starts_from_the_beginning(kafka_log(&kafka).await, database().await).await;
    restored_tables_are_noticed_and_read_on(kafka_log(&kafka).await, database().await).await;
    headers_come_back_as_they_went(kafka_log(&kafka).await).await;
    tokio::task::spawn_blocking(move || drop(kafka)).await.unwrap();
}

#[tokio::test]
async fn however_many_consumers_wait_a_service_still_publishes() {
    let pool = database().await;
    let narrow = PgPoolOptions::new().max_connections(2).connect_with((*pool.connect_options()).clone()).await.unwrap();
    let log = postgres_log(&narrow).await;
    let mut waiting = Vec::new();
    for group in ["first", "second", "third"] {
        waiting.push(log.subscribe(group, &[TOPIC], Positions::default()).await.unwrap());
    }
    let published = tokio::time::timeout(Duration::from_secs(10), log.publish(&[numbered("a", 1)])).await;
    assert!(matches!(published, Ok(Ok(()))), "{published:?}");
    for subscription in &mut waiting {
        assert_eq!(subscription.next_batch(10).await.unwrap().len(), 1);
    }
}
