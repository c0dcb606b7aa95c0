//! What reviews say becomes plans, once, whatever the order it comes in.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use district::{District, days_ago, entry, need};
use plans::need::entity::NeedState;
use plans::plan::entity::{PlanState, Tier as PlanTier};
use proto::plans::v1::PlanChanged;
use proto::reviews::v1::{Polarity, StudentReviewState};
use proto::r#type::v1::{Sensitivity, Tier};

#[tokio::test]
async fn a_draft_appears_once_with_strengths_interests_and_needs() {
    let d = District::open().await;
    let entries = [
        need("ACA-RDG", Sensitivity::General, 3),
        entry(Polarity::Strength, "SEB-FRI", Sensitivity::General, 3),
        // Not everybody who sees the plan may know of this one.
        entry(Polarity::Strength, "HLT-MHC", Sensitivity::Restricted, 3),
        entry(Polarity::Interest, "INT-ART", Sensitivity::General, 3),
    ];
    d.reviewed(4, &entries).await;
    let size = d.outbox_size().await;
    d.reviewed(4, &entries).await;
    d.reviewed(3, &[]).await;
    assert_eq!(d.outbox_size().await, size, "the same and older versions change nothing");
    let whole = d.plan(&Clearance::full()).await;
    assert_eq!(whole.plan.state, PlanState::Draft);
    assert_eq!((whole.plan.strength_codes.as_slice(), whole.plan.interest_codes.as_slice()), (&["SEB-FRI".to_owned()][..], &["INT-ART".to_owned()][..]));
    assert_eq!(whole.needs.len(), 1);
    assert_eq!(whole.needs[0].need_id.to_string(), entries[0].entry_id);
    assert_eq!(d.told::<PlanChanged>("plans.plan.v1").await.len(), 1);
    assert_eq!(d.needs_told().await.len(), 1);
}

#[tokio::test]
async fn only_finished_reviews_count() {
    let d = District::open().await;
    let mut message = d.review_message(1, &[need("ACA-RDG", Sensitivity::General, 3)]);
    message.state = StudentReviewState::InProgress.into();
    d.review_event(&message).await;
    assert!(plans::plan::get(&d.pool, d.student, None, &Clearance::full()).await.is_err());
    assert_eq!(d.outbox_size().await, 0);
}

#[tokio::test]
async fn a_need_that_a_later_version_leaves_out_is_no_longer_one_and_may_come_back() {
    let d = District::open().await;
    let (first, second) = (need("ACA-RDG", Sensitivity::General, 3), need("ACA-MAT", Sensitivity::General, 3));
    d.reviewed(1, &[first.clone(), second.clone()]).await;
    d.reviewed(2, std::slice::from_ref(&first)).await;
    assert_eq!(d.need_now(&second.entry_id).await.state, NeedState::NoLonger);
    assert_eq!(d.need_now(&first.entry_id).await.state, NeedState::Open);
    d.reviewed(3, &[first, second.clone()]).await;
    assert_eq!(d.need_now(&second.entry_id).await.state, NeedState::Open);
    let versions: Vec<i64> = d.needs_told().await.iter().filter(|n| n.need_id == second.entry_id).map(|n| n.version).collect();
    assert_eq!(versions, [1, 2, 3]);
}

#[tokio::test]
async fn needs_of_another_class_review_stay() {
    let mut d = District::open().await;
    let fall = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&fall)).await;
    d.class_review = uuid::Uuid::now_v7();
    d.reviewed(1, &[need("ACA-MAT", Sensitivity::General, 1)]).await;
    assert_eq!(d.need_now(&fall.entry_id).await.state, NeedState::Open);
    assert_eq!(d.plan(&Clearance::full()).await.needs.len(), 2);
}

#[tokio::test]
async fn the_tier_comes_before_or_after_the_plan_and_the_newest_counts() {
    let d = District::open().await;
    d.tier(Tier::Tier2b, days_ago(1)).await;
    d.tier(Tier::Tier3, days_ago(2)).await;
    d.reviewed(1, &[]).await;
    assert_eq!(d.plan(&Clearance::full()).await.plan.tier, Some(PlanTier::Tier2b));
    d.tier(Tier::Tier1, days_ago(0)).await;
    assert_eq!(d.plan(&Clearance::full()).await.plan.tier, Some(PlanTier::Tier1));
}

#[tokio::test]
async fn a_student_who_changes_school_takes_the_plan_along() {
    let mut d = District::open().await;
    d.reviewed(1, &[]).await;
    d.school = uuid::Uuid::now_v7();
    d.class_review = uuid::Uuid::now_v7();
    let mut later = d.review_message(1, &[]);
    later.time = Some(district::stamp(chrono::Utc::now() + chrono::TimeDelta::hours(1)));
    d.review_event(&later).await;
    assert_eq!(d.plan(&Clearance::full()).await.plan.school_id, d.school);
    let told: Vec<PlanChanged> = d.told("plans.plan.v1").await;
    assert_eq!(told.iter().map(|p| p.version).collect::<Vec<_>>(), [1, 2]);
}
