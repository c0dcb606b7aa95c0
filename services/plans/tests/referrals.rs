//! Referrals move the items they are for, once, and their closing judges the needs.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use district::{District, need, request};
use plans::PlanError;
use plans::need::entity::{NeedState, UnmetReason};
use plans::plan_item::entity::{ItemState, ItemTransition};
use plans::{need as needs, plan_item};
use proto::partners::v1::{Outcome, ReferralState as R};
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

const TOPIC: &str = "partners.referral.v1";

async fn with_item() -> (District, String, plan_item::entity::Item) {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 40);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let item = d.add(&[&entry.entry_id]).await;
    (d, entry.entry_id, item)
}

#[tokio::test]
async fn the_main_line_ends_with_the_need_met() {
    let (d, need_id, item) = with_item().await;
    let referral = Uuid::now_v7();
    let line = [
        (R::Draft, ItemState::Planned, NeedState::Open),
        (R::Sent, ItemState::Arranging, NeedState::Open),
        (R::Received, ItemState::Arranging, NeedState::Open),
        (R::Accepted, ItemState::Arranging, NeedState::Open),
        (R::Started, ItemState::InPlace, NeedState::BeingAddressed),
        (R::Attending, ItemState::InPlace, NeedState::BeingAddressed),
        (R::Completed, ItemState::Done, NeedState::Open),
        (R::Closed, ItemState::Done, NeedState::Met),
    ];
    for (version, (state, item_state, need_state)) in (1..).zip(line) {
        for _ in 0..2 {
            d.referral(TOPIC, referral, version, state, |r| {
                r.plan_item_id = item.plan_item_id.to_string();
                r.need_ids = vec![need_id.clone()];
                r.outcome = if state == R::Closed { Outcome::NeedMet.into() } else { 0 };
            })
            .await;
        }
        assert_eq!((d.item_now(&item).await.state, d.need_now(&need_id).await.state), (item_state, need_state), "{state:?}");
    }
    let now = d.item_now(&item).await;
    assert_eq!(now.referral_id, Some(referral));
    // Each change is told once, and versions leave no gap.
    let items: Vec<i64> = d.items_told().await.iter().map(|i| i.version).collect();
    assert_eq!(items, (1..=now.version).collect::<Vec<_>>());
    let told = d.needs_told().await;
    assert_eq!(told.iter().map(|n| n.version).collect::<Vec<_>>(), (1..=d.need_now(&need_id).await.version).collect::<Vec<_>>());
    assert!(told.last().unwrap().has_item_in_place, "done counts as having been in place");
    // An older event that comes late changes nothing.
    let size = d.outbox_size().await;
    d.referral(TOPIC, referral, 3, R::Received, |r| r.plan_item_id = item.plan_item_id.to_string()).await;
    assert_eq!(d.outbox_size().await, size);
}

#[tokio::test]
async fn a_decline_leaves_the_need_unmet_with_its_reason_and_a_new_referral_takes_over() {
    let (d, need_id, item) = with_item().await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let to_item = |r: &mut proto::partners::v1::ReferralChanged| r.plan_item_id = item.plan_item_id.to_string();
    d.referral(TOPIC, first, 1, R::Sent, to_item).await;
    d.referral(TOPIC, first, 2, R::Declined, |r| {
        to_item(r);
        "no_capacity".clone_into(&mut r.reason);
        "partner".clone_into(&mut r.reason_side);
    })
    .await;
    let ended = d.item_now(&item).await;
    assert_eq!((ended.state, ended.ended_reason), (ItemState::NotAvailable, Some(UnmetReason::NoCapacity)));
    let unmet = d.need_now(&need_id).await;
    assert!(unmet.all_items_ended);
    assert_eq!(unmet.unmet(unmet.recorded_at.date_naive(), 20), Some(UnmetReason::NoCapacity));

    d.referral(TOPIC, second, 1, R::Sent, to_item).await;
    assert_eq!(d.item_now(&item).await.state, ItemState::Arranging);
    // Closing the first one now, as not met, takes nothing from the second and judges nothing.
    d.referral(TOPIC, first, 3, R::Closed, |r| {
        to_item(r);
        r.need_ids = vec![need_id.clone()];
        r.outcome = Outcome::NeedNotMet.into();
    })
    .await;
    let now = d.item_now(&item).await;
    assert_eq!((now.state, now.referral_id), (ItemState::Arranging, Some(second)));
    assert_eq!(d.need_now(&need_id).await.state, NeedState::Open);
    d.referral(TOPIC, second, 2, R::Withdrawn, |r| {
        to_item(r);
        "transport".clone_into(&mut r.reason);
        "family".clone_into(&mut r.reason_side);
    })
    .await;
    let now = d.item_now(&item).await;
    assert_eq!((now.state, now.ended_reason), (ItemState::DeclinedByFamily, Some(UnmetReason::Transport)));
}

#[tokio::test]
async fn an_item_with_a_referral_is_not_moved_by_hand_until_the_referral_is_void() {
    let (d, _, item) = with_item().await;
    let referral = Uuid::now_v7();
    let to_item = |r: &mut proto::partners::v1::ReferralChanged| r.plan_item_id = item.plan_item_id.to_string();
    d.referral(TOPIC, referral, 1, R::Sent, to_item).await;
    let by_hand = |version| plan_item::Transition {
        replaced_by: None,
        plan_item_id: item.plan_item_id,
        transition: ItemTransition::PutInPlace,
        reason: None,
        expected_version: version,
        request: request("plans.TransitionPlanItem"),
    };
    let version = d.item_now(&item).await.version;
    assert!(matches!(plan_item::transition(&d.pool, &by_hand(version), &Clearance::full()).await, Err(PlanError::Derived)));
    d.referral(TOPIC, referral, 2, R::Void, to_item).await;
    let freed = d.item_now(&item).await;
    assert_eq!(freed.state, ItemState::Planned);
    assert_eq!(plan_item::transition(&d.pool, &by_hand(freed.version), &Clearance::full()).await.unwrap().state, ItemState::InPlace);
}

#[tokio::test]
async fn a_referral_for_needs_alone_gets_an_item_of_its_own() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let referral = Uuid::now_v7();
    for (version, state) in [(1, R::Sent), (1, R::Sent), (2, R::Started)] {
        d.referral(TOPIC, referral, version, state, |r| r.need_ids = vec![entry.entry_id.clone()]).await;
    }
    let whole = d.plan(&Clearance::full()).await;
    assert_eq!(whole.items.len(), 1);
    assert_eq!((whole.items[0].state, whole.items[0].referral_id), (ItemState::InPlace, Some(referral)));
    assert_eq!(d.need_now(&entry.entry_id).await.state, NeedState::BeingAddressed);
}

#[tokio::test]
async fn an_item_written_after_its_referral_follows_it() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let plan_id = d.plan(&Clearance::full()).await.plan.plan_id;
    let item = d.item(plan_id, &[&entry.entry_id]);
    d.referral(TOPIC, Uuid::now_v7(), 5, R::Started, |r| r.plan_item_id = item.plan_item_id.to_string()).await;
    let stored = plan_item::add(&d.pool, &plan_item::Add { item, request: request("plans.AddPlanItem") }, &Clearance::full()).await.unwrap();
    assert_eq!(stored.state, ItemState::InPlace);
}

#[tokio::test]
async fn a_later_judgement_by_a_person_stands() {
    let (d, need_id, item) = with_item().await;
    let held = d.need_now(&need_id).await;
    let judge = needs::Judge { need_id: held.need_id, state: NeedState::PartlyMet, expected_version: held.version, request: request("plans.JudgeNeed") };
    let judged = needs::judge(&d.pool, &judge, &Clearance::full()).await.unwrap();
    assert_eq!(judged.state, NeedState::PartlyMet);
    assert_eq!(needs::judge(&d.pool, &judge, &Clearance::full()).await.unwrap(), judged, "the same request again answers the same");
    d.referral(TOPIC, Uuid::now_v7(), 1, R::Closed, |r| {
        r.plan_item_id = item.plan_item_id.to_string();
        r.need_ids = vec![need_id.clone()];
        r.outcome = Outcome::NeedMet.into();
        r.time = Some(district::stamp(district::days_ago(1)));
    })
    .await;
    assert_eq!(d.need_now(&need_id).await.state, NeedState::PartlyMet);
    let stale = needs::Judge { request: request("plans.JudgeNeed"), ..judge };
    assert!(matches!(needs::judge(&d.pool, &stale, &Clearance::full()).await, Err(PlanError::Stale)));
}
