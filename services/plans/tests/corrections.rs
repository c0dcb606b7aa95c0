//! Sums over random logs, corrections and takings back are those of a model that keeps only what stands.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use std::collections::{BTreeMap, HashMap};

use chassis_access::Clearance;
use chrono::NaiveDate;
use district::{District, need, request};
use plans::PlanError;
use plans::delivery::correct::{Correct, correct};
use plans::delivery::entity::{Attendance, Delivery};
use plans::delivery::{self, no_shows, repo};
use plans::enrolment::{
    self,
    entity::{Enrolment, EnrolmentTransition as T},
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proto::plans::v1::DeliveryLogged;
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

fn days_ago(days: i64) -> NaiveDate {
    district::days_ago(days).date_naive()
}

async fn running(d: &District, need_id: &str) -> Enrolment {
    let item = d.add(&[need_id]).await;
    let asked = enrolment::offered(Uuid::now_v7(), item.plan_item_id, None, (2, 45, 10));
    let mut e = enrolment::enrol(&d.pool, &enrolment::Enrol { enrolment: asked, request: request("plans.EnrolStudent") }, &Clearance::full()).await.unwrap();
    for transition in [T::Accept, T::Start] {
        let command = enrolment::Transition {
            enrolment_id: e.enrolment_id,
            transition,
            reason: String::new(),
            outcome: String::new(),
            override_reason: String::new(),
            on_date: Some(days_ago(40)),
            expected_version: e.version,
            request: request("plans.TransitionEnrolment"),
        };
        e = enrolment::transition(&d.pool, &command, &Clearance::full()).await.unwrap();
    }
    e
}

/// One thing that somebody does; numbers pick among what there is.
#[derive(Clone, Debug)]
enum Act {
    Log(i64, Attendance, i16),
    Correct(usize, i64, Attendance, i16),
    Void(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let attendance = || prop::sample::select(Attendance::ALL);
    let minutes = |attendance: Attendance, minutes: i16| if matches!(attendance, Attendance::Present | Attendance::Partial) { minutes } else { 0 };
    prop_oneof![
        3 => (0_i64..30, attendance(), 1_i16..60).prop_map(move |(day, a, m)| Act::Log(day, a, minutes(a, m))),
        2 => (any::<usize>(), 0_i64..30, attendance(), 1_i16..60).prop_map(move |(of, day, a, m)| Act::Correct(of, day, a, minutes(a, m))),
        1 => any::<usize>().prop_map(Act::Void),
    ]
}

/// What a reader of the events alone would come to.
fn heard(told: &[DeliveryLogged]) -> (i64, i64) {
    let mut standing: HashMap<&str, &DeliveryLogged> = HashMap::new();
    for event in told {
        standing.remove(event.supersedes_id.as_str());
        if event.attendance != 0 {
            standing.insert(&event.delivery_id, event);
        }
    }
    (standing.values().map(|e| i64::from(e.delivered_minutes)).sum(), i64::try_from(standing.len()).unwrap())
}

async fn walk(d: &District, need_id: &str, acts: &[Act]) {
    let e = running(d, need_id).await;
    let already = d.told::<DeliveryLogged>("plans.delivery.v1").await.len();
    let clearances = HashMap::from([(d.student, Clearance::full())]);
    // What stands, by id, and every id that ever was.
    let mut model: BTreeMap<Uuid, (NaiveDate, Attendance, i16)> = BTreeMap::new();
    let mut ever: Vec<Uuid> = Vec::new();
    for act in acts {
        let new_id = Uuid::now_v7();
        let (of, corrected) = match act {
            Act::Log(day, attendance, minutes) => {
                let delivery = Delivery::plain(new_id, e.enrolment_id, days_ago(*day), (45, *minutes), *attendance);
                let command = delivery::Log { deliveries: vec![delivery], no_show_limit: 3, request: request("plans.LogDeliveries") };
                delivery::log(&d.pool, &command, &clearances).await.unwrap();
                model.insert(new_id, (days_ago(*day), *attendance, *minutes));
                ever.push(new_id);
                continue;
            }
            Act::Correct(of, day, attendance, minutes) => (of, Some(Delivery::plain(new_id, e.enrolment_id, days_ago(*day), (45, *minutes), *attendance))),
            Act::Void(of) => (of, None),
        };
        if ever.is_empty() {
            continue;
        }
        let wrong = ever[of % ever.len()];
        let said = corrected.as_ref().map(|c| (c.delivered_on, c.attendance, c.delivered_minutes));
        let command =
            Correct { delivery_id: wrong, new_id, corrected, reason: "again".to_owned(), no_show_limit: 3, request: request("plans.CorrectDelivery") };
        let done = correct(&d.pool, &command, &Clearance::full()).await;
        if model.remove(&wrong).is_some() {
            assert_eq!(done.unwrap().supersedes_id, Some(wrong));
            model.extend(said.map(|said| (new_id, said)));
            ever.push(new_id);
        } else {
            assert!(matches!(done, Err(PlanError::Superseded)), "what does not stand is not corrected again");
        }
    }

    let mut conn = d.pool.acquire().await.unwrap();
    let held = enrolment::repo::by_ids(&mut conn, &[e.enrolment_id]).await.unwrap().pop().unwrap();
    let minutes: i64 = model.values().map(|(.., minutes)| i64::from(*minutes)).sum();
    let number = i64::try_from(model.len()).unwrap();
    assert_eq!((held.delivered_minutes, held.delivery_count), (minutes, number));
    let sessions: Vec<(NaiveDate, Attendance)> = model.values().map(|(day, attendance, _)| (*day, *attendance)).collect();
    let run = no_shows::run(&sessions);
    assert_eq!(repo::runs(&mut conn, &[e.enrolment_id]).await.unwrap()[0].run, run, "SQL and Rust say the same of {sessions:?}");
    assert_eq!(held.absences_in_row, run.length);
    let query = repo::ListQuery { enrolment_ids: &[e.enrolment_id], all: true, after: None, limit: 1000 };
    let all = repo::list(&mut conn, &query).await.unwrap();
    assert_eq!(all.len(), ever.len(), "every row that ever was is there");
    let mut standing: Vec<Uuid> = all.iter().filter(|r| r.superseded_by.is_none() && !r.void).map(|r| r.delivery_id).collect();
    standing.sort_unstable();
    assert_eq!(standing, model.keys().copied().collect::<Vec<_>>());
    assert_eq!(d.plan(&Clearance::full()).await.deliveries.iter().filter(|r| r.enrolment_id == e.enrolment_id).count(), model.len().min(200));
    let told = d.told::<DeliveryLogged>("plans.delivery.v1").await;
    assert_eq!(heard(&told[already..]), (minutes, number), "events alone lead to the same sums");
}

#[tokio::test]
async fn sums_over_random_corrections_are_those_of_a_model() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 50);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    for _ in 0..25 {
        let acts = prop::collection::vec(act(), 1..30).new_tree(&mut runner).unwrap().current();
        walk(&d, &entry.entry_id, &acts).await;
    }
}
