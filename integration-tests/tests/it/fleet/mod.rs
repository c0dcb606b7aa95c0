//! A district as a large one runs it: every service as processes of its own over mutual TLS, Apache Kafka over TLS, a database and a
//! role for each, work apart from calls. One full journey through it, and what operators do to it.

mod doors;
mod restore;
mod seen;
mod upgrade;

use std::time::{Duration, Instant};

use integration_tests::authority::Authority;
use integration_tests::fleet::{Fleet, FleetOptions, SERVICES};
use integration_tests::kafka::Kafka;
use integration_tests::otlp::receive;

use crate::journey::{has_a_whole_chain, told, wraparound};

/// Acts the main job out, from the roster's import to the report.
async fn act(fleet: &Fleet) {
    let ready = fleet.ready_file().display().to_string();
    let output = wraparound(&["story", "--format", "json", "--address", &ready], None).await;
    assert!(output.status.success(), "{}\n{}", told(&output), fleet.log());
    has_a_whole_chain(&serde_json::from_slice(&output.stdout).unwrap());
}

#[tokio::test]
async fn a_large_district_works_is_closed_is_seen_renews_certificates_and_is_restored() {
    let authority = Authority::make();
    let kafka = {
        let authority = authority.clone();
        tokio::task::spawn_blocking(move || Kafka::start_tls(&authority)).await.unwrap().unwrap()
    };
    let (collector, received) = receive().await;
    let options = FleetOptions {
        kafka: Some(kafka.bootstrap()),
        authority: Some(authority.clone()),
        otlp_endpoint: Some(format!("http://{collector}")),
        ..FleetOptions::default()
    };
    let mut fleet = Fleet::start(options).await;
    act(&fleet).await;
    doors::are_closed(&fleet, &authority).await;
    seen::one_trace_from_page_to_consumer(&fleet, &authority, &received).await;
    seen::every_metric_that_is_documented(&fleet).await;
    certificates_are_renewed(&mut fleet, &authority).await;
    restore::gives_equal_reports(fleet).await;
}

/// A process that sees its certificate replaced ends in good order, to be started again with the new one.
async fn certificates_are_renewed(fleet: &mut Fleet, authority: &Authority) {
    authority.renew("plans");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !fleet.has_ended("plans") {
        assert!(Instant::now() < deadline, "plans goes on with its old certificate; it said:\n{}", fleet.log_of("plans"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for service in SERVICES.iter().filter(|service| **service != "plans") {
        assert!(!fleet.has_ended(service), "{service} ended, whose certificate is as it was");
    }
    fleet.kill9("plans");
    fleet.launch("plans").await;
    seen::reports(fleet).await;
}
