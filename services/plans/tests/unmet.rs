//! The rule of the unmet need: the same in SQL and in Rust, and as of any day.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use chrono::{Days, NaiveDate};
use district::{District, days_ago, need, request};
use plans::calendar::school_days;
use plans::need::entity::{NeedState, UnmetReason};
use plans::need::repo::{UnmetQuery, list_unmet};
use plans::need::unmet::{Facts, reason};
use plans::plan_item::{self, entity::ItemTransition};
use plans::sight::{Sight, Whose};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proto::r#type::v1::Sensitivity;

prop_compose! {
    fn facts()(state in prop::sample::select(NeedState::ALL), has_item_in_place in any::<bool>(), all_items_ended in any::<bool>(),
               last_reason in prop::sample::select(UnmetReason::ALL), day in 0_u64..40_000) -> Facts {
        let recorded_on = NaiveDate::from_ymd_opt(1995, 1, 1).unwrap() + Days::new(day);
        Facts { state, has_item_in_place, all_items_ended, last_reason, recorded_on }
    }
}

#[tokio::test]
async fn sql_and_rust_say_the_same_of_random_needs() {
    let pool = chassis_pg::testing::database(&plans::MIGRATIONS).await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = (facts(), 0_u64..60, 0_i32..30, any::<bool>());
    let mut unmet = 0;
    for _ in 0..2_000 {
        let (facts, days, after, before) = cases.new_tree(&mut runner).unwrap().current();
        let as_of = if before { facts.recorded_on - Days::new(days % 3) } else { facts.recorded_on + Days::new(days) };
        let (in_sql, age): (Option<String>, i32) = sqlx::query_as("select plans.unmet_reason($1, $2, $3, $4, $5, $6, $7), plans.school_days($5, $6)")
            .bind(facts.state.as_str())
            .bind(facts.has_item_in_place)
            .bind(facts.all_items_ended)
            .bind(facts.last_reason.as_str())
            .bind(facts.recorded_on)
            .bind(as_of)
            .bind(after)
            .fetch_one(&pool)
            .await
            .unwrap();
        let in_rust = reason(facts, as_of, after);
        assert_eq!(in_sql.as_deref(), in_rust.map(UnmetReason::as_str), "{facts:?} as of {as_of} after {after}");
        assert_eq!(age, school_days(facts.recorded_on, as_of), "{facts:?} as of {as_of}");
        unmet += i32::from(in_rust.is_some());
    }
    assert!((100..1_900).contains(&unmet), "the cases hold both: {unmet} of 2000 are unmet");
}

#[tokio::test]
async fn the_list_tells_what_was_unmet_on_a_day_oldest_first_by_pages() {
    let d = District::open().await;
    let (older, newer, fresh) =
        (need("ACA-RDG", Sensitivity::General, 60), need("ACA-MAT", Sensitivity::General, 45), need("ACA-ATT", Sensitivity::General, 5));
    d.reviewed(1, &[newer.clone(), fresh, older.clone()]).await;
    let mut conn = d.pool.acquire().await.unwrap();
    let (whose, sight) = (Whose::of(d.school), Sight::default());
    let query = |days, after| UnmetQuery { whose: &whose, sight: &sight, domain: None, as_of: days_ago(days).date_naive(), unmet_after: 20, after, limit: 1 };
    let first = list_unmet(&mut conn, &query(0, None)).await.unwrap().pop().unwrap();
    assert_eq!(first.need_id.to_string(), older.entry_id);
    let second = list_unmet(&mut conn, &query(0, Some((first.recorded_at, first.need_id)))).await.unwrap().pop().unwrap();
    assert_eq!(second.need_id.to_string(), newer.entry_id);
    assert!(list_unmet(&mut conn, &query(0, Some((second.recorded_at, second.need_id)))).await.unwrap().is_empty());

    // Now something is in place for the older one: today it is met with help, a week ago it was not.
    let item = d.add(&[&older.entry_id]).await;
    let step = plan_item::Transition {
        replaced_by: None,
        plan_item_id: item.plan_item_id,
        transition: ItemTransition::PutInPlace,
        reason: None,
        expected_version: 1,
        request: request("plans.TransitionPlanItem"),
    };
    plan_item::transition(&d.pool, &step, &Clearance::full()).await.unwrap();
    assert_eq!(list_unmet(&mut conn, &query(0, None)).await.unwrap()[0].need_id.to_string(), newer.entry_id);
    assert_eq!(list_unmet(&mut conn, &query(7, None)).await.unwrap()[0].need_id.to_string(), older.entry_id);
    assert!(list_unmet(&mut conn, &query(50, None)).await.unwrap().is_empty(), "nothing was unmet fifty days ago");
}
