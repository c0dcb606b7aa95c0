//! Who sees what, and what goes where.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use chrono::Utc;
use district::{District, id, need, request};
use plans::PlanError;
use plans::need::repo::{UnmetQuery, list_unmet};
use plans::plan::repo::{ListQuery, list};
use plans::plan_item;
use plans::sight::{Sight, Whose};
use proto::partners::v1::{ReferralMode, ReferralState};
use proto::plans::v1::{NeedChanged, PlanItemChanged};
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

const PROTECTED: &str = "plans.protected-need.v1";

#[tokio::test]
async fn protected_needs_and_their_items_are_told_on_their_own_topic_only() {
    let d = District::open().await;
    let (open, secret) = (need("ACA-RDG", Sensitivity::General, 40), need("FAM-SAF", Sensitivity::Protected, 40));
    d.reviewed(1, std::slice::from_ref(&open)).await;
    d.protected(1, std::slice::from_ref(&secret)).await;
    d.protected(1, std::slice::from_ref(&secret)).await;
    let both = d.add(&[&open.entry_id, &secret.entry_id]).await;
    let plain = d.add(&[&open.entry_id]).await;
    assert!(d.needs_told().await.iter().all(|n| n.need_id == open.entry_id));
    assert_eq!(d.items_told().await.iter().map(|i| i.plan_item_id.clone()).collect::<Vec<_>>(), [plain.plan_item_id.to_string()]);
    assert_eq!(d.told::<NeedChanged>(PROTECTED).await.len(), 1);
    assert_eq!(d.told::<PlanItemChanged>(PROTECTED).await[0].plan_item_id, both.plan_item_id.to_string());
    // Nothing on a general topic so much as names the protected need.
    let payloads: Vec<Vec<u8>> = sqlx::query_scalar("select payload from outbox where aggregatetype <> $1").bind(PROTECTED).fetch_all(&d.pool).await.unwrap();
    assert!(payloads.iter().all(|p| !p.windows(36).any(|w| w == secret.entry_id.as_bytes())));
}

#[tokio::test]
async fn a_general_message_never_lowers_a_protected_need() {
    let d = District::open().await;
    let mut entry = need("FAM-SAF", Sensitivity::Protected, 3);
    d.protected(1, std::slice::from_ref(&entry)).await;
    entry.sensitivity = Sensitivity::General.into();
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    assert_eq!(d.need_now(&entry.entry_id).await.sensitivity.as_str(), "protected");
    assert!(d.needs_told().await.is_empty());
}

#[tokio::test]
async fn a_need_that_becomes_protected_takes_its_items_along() {
    let d = District::open().await;
    let mut entry = need("FAM-SAF", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let item = d.add(&[&entry.entry_id]).await;
    entry.sensitivity = Sensitivity::Protected.into();
    d.protected(1, std::slice::from_ref(&entry)).await;
    assert_eq!(d.item_now(&item).await.sensitivity.as_str(), "protected");
    assert_eq!(d.items_told().await.len(), 1, "only what was told before");
    d.reviewed(2, &[]).await;
    assert_eq!(d.need_now(&entry.entry_id).await.state.as_str(), "open", "the general message leaving it out does not call it off");
}

#[tokio::test]
async fn a_protected_referral_makes_its_item_protected() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let item = d.add(&[&entry.entry_id]).await;
    d.referral("partners.protected-referral.v1", Uuid::now_v7(), 1, ReferralState::Sent, |r| {
        r.plan_item_id = item.plan_item_id.to_string();
        r.mode = ReferralMode::Protected.into();
    })
    .await;
    assert_eq!(d.item_now(&item).await.sensitivity.as_str(), "protected");
    assert_eq!(d.items_told().await.len(), 1);
    assert!(d.plan(&Clearance::default()).await.items.is_empty());
}

#[tokio::test]
async fn those_not_cleared_see_neither_needs_nor_items_and_count_only_restricted_ones() {
    let d = District::open().await;
    let (open, closed, secret) =
        (need("ACA-RDG", Sensitivity::General, 40), need("SEB-MOO", Sensitivity::Restricted, 40), need("FAM-SAF", Sensitivity::Protected, 40));
    d.reviewed(1, &[open.clone(), closed.clone()]).await;
    d.protected(1, std::slice::from_ref(&secret)).await;
    let plain = d.add(&[&open.entry_id]).await;
    let mixed = d.add(&[&open.entry_id, &closed.entry_id]).await;
    d.add(&[&secret.entry_id]).await;

    let seen = d.plan(&Clearance::default()).await;
    assert_eq!(seen.needs.iter().map(|n| n.need_id).collect::<Vec<_>>(), [id(&open.entry_id)]);
    assert_eq!(seen.items.iter().map(|i| i.plan_item_id).collect::<Vec<_>>(), [plain.plan_item_id]);
    assert_eq!(seen.closed_need_count, 1);
    assert_eq!(mixed.sensitivity.as_str(), "restricted");
    let all = d.plan(&Clearance::full()).await;
    assert_eq!((all.needs.len(), all.items.len(), all.closed_need_count), (3, 3, 0));

    // Writing to what is not seen is refused like what is not there.
    let add = |need: &str| plan_item::Add { item: d.item(seen.plan.plan_id, &[need]), request: request("plans.AddPlanItem") };
    assert!(matches!(plan_item::add(&d.pool, &add(&closed.entry_id), &Clearance::default()).await, Err(PlanError::Invalid(_))));
    let step = plan_item::Transition {
        plan_item_id: mixed.plan_item_id,
        transition: plan_item::entity::ItemTransition::Arrange,
        replaced_by: None,
        reason: None,
        expected_version: 1,
        request: request("plans.TransitionPlanItem"),
    };
    assert!(matches!(plan_item::transition(&d.pool, &step, &Clearance::default()).await, Err(PlanError::Access(_))));
}

#[tokio::test]
async fn lists_hold_and_count_only_what_each_place_clears() {
    let d = District::open().await;
    d.reviewed(1, &[need("ACA-RDG", Sensitivity::General, 40), need("ACA-MAT", Sensitivity::Restricted, 40)]).await;
    d.protected(1, &[need("FAM-SAF", Sensitivity::Protected, 40)]).await;
    let mut full = Sight::default();
    full.add(d.school, &Clearance::full());
    let mut elsewhere = Sight::default();
    elsewhere.add(Uuid::now_v7(), &Clearance::full());
    let everywhere = Sight { restricted_everywhere: vec!["academics".to_owned()], ..Sight::default() };
    let mut conn = d.pool.acquire().await.unwrap();
    let here = Whose::of(d.school);
    let on_case = Sight { protected_students: vec![d.student], ..Sight::default() };
    let on_another = Sight { protected_students: vec![Uuid::now_v7()], ..Sight::default() };
    for (sight, expected) in [(&Sight::default(), 1), (&full, 3), (&elsewhere, 1), (&everywhere, 2), (&on_case, 2), (&on_another, 1)] {
        let query = ListQuery { whose: &here, sight, school_year: district::YEAR, unmet_after: 20, after: None, limit: 10 };
        let plans = list(&mut conn, &query).await.unwrap();
        assert_eq!((plans.len(), plans[0].need_count, plans[0].unmet_need_count), (1, expected, expected));
        let query = UnmetQuery { whose: &here, sight, domain: None, as_of: Utc::now().date_naive(), unmet_after: 20, after: None, limit: 10 };
        assert_eq!(i64::try_from(list_unmet(&mut conn, &query).await.unwrap().len()).unwrap(), expected);
    }
    let nobody = Whose::of(Uuid::now_v7());
    let query = ListQuery { whose: &nobody, sight: &full, school_year: district::YEAR, unmet_after: 20, after: None, limit: 10 };
    assert!(list(&mut conn, &query).await.unwrap().is_empty());
    let query = UnmetQuery { whose: &nobody, sight: &full, domain: None, as_of: Utc::now().date_naive(), unmet_after: 20, after: None, limit: 10 };
    assert!(list_unmet(&mut conn, &query).await.unwrap().is_empty());
}
