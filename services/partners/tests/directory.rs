//! The directory: found by the beginnings of words, those with places first, page by page.
#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod district;

use chassis_rpc::Fault as _;
use district::{PARTNER, advance, request};
use partners::partner::{self, Partner};
use partners::referral::Transition;
use partners::service::repo::{self, Search};

#[tokio::test]
async fn services_with_places_come_first_and_pages_join() {
    let pool = district::database().await;
    let (partner_id, full) = district::ready(&pool, 1).await;
    let referral = district::sent(&pool, partner_id, full).await;
    for transition in [Transition::Open, Transition::Accept] {
        advance(&pool, referral.referral_id, PARTNER, transition).await.unwrap();
    }
    let mut free = Vec::new();
    for _ in 0..3 {
        free.push(district::service(&pool, partner_id, "ED-TUT", 2).await);
    }
    district::service(&pool, partner_id, "ENR-ART", 2).await;
    let mut conn = pool.acquire().await.unwrap();
    let mut found = Vec::new();
    let mut search = Search { category: Some("ED-TUT".into()), words: repo::words("home READ"), ..Search::default() };
    loop {
        let page = repo::search(&mut conn, &search, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        search.after = Some((last.capacity.left() == Some(0), last.name.clone(), last.service_id));
        found.extend(page.into_iter().map(|s| s.service_id));
    }
    free.push(full);
    assert_eq!(found, free, "the full one last");
    search = Search { words: repo::words("swimming"), ..Search::default() };
    assert!(repo::search(&mut conn, &search, 2).await.unwrap().is_empty());
    // A partner that is paused offers nothing.
    let paused = Partner { partner_id, name: "Fictional Helpers".into(), sector: "SEC-CBO".into(), status: "paused".into(), version: 1 };
    assert_eq!(partner::put(&pool, &paused, 9, &request()).await.unwrap_err().reason(), "ETAG_MISMATCH");
    assert_eq!(partner::put(&pool, &paused, 0, &request()).await.unwrap_err().reason(), "PARTNER_EXISTS");
    assert_eq!(partner::put(&pool, &paused, 1, &request()).await.unwrap().version, 2);
    assert!(repo::search(&mut conn, &Search::default(), 2).await.unwrap().is_empty());
}
