//! Plans and items by hand, enrolments, and deliveries.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use std::collections::HashMap;

use chassis_access::Clearance;
use district::{District, need, request};
use plans::PlanError;
use plans::delivery::{
    self,
    entity::{Attendance, Delivery},
};
use plans::enrolment::{
    self,
    entity::{Enrolment, EnrolmentState, EnrolmentTransition as T},
};
use plans::need::entity::{NeedState, UnmetReason};
use plans::plan::{
    self,
    entity::{CloseReason, PlanState, PlanTransition},
};
use plans::plan_item::{
    self,
    entity::{ItemState, ItemTransition},
};
use proto::plans::v1::DeliveryLogged;
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

async fn with_item() -> (District, String, plan_item::entity::Item) {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 40);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let item = d.add(&[&entry.entry_id]).await;
    (d, entry.entry_id, item)
}

async fn enrol(d: &District, item: &plan_item::entity::Item) -> Enrolment {
    let command =
        enrolment::Enrol { enrolment: enrolment::offered(Uuid::now_v7(), item.plan_item_id, None, (2, 45, 10)), request: request("plans.EnrolStudent") };
    let stored = enrolment::enrol(&d.pool, &command, &Clearance::full()).await.unwrap();
    assert_eq!(enrolment::enrol(&d.pool, &command, &Clearance::full()).await.unwrap(), stored, "again, the same");
    stored
}

async fn step(d: &District, e: &Enrolment, transition: T, reason: &str, days: i64) -> Result<Enrolment, PlanError> {
    let command = enrolment::Transition {
        enrolment_id: e.enrolment_id,
        transition,
        reason: reason.to_owned(),
        outcome: String::new(),
        override_reason: String::new(),
        on_date: Some(district::days_ago(days).date_naive()),
        expected_version: e.version,
        request: request("plans.TransitionEnrolment"),
    };
    enrolment::transition(&d.pool, &command, &Clearance::full()).await
}

#[tokio::test]
async fn a_plan_is_moved_once_by_each_request_and_closed_with_a_reason() {
    let (d, ..) = with_item().await;
    let held = d.plan(&Clearance::full()).await.plan;
    let propose = plan::Transition {
        plan_id: held.plan_id,
        transition: PlanTransition::Propose,
        reason: None,
        expected_version: held.version,
        request: request("plans.TransitionPlan"),
    };
    let proposed = plan::transition(&d.pool, &propose).await.unwrap();
    assert_eq!(proposed.state, PlanState::Proposed);
    assert_eq!(plan::transition(&d.pool, &propose).await.unwrap(), proposed);
    let next = |transition, reason, expected_version| plan::Transition {
        plan_id: held.plan_id,
        transition,
        reason,
        expected_version,
        request: request("plans.TransitionPlan"),
    };
    assert!(matches!(plan::transition(&d.pool, &next(PlanTransition::Activate, None, 1)).await, Err(PlanError::Stale)));
    assert!(matches!(plan::transition(&d.pool, &next(PlanTransition::Resume, None, 2)).await, Err(PlanError::WrongState { .. })));
    assert!(matches!(plan::transition(&d.pool, &next(PlanTransition::Close, None, 2)).await, Err(PlanError::Invalid(_))));
    let closed = plan::transition(&d.pool, &next(PlanTransition::Close, Some(CloseReason::YearEnd), 2)).await.unwrap();
    assert_eq!((closed.state, closed.close_reason.as_str()), (PlanState::Closed, "year_end"));
    let add = plan_item::Add {
        item: plan_item::entity::Item { builds_on_codes: vec!["INT-ART".to_owned()], ..d.item(held.plan_id, &[]) },
        request: request("plans.AddPlanItem"),
    };
    assert!(matches!(plan_item::add(&d.pool, &add, &Clearance::full()).await, Err(PlanError::WrongState { .. })));
    let refused = sqlx::query("update plans.state_change set reason = 'rewritten'").execute(&d.pool).await;
    assert!(refused.unwrap_err().to_string().contains("append-only"));
}

#[tokio::test]
async fn an_item_moved_by_hand_moves_its_need() {
    let (d, need_id, item) = with_item().await;
    let step = |version, transition, reason| plan_item::Transition {
        replaced_by: None,
        plan_item_id: item.plan_item_id,
        transition,
        reason,
        expected_version: version,
        request: request("plans.TransitionPlanItem"),
    };
    let full = Clearance::full();
    plan_item::transition(&d.pool, &step(1, ItemTransition::Arrange, None), &full).await.unwrap();
    plan_item::transition(&d.pool, &step(2, ItemTransition::PutInPlace, None), &full).await.unwrap();
    assert_eq!(d.need_now(&need_id).await.state, NeedState::BeingAddressed);
    assert!(matches!(plan_item::transition(&d.pool, &step(3, ItemTransition::NotAvailable, None), &full).await, Err(PlanError::Invalid(_))));
    let ended = plan_item::transition(&d.pool, &step(3, ItemTransition::NotAvailable, Some(UnmetReason::Cost)), &full).await.unwrap();
    assert_eq!(ended.state, ItemState::NotAvailable);
    let need = d.need_now(&need_id).await;
    assert_eq!((need.state, need.all_items_ended, need.last_reason), (NeedState::Open, true, UnmetReason::Cost));
    // A second item, and the reason is that it is not arranged yet.
    d.add(&[&need_id]).await;
    let need = d.need_now(&need_id).await;
    assert_eq!((need.all_items_ended, need.last_reason), (false, UnmetReason::NotYetArranged));
}

#[tokio::test]
async fn the_same_item_id_twice_is_refused_and_the_same_request_twice_is_not() {
    let (d, need_id, item) = with_item().await;
    let again = plan_item::Add {
        item: plan_item::entity::Item { plan_item_id: item.plan_item_id, ..d.item(item.plan_id, &[&need_id]) },
        request: request("plans.AddPlanItem"),
    };
    assert!(matches!(plan_item::add(&d.pool, &again, &Clearance::full()).await, Err(PlanError::Exists(_))));
    let other = plan_item::Add { item: d.item(item.plan_id, &[&need_id]), request: request("plans.AddPlanItem") };
    let first = plan_item::add(&d.pool, &other, &Clearance::full()).await.unwrap();
    assert_eq!(plan_item::add(&d.pool, &other, &Clearance::full()).await.unwrap(), first);
    assert_eq!(d.items_told().await.len(), 2);
}

#[tokio::test]
async fn an_item_follows_its_enrolment() {
    let (d, need_id, item) = with_item().await;
    let offered = enrol(&d, &item).await;
    assert_eq!(d.item_now(&item).await.state, ItemState::Arranging);
    let accepted = step(&d, &offered, T::Accept, "", 0).await.unwrap();
    assert!(matches!(step(&d, &accepted, T::Start, "", -1).await, Err(PlanError::Invalid(_))), "not in the future");
    let active = step(&d, &accepted, T::Start, "", 14).await.unwrap();
    assert_eq!(d.item_now(&item).await.state, ItemState::InPlace);
    assert_eq!(d.need_now(&need_id).await.state, NeedState::BeingAddressed);
    assert!(matches!(step(&d, &active, T::Stop, "", 0).await, Err(PlanError::Invalid(_))), "a stop needs its reason");
    assert!(matches!(step(&d, &active, T::Stop, "cost", 15).await, Err(PlanError::Invalid(_))), "not before the first day");
    let stopped = step(&d, &active, T::Stop, "cost", 1).await.unwrap();
    assert_eq!(stopped.state, EnrolmentState::Stopped);
    let now = d.item_now(&item).await;
    assert_eq!((now.state, now.ended_reason), (ItemState::NotAvailable, Some(UnmetReason::Cost)));
    enrol(&d, &now).await;
    assert_eq!(d.item_now(&item).await.state, ItemState::Arranging, "another offer takes over");
}

#[tokio::test]
async fn deliveries_are_logged_once_and_all_or_none() {
    let (d, need_id, item) = with_item().await;
    let offered = enrol(&d, &item).await;
    let one = |days: i64, minutes| {
        let day = district::days_ago(days).date_naive();
        Delivery::plain(Uuid::now_v7(), offered.enrolment_id, day, (45, minutes), Attendance::Present)
    };
    let clearances = HashMap::from([(d.student, Clearance::full())]);
    let log = |deliveries: Vec<Delivery>| delivery::Log { deliveries, no_show_limit: 3, request: request("plans.LogDeliveries") };
    assert!(matches!(delivery::log(&d.pool, &log(vec![one(1, 40)]), &clearances).await, Err(PlanError::Invalid(_))), "not before it started");
    let accepted = step(&d, &offered, T::Accept, "", 0).await.unwrap();
    let active = step(&d, &accepted, T::Start, "", 10).await.unwrap();

    let (first, second) = (one(3, 40), one(2, 45));
    let batch = log(vec![first.clone(), second.clone(), first.clone()]);
    assert_eq!(delivery::log(&d.pool, &batch, &clearances).await.unwrap(), 2);
    assert_eq!(delivery::log(&d.pool, &batch, &clearances).await.unwrap(), 2, "the same request answers the same");
    let moved = Delivery { delivered_on: district::days_ago(5).date_naive(), ..first };
    assert_eq!(delivery::log(&d.pool, &log(vec![moved, one(1, 30)]), &clearances).await.unwrap(), 1, "a known id on another day is still the same delivery");
    let refused = delivery::log(&d.pool, &log(vec![one(1, 20), one(-1, 20), one(11, 20)]), &clearances).await.unwrap_err();
    let PlanError::Invalid(invalid) = refused else { panic!("{refused}") };
    assert_eq!(invalid.0.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), ["deliveries[1].delivered_on", "deliveries[2].delivered_on"]);

    let whole = d.plan(&Clearance::full()).await;
    assert_eq!((whole.enrolments[0].delivery_count, whole.enrolments[0].delivered_minutes, whole.deliveries.len()), (3, 115, 3));
    let told: Vec<DeliveryLogged> = d.told("plans.delivery.v1").await;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|t| t.need_ids == [need_id.clone()] && t.plan_item_id == item.plan_item_id.to_string()));
    // Once it ended, sessions within its days may still come.
    step(&d, &active, T::Complete, "need_met", 2).await.unwrap();
    assert_eq!(delivery::log(&d.pool, &log(vec![one(4, 45)]), &clearances).await.unwrap(), 1);
    assert!(delivery::log(&d.pool, &log(vec![one(1, 45)]), &clearances).await.is_err());
    assert!(matches!(delivery::log(&d.pool, &log(vec![one(4, 45)]), &HashMap::new()).await, Err(PlanError::Access(_))));
}

#[tokio::test]
async fn two_batches_with_the_same_ids_at_once_store_each_once() {
    let (d, _, item) = with_item().await;
    let offered = enrol(&d, &item).await;
    let accepted = step(&d, &offered, T::Accept, "", 0).await.unwrap();
    step(&d, &accepted, T::Start, "", 10).await.unwrap();
    let deliveries: Vec<Delivery> = (0..100)
        .map(|i| Delivery::plain(Uuid::now_v7(), offered.enrolment_id, district::days_ago(i % 9).date_naive(), (30, 30), Attendance::Present))
        .collect();
    let clearances = HashMap::from([(d.student, Clearance::full())]);
    let reversed = deliveries.iter().rev().cloned().collect();
    let (one, two) = (
        delivery::Log { deliveries, no_show_limit: 3, request: request("plans.LogDeliveries") },
        delivery::Log { deliveries: reversed, no_show_limit: 3, request: request("plans.LogDeliveries") },
    );
    let (a, b) = tokio::join!(delivery::log(&d.pool, &one, &clearances), delivery::log(&d.pool, &two, &clearances));
    assert_eq!(a.unwrap() + b.unwrap(), 100);
    assert_eq!(d.plan(&Clearance::full()).await.enrolments[0].delivery_count, 100);
}

/// (rule, state, topic) of every follow-up's latest word, in order of their rules.
async fn follow_ups(d: &District) -> Vec<(String, String)> {
    sqlx::query_as("select raised_as, state from plans.follow_up order by raised_as").fetch_all(&d.pool).await.unwrap()
}

#[tokio::test]
async fn what_is_put_in_place_by_hand_is_followed_up_and_called_off_when_it_ends() {
    use plan_item::entity::ItemTransition as T;
    for (sensitivity, topic) in [(Sensitivity::General, "plans.follow-up.v1"), (Sensitivity::Protected, "plans.protected-need.v1")] {
        let d = District::open().await;
        let entry = need("ACA-RDG", sensitivity, 3);
        if sensitivity == Sensitivity::Protected {
            d.protected(1, std::slice::from_ref(&entry)).await
        } else {
            d.reviewed(1, std::slice::from_ref(&entry)).await
        }
        let mut item = d.add(&[&entry.entry_id]).await;
        for (transition, state) in [(T::PutInPlace, "open"), (T::Finish, "cancelled")] {
            let command = plan_item::Transition {
                plan_item_id: item.plan_item_id,
                transition,
                reason: None,
                replaced_by: None,
                expected_version: item.version,
                request: request("plans.TransitionPlanItem"),
            };
            item = plan_item::transition(&d.pool, &command, &chassis_access::Clearance::full()).await.unwrap();
            let expected: Vec<_> = ["six_weeks", "two_weeks", "year_end"].map(|rule| (rule.to_owned(), state.to_owned())).to_vec();
            assert_eq!(follow_ups(&d).await, expected);
        }
        let told = d.told::<proto::plans::v1::FollowUpChanged>(topic).await;
        assert_eq!(told.len(), 6, "raised and called off, on {topic}");
        let anywhere: i64 =
            sqlx::query_scalar("select count(*) from outbox where type = 'wraparound.plans.v1.FollowUpChanged'").fetch_one(&d.pool).await.unwrap();
        assert_eq!(anywhere, 6, "and nowhere else");
    }
}

#[tokio::test]
async fn a_rule_raises_once_for_each_occasion() {
    use plans::follow_up::entity::{Rule, SubjectKind};
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let item = d.add(&[&entry.entry_id]).await;
    let mut conn = d.pool.acquire().await.unwrap();
    let mut raised = Vec::new();
    let day = "2026-10-05".parse().unwrap();
    for (id, run) in [(item.plan_item_id, "a"), (item.plan_item_id, "a"), (item.plan_item_id, "b"), (uuid::Uuid::now_v7(), "a")] {
        raised.push(plans::follow_up::raise_by_rule(&mut conn, Rule::NoShow, SubjectKind::PlanItem, id, run, day, "a test").await.unwrap().is_some());
    }
    assert_eq!(raised, [true, false, true, false], "once a run, and nothing about what is not there");
}
