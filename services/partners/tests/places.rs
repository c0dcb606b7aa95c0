//! Places are never sold twice, whoever asks at once, and each is given back once.
#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod district;

use chassis_rpc::Fault as _;
use district::{PARTNER, STAFF, advance};
use partners::referral::{Side, State, Transition};
use partners::service::places;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_at_once_on_ten_places_are_ten() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, 10).await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let referral = district::sent(&pool, partner_id, service_id).await;
        advance(&pool, referral.referral_id, PARTNER, Transition::Open).await.unwrap();
        waiting.push(referral.referral_id);
    }
    let asked = waiting.into_iter().map(|id| {
        let pool = pool.clone();
        tokio::spawn(async move { advance(&pool, id, PARTNER, Transition::Accept).await })
    });
    let answers = futures_util::future::join_all(asked).await;
    let accepted = answers.iter().filter(|a| matches!(a, Ok(Ok(r)) if r.state() == State::Accepted)).count();
    let full = answers.iter().filter(|a| matches!(a, Ok(Err(e)) if e.reason() == "NO_CAPACITY" && e.kind() == chassis_rpc::Kind::Exhausted)).count();
    assert_eq!((accepted, full), (10, 40));
    assert_eq!(district::count(&pool, "select taken::bigint from partners.capacity").await, 10);
    assert_eq!(district::count(&pool, "select count(*) from partners.referral where holds_place").await, 10);
    // Fewer places than are taken: nobody leaves, nobody new gets in, and the next to end frees none.
    partners::service::set_capacity(&pool, service_id, 5, &district::request()).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    assert_eq!(places::shift(&mut conn, service_id, 1, 0).await.unwrap_err().reason(), "NO_CAPACITY");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_in_whatever_order_places_add_up() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, 4).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(district::sent(&pool, partner_id, service_id).await.referral_id);
    }
    // Four walkers make random moves on the same referrals; most are refused, as they should be.
    let walks = (0..4u64).map(|walker| {
        let (pool, ids) = (pool.clone(), ids.clone());
        tokio::spawn(async move {
            let mut seed = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(walker + 1);
            let mut moved = 0;
            for _ in 0..150 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let random = (seed >> 33) as usize;
                let transition = Transition::ALL[random / ids.len() % Transition::ALL.len()];
                // What ends a referral is rarer than what moves it on, or all would be over soon.
                let ends = matches!(transition, Transition::Void | Transition::Withdraw | Transition::Decline | Transition::Unable | Transition::Stop);
                if ends && !random.is_multiple_of(3) {
                    continue;
                }
                let actor = if random & 1 == 0 { PARTNER } else { STAFF };
                match advance(&pool, ids[random % ids.len()], actor, transition).await {
                    Ok(_) => moved += 1,
                    Err(error) => assert!(["WRONG_STATE", "WRONG_SIDE", "NO_CAPACITY"].contains(&error.reason()), "{error}"),
                }
            }
            moved
        })
    });
    let moved: i32 = futures_util::future::join_all(walks).await.into_iter().map(Result::unwrap).sum();
    assert!(moved > 20, "{moved}");
    let wrong = "select count(*) from partners.capacity as c
                 where c.taken <> (select count(*) from partners.referral as r where r.service_id = c.service_id and r.holds_place)
                    or c.waitlisted <> (select count(*) from partners.referral as r where r.service_id = c.service_id and r.waits) or c.taken > 4";
    assert_eq!(district::count(&pool, wrong).await, 0);
    let held = "select count(*) from partners.referral where holds_place <> (state in ('accepted', 'started', 'attending', 'paused'))";
    assert_eq!(district::count(&pool, held).await, 0);
    // One step a version, and one event a step.
    assert_eq!(district::count(&pool, "select sum(version)::bigint - (select count(*) from partners.referral_step) from partners.referral").await, 0);
    assert_eq!(
        district::count(
            &pool,
            "select count(*) - (select count(*) from partners.referral_step) from partners.outbox where aggregatetype = 'partners.referral.v1'"
        )
        .await,
        0
    );
}

#[tokio::test]
async fn a_place_is_held_from_accepting_to_the_end() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, 1).await;
    let first = district::sent(&pool, partner_id, service_id).await.referral_id;
    let second = district::sent(&pool, partner_id, service_id).await.referral_id;
    for (id, transition) in [(first, Transition::Open), (second, Transition::Open), (first, Transition::Accept)] {
        advance(&pool, id, PARTNER, transition).await.unwrap();
    }
    // The same accept again, by its own request id, is the same accept.
    let again = advance(&pool, first, PARTNER, Transition::Accept).await.unwrap();
    assert_eq!((again.state(), again.version), (State::Accepted, 4));
    assert_eq!(advance(&pool, second, PARTNER, Transition::Accept).await.unwrap_err().reason(), "NO_CAPACITY");
    advance(&pool, second, PARTNER, Transition::Waitlist).await.unwrap();
    for transition in [Transition::Start, Transition::Attend, Transition::Pause, Transition::Resume, Transition::Complete] {
        advance(&pool, first, PARTNER, transition).await.unwrap();
    }
    let seated = advance(&pool, second, PARTNER, Transition::Seat).await.unwrap();
    assert_eq!(seated.state(), State::Accepted);
    assert_eq!(district::count(&pool, "select (taken * 10 + waitlisted)::bigint from partners.capacity").await, 10);
    let judged = partners::referral::judge(&pool, first, STAFF, proto::partners::v1::Outcome::NeedMet, 0, &district::request()).await.unwrap();
    assert_eq!(judged.state(), State::Closed);
    assert!(judged.check(Transition::Void, Side::Requester, None).is_err());
}
