use chassis_access::{Clearance, Sensitivity};
use chassis_pg::{idempotency, testing};
use proto::reviews::v1 as wire;
use uuid::Uuid;

use super::error::TierError;
use super::rule::Tier;
use super::*;
use crate::app::MIGRATIONS;
use crate::student_review::tests::{Fixture, coordinator, entry, fixture};
use crate::words::Polarity;

fn assign(f: &Fixture, tier: Tier, reason: &str) -> Assign {
    Assign {
        request: idempotency::Request::new("tester", "reviews.AssignTier", Uuid::now_v7(), b"same"),
        student_id: f.students[0],
        school_id: f.overview.review.school_id,
        school_year: 2027,
        tier,
        source: "isr".to_owned(),
        reason: reason.to_owned(),
        reason_text: String::new(),
        origin_id: None,
        author: f.author.id,
        sight: f.author.sight.clone(),
    }
}

#[tokio::test]
async fn a_tier_between_reviews_is_held_against_the_needs_that_the_caller_sees() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let tiers = Tiers::new(f.pool.clone());
    for entry in [entry("ACA-RDG", Polarity::Need, 2), entry("FAM-VIO", Polarity::Need, 3)] {
        f.reviews.put(&f.put(&f.author, &entry, 0)).await.unwrap();
    }
    // Who sees the protected need is suggested tier 3 by it; what is kept and told does not say so.
    let refused = tiers.assign(assign(&f, Tier::TwoB, "")).await;
    assert!(matches!(refused, Err(TierError::NoReason { assigned: Tier::TwoB, suggested: Tier::Three })), "{refused:?}");
    let command = assign(&f, Tier::Three, "");
    let kept = tiers.assign(command.clone()).await.unwrap();
    assert_eq!((kept.tier, kept.suggested, kept.source.as_str(), kept.cycle_id), (Tier::Three, Tier::TwoB, "isr", None));
    assert_eq!(tiers.assign(command).await.unwrap().id, kept.id, "a repeat answers the same");
    let told: wire::TierAssigned = f.newest("reviews.tier.v1").await;
    assert_eq!((told.tier_assignment_id, told.suggested_tier, told.review_cycle_id.as_str()), (kept.id.to_string(), 3, ""));
    // Who does not see it needs no reason for what the rest suggests.
    let blind = Assign { sight: crate::student_review::sight::Sight { protected: false, ..coordinator(f.author.id).sight }, ..assign(&f, Tier::TwoB, "") };
    tiers.assign(blind).await.unwrap();
    let all = tiers.of_student(f.students[0]).await.unwrap();
    assert_eq!(all.iter().map(|a| a.tier).collect::<Vec<_>>(), [Tier::TwoB, Tier::Three]);
    let shown = wire::TierAssignment::from(all[1].clone());
    assert_eq!((shown.tier_assignment_id, shown.school_year), (kept.id.to_string(), 2027));
    // A student of whom nothing is written is suggested tier 1.
    let unknown = Assign { student_id: Uuid::now_v7(), source: "transfer_in".to_owned(), ..assign(&f, Tier::One, "") };
    assert_eq!(tiers.assign(unknown).await.unwrap().suggested, Tier::One);
}

#[tokio::test]
async fn an_origin_is_of_the_student_and_seen() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let tiers = Tiers::new(f.pool.clone());
    let mut caller = Caller::nobody("tester");
    caller.staff_id = Some(f.author.id);
    let mut conn = f.pool.acquire().await.unwrap();
    let opening = individual_review::Open {
        id: Uuid::now_v7(),
        student_id: f.students[0],
        school_id: f.overview.review.school_id,
        trigger: crate::words::Trigger::Tier3,
        concern_id: None,
        sensitivity: Sensitivity::Protected,
        author: f.author.id,
        school_year: 2027,
    };
    let review = individual_review::open(&mut conn, &opening, Utc::now()).await.unwrap();
    let full = Clearance::full();
    let sees = async |source: &str, student, clearance: &Clearance| tiers.origin(source, review.id, student, &caller, clearance).await.unwrap();
    assert!(sees("isr", f.students[0], &full).await);
    assert!(!sees("isr", Uuid::now_v7(), &full).await, "of another student");
    assert!(!sees("concern", f.students[0], &full).await, "not a concern");
    assert!(!sees("isr", f.students[0], &Clearance::default()).await, "protected, and the caller is not on the case");
}

#[tokio::test]
async fn movements_count_the_latest_of_fall_and_spring() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let tiers = Tiers::new(f.pool.clone());
    let school_id = Uuid::now_v7();
    let mut conn = f.pool.acquire().await.unwrap();
    let mut at = Utc::now();
    let mut decide = async |student_id: Uuid, school_id: Uuid, source: &str, tier| {
        at += chrono::Duration::seconds(1);
        let assignment = Assignment {
            id: Uuid::now_v7(),
            student_id,
            school_id,
            school_year: 2027,
            cycle_id: None,
            class_review_id: None,
            tier,
            suggested: tier,
            rules_version: RULES_VERSION.to_owned(),
            source: source.to_owned(),
            reason: String::new(),
            reason_text: String::new(),
            effective_at: at,
            decided_by: Uuid::nil(),
            origin_id: None,
            request_id: None,
        };
        repo::insert(&mut conn, &assignment).await.unwrap();
    };
    let less = f.students[0];
    let [same, more, half] = std::array::from_fn(|_| Uuid::now_v7());
    for (student, fall, spring) in [(less, Tier::Three, Tier::TwoB), (same, Tier::TwoA, Tier::TwoA), (more, Tier::TwoA, Tier::TwoB)] {
        // The first of the fall was decided anew.
        decide(student, school_id, "fall_wcr", Tier::One).await;
        decide(student, school_id, "fall_wcr", fall).await;
        decide(student, school_id, "isr", Tier::Three).await;
        decide(student, school_id, "spring_wcr", spring).await;
    }
    decide(half, school_id, "fall_wcr", Tier::Three).await;
    let elsewhere = Uuid::now_v7();
    decide(elsewhere, Uuid::now_v7(), "fall_wcr", Tier::Three).await;
    decide(elsewhere, Uuid::now_v7(), "spring_wcr", Tier::One).await;

    let said = tiers.movements(2027, Some(school_id), None).await.unwrap();
    assert_eq!((said.less, said.same, said.more, said.each.len()), (1, 1, 1, 3));
    assert!(said.each.contains(&Movement { student_id: less, fall: Tier::Three, spring: Tier::TwoB }));
    let of_class = tiers.movements(2027, None, Some(f.overview.review.class_id)).await.unwrap();
    assert_eq!((of_class.less, of_class.each.len()), (1, 1), "only the students of the class's reviews");
    assert_eq!(tiers.movements(2026, Some(school_id), None).await.unwrap(), Movements::default());
    assert_eq!(tiers.movements(2027, None, Some(Uuid::now_v7())).await.unwrap(), Movements::default());
}
