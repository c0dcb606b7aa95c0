//! With events flowing, the process is killed, PostgreSQL restarted and Kafka killed, at random moments, over many
//! rounds. Then: every acknowledged write is there, each event is in reporting's numbers once, and none is lost.

pub mod books;
pub mod writers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use integration_tests::district::{District, DistrictOptions};
use integration_tests::kafka::Kafka;
use integration_tests::postgres::TestPostgres;
use rand::RngExt as _;

use writers::World;

/// Rounds a log; each is one fault.
const ROUNDS: usize = 12;

#[derive(Clone, Copy, Debug)]
enum Fault {
    KillProcess,
    RestartPostgres,
    KillKafka,
}

/// What may break, and how it comes back.
struct Ground {
    district: District,
    postgres: Option<TestPostgres>,
    kafka: Option<Kafka>,
}

impl Ground {
    async fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::KillProcess => {
                self.district.kill9();
                self.district.restart().await;
            }
            Fault::RestartPostgres => {
                let mut postgres = self.postgres.take().unwrap();
                let postgres = tokio::task::spawn_blocking(move || {
                    postgres.server().restart().unwrap();
                    postgres
                });
                self.postgres = Some(postgres.await.unwrap());
            }
            Fault::KillKafka => {
                let mut kafka = self.kafka.take().unwrap();
                let kafka = tokio::task::spawn_blocking(move || {
                    kafka.kill9().unwrap();
                    std::thread::sleep(Duration::from_millis(300));
                    kafka.restart().unwrap();
                    kafka
                });
                self.kafka = Some(kafka.await.unwrap());
            }
        }
    }
}

async fn nothing_is_lost(kafka: Option<Kafka>, faults: &[Fault]) {
    let postgres = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap().unwrap();
    let database = postgres.fresh_database("faults").await.unwrap();
    let options = DistrictOptions { database: Some(database.clone()), kafka: kafka.as_ref().map(Kafka::bootstrap), ..DistrictOptions::default() };
    let district = District::start(options).await;
    let world = Arc::new(World::prepare(&district).await);
    let writers = writers::start(&world);
    let mut ground = Ground { district, postgres: Some(postgres), kafka };

    let began = Instant::now();
    for round in 0..ROUNDS {
        let (wait, fault) = {
            let mut random = rand::rng();
            // Each kind at least once; after that as it comes.
            let which = if round < faults.len() { round } else { random.random_range(0..faults.len()) };
            (Duration::from_millis(random.random_range(150..1200)), faults[which])
        };
        tokio::time::sleep(wait).await;
        let acknowledged = world.acknowledged();
        println!("round {round}: {fault:?} after {:.1} s, {acknowledged} writes acknowledged so far", began.elapsed().as_secs_f64());
        ground.strike(fault).await;
        world.point_at(&ground.district);
        // Work goes on before the next one strikes.
        world.progress_beyond(acknowledged).await;
    }
    let ledger = world.stop(writers).await;
    println!("{} writes acknowledged through {ROUNDS} faults", world.acknowledged());
    books::balance(&database, &ledger).await;
    let log = ground.district.log();
    assert!(!log.contains("event put with the dead letters"), "an event was refused:\n{log}");
    tokio::task::spawn_blocking(move || drop(ground)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_the_postgres_log() {
    nothing_is_lost(None, &[Fault::KillProcess, Fault::RestartPostgres]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_kafka() {
    let kafka = tokio::task::spawn_blocking(Kafka::start).await.unwrap().unwrap();
    nothing_is_lost(Some(kafka), &[Fault::KillProcess, Fault::RestartPostgres, Fault::KillKafka]).await;
}
