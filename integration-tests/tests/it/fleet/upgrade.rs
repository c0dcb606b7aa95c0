//! The upgrade drill: the previous release's programs and these, under load, on one schema; and back again.

use std::path::PathBuf;
use std::sync::Arc;

use integration_tests::databases::Databases;
use integration_tests::fleet::{Fleet, FleetOptions, SERVICES};
use integration_tests::kafka::Kafka;
use integration_tests::scratch;
use wraparound::district::database::SCHEMAS;
use wraparound::district::secrets::Secrets;

use crate::faults::books;
use crate::faults::writers::{self, World};

/// Run by `make upgrade-drill`, which builds the previous programs.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the previous programs: make upgrade-drill"]
async fn an_upgrade_and_its_rollback_lose_nothing() {
    let previous = PathBuf::from(std::env::var("WRAPAROUND_PREVIOUS_BINARIES").expect("make upgrade-drill sets it"));
    let kafka = tokio::task::spawn_blocking(Kafka::start).await.unwrap().unwrap();
    let folder = scratch::folder("upgrade").unwrap();
    // One database, so that the books of all services can be compared in one query.
    let databases = Databases::together(&Secrets::open_or_create(folder.path()).unwrap()).await;
    let options =
        FleetOptions { kafka: Some(kafka.bootstrap()), databases: Some(databases.clone()), binaries: Some(previous.clone()), ..FleetOptions::default() };
    let mut fleet = Fleet::start(options).await;
    let world = Arc::new(World::prepare(&fleet).await);
    let writers = writers::start(&world);
    let told = |step: &str| println!("{:>6} writes acknowledged: {step}", world.acknowledged());
    told("the previous release serves");

    // Expand: the init container of the first new pod. The previous release goes on, on the new schema.
    fleet.use_binaries(None);
    for service in SCHEMAS {
        fleet.migrate(service).await;
    }
    world.progress_beyond(world.acknowledged()).await;
    told("the schemas are those of the new release, the previous one serves");

    roll(&mut fleet, &world, "the new release").await;
    fleet.use_binaries(Some(previous));
    roll(&mut fleet, &world, "the previous release, rolled back to, on the new schema").await;
    fleet.use_binaries(None);
    roll(&mut fleet, &world, "the new release again").await;

    let ledger = world.stop(writers).await;
    println!("{} writes acknowledged through an upgrade, a rollback and an upgrade", world.acknowledged());
    books::balance(databases.admin("plans"), &ledger).await;
    let log = fleet.log();
    assert!(!log.contains("event put with the dead letters"), "an event was refused:\n{log}");
}

/// One service after the other, while people work.
async fn roll(fleet: &mut Fleet, world: &World, to: &str) {
    for service in SERVICES {
        let before = world.acknowledged();
        fleet.stop(service).await;
        fleet.launch(service).await;
        world.progress_beyond(before).await;
        println!("{:>6} writes acknowledged: {service} is {to}", world.acknowledged());
    }
}
