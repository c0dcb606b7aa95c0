//! Watchers miss nothing and hear nothing twice, in every replica, while others write.
#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod district;

use std::collections::HashMap;
use std::time::Duration;

use district::{PARTNER, advance};
use partners::referral::watch::Hub;
use partners::referral::{Audience, State, Transition};
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_watcher_of_every_replica_comes_to_the_last_state() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, -1).await;
    let (other, of_other) = district::ready(&pool, -1).await;
    let stop = CancellationToken::new();
    let hubs = [Hub::default(), Hub::default()];
    for hub in &hubs {
        tokio::spawn(hub.clone().listen(pool.clone(), stop.clone()));
    }
    let first = district::sent(&pool, partner_id, service_id).await.referral_id;
    // Watchers come while referrals are made and moved on.
    let writer = {
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut ids = vec![];
            for _ in 0..15 {
                let id = district::sent(&pool, partner_id, service_id).await.referral_id;
                district::sent(&pool, other, of_other).await;
                advance(&pool, id, PARTNER, Transition::Open).await.unwrap();
                advance(&pool, id, PARTNER, Transition::Accept).await.unwrap();
                ids.push(id);
            }
            ids
        })
    };
    let mut watchers = Vec::new();
    for n in 0..20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        watchers.push(hubs[n % 2].follow(pool.clone(), Audience::of_partner(partner_id), false, LONG, stop.clone()));
    }
    let ids = writer.await.unwrap();
    for mut watcher in watchers {
        let mut seen: HashMap<Uuid, (i64, State)> = HashMap::new();
        while seen.len() < ids.len() + 1 || ids.iter().any(|id| seen.get(id).is_none_or(|(_, s)| *s != State::Accepted)) {
            let update = tokio::time::timeout(Duration::from_secs(20), watcher.next()).await.expect("a change is missing").unwrap().unwrap();
            let referral = update.expect("no heartbeat yet");
            assert_eq!(referral.partner_id, partner_id);
            let before = seen.insert(referral.referral_id, (referral.version, referral.state()));
            assert!(before.is_none_or(|(version, _)| version < referral.version), "a version came twice or backwards");
        }
        assert_eq!(seen[&first].1, State::Sent);
    }
    stop.cancel();
}

#[tokio::test]
async fn changes_only_leaves_out_what_is_there_and_quiet_ones_hear_a_heartbeat() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, -1).await;
    let stop = CancellationToken::new();
    let hub = Hub::default();
    tokio::spawn(hub.clone().listen(pool.clone(), stop.clone()));
    district::sent(&pool, partner_id, service_id).await;
    let changed = district::sent(&pool, partner_id, service_id).await.referral_id;
    let mut watcher = hub.follow(pool.clone(), Audience::of_partner(partner_id), true, Duration::from_millis(300), stop.clone());
    let mut next = async || tokio::time::timeout(Duration::from_secs(10), watcher.next()).await.unwrap();
    assert!(next().await.unwrap().unwrap().is_none(), "a heartbeat");
    advance(&pool, changed, PARTNER, Transition::Open).await.unwrap();
    let update = loop {
        if let Some(referral) = next().await.unwrap().unwrap() {
            break referral;
        }
    };
    assert_eq!((update.referral_id, update.state()), (changed, State::Received));
    stop.cancel();
    while let Some(update) = next().await {
        assert!(update.unwrap().is_none());
    }
}
