use chassis_events::{Event, Handler as _};
use chassis_pg::testing;
use proto::reviews::v1 as wire;
use proto::rosters::v1::StudentState;

use super::*;
use crate::app::MIGRATIONS;
use crate::error::Refusal;
use crate::student_review::entity::WrongStep;
use crate::student_review::leavers::Leavers;
use crate::tier::Tiers;
use crate::words::StudentReviewState;

fn decided(tier: Tier, reason: &str) -> Decision {
    Decision { no_concern: Domain::ALL.to_vec(), assigned_tier: Some(tier), tier_reason: reason.to_owned(), ..Decision::default() }
}

#[tokio::test]
async fn completing_refuses_with_every_gap_then_assigns_the_tier_and_tells() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    for entry in [entry("ACA-MAT", Polarity::Strength, 0), entry("ACA-RDG", Polarity::Need, 2), entry("FAM-VIO", Polarity::Need, 3)] {
        f.reviews.put(&f.put(&f.author, &entry, 0)).await.unwrap();
    }
    let refused = f.reviews.complete(&f.fresh(0, 1), &f.author).await;
    assert!(matches!(refused, Err(StudentReviewError::Step(WrongStep::Gaps { gaps })) if gaps.len() == 3));
    assert_eq!(f.published("reviews.student-review.v1").await, 1);

    let updated = f.reviews.update(&f.fresh(0, 1), decided(Tier::TwoA, "strengths_buffer"), &f.author).await.unwrap();
    assert_eq!((updated.version, updated.state), (2, StudentReviewState::InProgress));
    assert!(matches!(f.reviews.complete(&f.fresh(0, 1), &f.author).await, Err(StudentReviewError::Refused(Refusal::Stale))));
    let change = f.fresh(0, 2);
    let completed = f.reviews.complete(&change, &f.author).await.unwrap();
    assert_eq!((completed.state, completed.version), (StudentReviewState::Reviewed, 3));
    let again = f.reviews.complete(&change, &f.author).await.unwrap();
    assert_eq!((again.state, again.version), (StudentReviewState::Reviewed, 3));

    let tiers = Tiers::new(f.pool.clone()).of_student(f.students[0]).await.unwrap();
    assert_eq!(tiers.len(), 1);
    // The protected need would suggest tier 3: what is kept and told does not say so.
    assert_eq!(
        (tiers[0].tier, tiers[0].suggested, tiers[0].source.as_str(), tiers[0].reason.as_str()),
        (Tier::TwoA, Tier::TwoB, "fall_wcr", "strengths_buffer")
    );
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.entries.len(), told.answered_domains, told.version), (wire::StudentReviewState::Reviewed, 2, 4, 3));
    let protected: wire::ProtectedNeedsRecorded = f.newest("reviews.protected-need.v1").await;
    assert_eq!(protected.entries.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(), ["FAM-VIO"]);
    let tier: wire::TierAssigned = f.newest("reviews.tier.v1").await;
    assert_eq!((tier.tier, tier.suggested_tier, tier.source.as_str()), (2, 3, "fall_wcr"));
    assert_eq!((f.published("reviews.tier.v1").await, f.published("reviews.protected-need.v1").await), (1, 1));
}

#[tokio::test]
async fn reopening_allows_another_decision_and_keeps_the_first() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let strength = entry("ACA-MAT", Polarity::Strength, 0);
    f.reviews.put(&f.put(&f.author, &strength, 0)).await.unwrap();
    f.reviews.update(&f.fresh(0, 1), decided(Tier::One, ""), &f.author).await.unwrap();
    f.reviews.complete(&f.fresh(0, 2), &f.author).await.unwrap();
    assert!(matches!(f.reviews.update(&f.fresh(0, 3), decided(Tier::TwoA, ""), &f.author).await, Err(StudentReviewError::Step(WrongStep::Closed { .. }))));
    let reopened = f.reviews.reopen(&f.fresh(0, 3), &f.author).await.unwrap();
    assert_eq!((reopened.state, reopened.version), (StudentReviewState::InProgress, 4));
    f.reviews.update(&f.fresh(0, 4), decided(Tier::TwoA, "recent_change"), &f.author).await.unwrap();
    f.reviews.complete(&f.fresh(0, 5), &f.author).await.unwrap();
    let tiers = Tiers::new(f.pool.clone()).of_student(f.students[0]).await.unwrap();
    assert_eq!(tiers.iter().map(|t| t.tier).collect::<Vec<_>>(), [Tier::TwoA, Tier::One]);
    let page = PageRequest { size: 3, after: None };
    let history = f.reviews.history(f.overview.review.id, f.students[0], &f.author.sight, &page).await.unwrap();
    let actions: Vec<&str> = history.iter().map(|r| r.action.as_str()).collect();
    assert_eq!(actions, ["completed", "updated", "reopened", "completed"]);
    for table in ["tier_assignment", "student_review_revision"] {
        let refused = sqlx::query(sqlx::AssertSqlSafe(format!("delete from reviews.{table}"))).execute(&f.pool).await;
        assert!(refused.is_err(), "{table} can lose its past");
    }
}

#[tokio::test]
async fn what_is_closed_to_a_reader_is_closed_in_the_review_and_in_its_history() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let (writer, reader) = (teacher(Uuid::now_v7()), teacher(Uuid::now_v7()));
    let general = entry("ACA-RDG", Polarity::Need, 1);
    let restricted = Entry { sensitivity: Sensitivity::Restricted, ..entry("HLT-SLP", Polarity::Need, 3) };
    let protected = entry("FAM-VIO", Polarity::Need, 3);
    for entry in [&general, &restricted, &protected] {
        f.reviews.put(&f.put(&writer, entry, 0)).await.unwrap();
    }
    // Raised later: what was written while it was open is closed with it.
    let raised = Entry { sensitivity: Sensitivity::Restricted, ..general.clone() };
    f.reviews.put(&f.put(&writer, &raised, 1)).await.unwrap();
    f.reviews.remove(&f.fresh(0, 1), restricted.id, &f.author).await.unwrap();

    let seen = |author: &Author, review: StudentReview| {
        let shown = review.shown_to(&author.sight);
        (shown.entries.len(), shown.closed_entry_count)
    };
    let review = f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap();
    assert_eq!(seen(&reader, review.clone()), (0, 1));
    assert_eq!(seen(&writer, review.clone()), (1, 0));
    assert_eq!(seen(&f.author, review), (2, 0));
    let page = PageRequest { size: 50, after: None };
    let rows = async |author: &Author| f.reviews.history(f.overview.review.id, f.students[0], &author.sight, &page).await.unwrap().len();
    assert_eq!((rows(&reader).await, rows(&writer).await, rows(&f.author).await), (0, 4, 5));
}

#[tokio::test]
async fn a_removed_entry_stays_in_the_history_and_its_id_is_spent() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let need = entry("ACA-RDG", Polarity::Need, 2);
    f.reviews.put(&f.put(&f.author, &need, 0)).await.unwrap();
    let removal = f.fresh(0, 1);
    f.reviews.remove(&removal, need.id, &f.author).await.unwrap();
    f.reviews.remove(&removal, need.id, &f.author).await.unwrap();
    assert!(matches!(f.reviews.remove(&f.fresh(0, 2), need.id, &f.author).await, Err(StudentReviewError::NoEntry)));
    assert!(matches!(f.reviews.put(&f.put(&f.author, &need, 2)).await, Err(StudentReviewError::NoEntry)));
    assert!(matches!(f.reviews.put(&f.put(&f.author, &need, 0)).await, Err(StudentReviewError::Refused(Refusal::Stale))));
    assert_eq!(f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap().entries, []);
    assert_eq!(f.count("student_review_revision").await, 2);
}

#[tokio::test]
async fn who_leaves_the_class_leaves_the_open_review_and_may_come_back() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let class_id = f.overview.review.class_id.to_string();
    let apply = async |version: i64, class_ids: Vec<String>| {
        let state = StudentState { student_id: f.students[0].to_string(), version, active: true, class_ids, ..StudentState::default() };
        let mut tx = f.pool.begin().await.unwrap();
        Leavers.apply(&mut tx, &Event::new("rosters.student.v1", f.students[0], &state, None)).await.unwrap();
        tx.commit().await.unwrap();
        f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap().state
    };
    assert_eq!(apply(5, vec![class_id.clone()]).await, StudentReviewState::Pending);
    assert_eq!(apply(4, vec![]).await, StudentReviewState::Pending, "an older state is ignored");
    assert_eq!(apply(6, vec![Uuid::now_v7().to_string()]).await, StudentReviewState::Left);
    assert_eq!(f.classes.existing(f.overview.review.cycle_id, f.overview.review.class_id).await.unwrap().unwrap().progress.students, 1);
    assert_eq!(apply(7, vec![class_id.clone()]).await, StudentReviewState::Pending);
    f.reviews.skip(&f.fresh(0, 3), "family_declined".to_owned(), &f.author).await.unwrap();
    assert_eq!(apply(8, vec![]).await, StudentReviewState::NotReviewed, "what is done stays done");
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.not_reviewed_reason.as_str(), told.version), (wire::StudentReviewState::NotReviewed, "family_declined", 4));
}

#[tokio::test]
async fn the_database_refuses_entries_that_are_none() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let need = entry("ACA-RDG", Polarity::Need, 2);
    let wrong = [
        Entry { certainty: None, ..need.clone() },
        Entry { severity: 4, ..need.clone() },
        Entry { domain: None, ..need.clone() },
        Entry { polarity: Polarity::Strength, ..need.clone() },
        Entry { polarity: Polarity::Interest, ..need.clone() },
        Entry { polarity: Polarity::Observation, ..need.clone() },
        Entry { confirmed_by: Some(crate::words::Source::Family), ..need },
    ];
    for wrong in wrong {
        assert!(matches!(f.reviews.put(&f.put(&f.author, &wrong, 0)).await, Err(StudentReviewError::Refused(Refusal::Database(_)))), "{wrong:?}");
    }
    assert_eq!((f.count("entry").await, f.count("idempotency").await), (0, 2));
}

#[tokio::test]
async fn who_joins_the_class_is_added_to_its_open_review() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let newcomer = Uuid::now_v7();
    let join = async |version: i64, class_ids: Vec<String>| {
        let state = StudentState { student_id: newcomer.to_string(), version, active: true, class_ids, grade: "05".to_owned(), ..StudentState::default() };
        let mut tx = f.pool.begin().await.unwrap();
        Leavers.apply(&mut tx, &Event::new("rosters.student.v1", newcomer, &state, None)).await.unwrap();
        tx.commit().await.unwrap();
    };
    join(1, vec![Uuid::now_v7().to_string()]).await;
    assert!(matches!(f.reviews.get(f.overview.review.id, newcomer).await, Err(StudentReviewError::NoStudent)));
    join(2, vec![f.overview.review.class_id.to_string()]).await;
    join(3, vec![f.overview.review.class_id.to_string()]).await;
    let added = f.reviews.get(f.overview.review.id, newcomer).await.unwrap();
    assert_eq!((added.state, added.added, added.grade.as_str(), added.version), (StudentReviewState::Pending, true, "05", 1));
    assert_eq!(f.published("reviews.student-review.v1").await, 2);
    let progress = f.classes.existing(f.overview.review.cycle_id, f.overview.review.class_id).await.unwrap().unwrap().progress;
    assert_eq!((progress.students, progress.added), (2, 1));
}

#[tokio::test]
async fn after_a_reopening_what_is_written_amends_and_is_told_at_once() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let first = f.reviews.put(&f.put(&f.author, &entry("ACA-RDG", Polarity::Need, 1), 0)).await.unwrap();
    f.complete(0).await;
    f.complete(1).await;
    f.sign().await;
    let closed = f.reviews.put(&f.put(&f.author, &entry("ACA-MAT", Polarity::Need, 1), 0)).await;
    assert!(matches!(closed, Err(StudentReviewError::ClassReview(ClassReviewState::Complete))));
    let request = idempotency::Request::new("tester", "reviews.TransitionClassReview", Uuid::now_v7(), b"reopen");
    let change = class_review::Change { request, id: f.overview.review.id, expected_version: 4 };
    f.classes.step(change, class_review::entity::Step::Reopen { reason: "a need was forgotten".to_owned() }).await.unwrap();

    let review = async || f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap();
    let version = review().await.version;
    let second = f.put(&f.author, &entry("ACA-MAT", Polarity::Need, 1), 0);
    let stored = f.reviews.put(&second).await.unwrap();
    assert_eq!(f.reviews.put(&second).await.unwrap(), stored, "a repeat is answered");
    assert_eq!((review().await.state, review().await.version), (StudentReviewState::Amended, version + 1));
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.entries.len(), told.version), (wire::StudentReviewState::Amended, 2, version + 1));
    let graver = Entry { severity: 2, ..first.clone() };
    assert_eq!(f.reviews.put(&f.put(&f.author, &graver, 1)).await.unwrap().version, 2);
    assert!(matches!(f.reviews.put(&f.put(&f.author, &graver, 1)).await, Err(StudentReviewError::Refused(Refusal::Stale))));
    let other = teacher(Uuid::now_v7());
    assert!(matches!(f.reviews.put(&f.put(&other, &graver, 2)).await, Err(StudentReviewError::NotYours)));
    f.reviews.remove(&f.fresh(0, 2), first.id, &f.author).await.unwrap();
    assert_eq!((review().await.version, review().await.entries.len()), (version + 3, 1));
    // Done once more it stays an amendment, and the class can be handed in.
    assert_eq!(f.complete(0).await.state, StudentReviewState::Amended);
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.entries.len()), (wire::StudentReviewState::Amended, 1));
    let progress = f.classes.existing(f.overview.review.cycle_id, f.overview.review.class_id).await.unwrap().unwrap().progress;
    assert_eq!((progress.students, progress.done), (2, 2));
    f.sign().await;
}

#[tokio::test]
async fn an_amendment_that_is_protected_moves_nothing_for_others() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let outside = teacher(Uuid::now_v7());
    f.complete(0).await;
    sqlx::query("update reviews.class_review set reopen_count = 1").execute(&f.pool).await.unwrap();
    let shown = async || f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap().shown_to(&outside.sight);
    let (before, told) = (shown().await, f.published("reviews.student-review.v1").await);
    f.reviews.put(&f.put(&f.author, &entry("FAM-VIO", Polarity::Need, 3), 0)).await.unwrap();
    assert_eq!(shown().await, before);
    assert_eq!(f.published("reviews.student-review.v1").await, told);
    let protected: wire::ProtectedNeedsRecorded = f.newest("reviews.protected-need.v1").await;
    assert_eq!((protected.entries.len(), protected.version), (1, before.version + 1));
}

#[tokio::test]
async fn a_cycle_may_ask_for_interests_words_and_the_voice_of_the_family() {
    use crate::cycle::entity::{FAMILY_VOICE, INTEREST, NEED_NOTE};
    use crate::student_review::tests::fixture_requiring;
    let f = fixture_requiring(testing::database(&MIGRATIONS).await, 1, &[INTEREST, FAMILY_VOICE, NEED_NOTE]).await;
    let wordless = Entry { note: " ".to_owned(), ..entry("ACA-RDG", Polarity::Need, 1) };
    let stored = f.reviews.put(&f.put(&f.author, &wordless, 0)).await.unwrap();
    f.reviews.put(&f.put(&f.author, &entry("ACA-MAT", Polarity::Strength, 0), 0)).await.unwrap();
    f.reviews.update(&f.fresh(0, 1), decided(Tier::TwoA, ""), &f.author).await.unwrap();
    let Err(StudentReviewError::Step(WrongStep::Gaps { gaps })) = f.reviews.complete(&f.fresh(0, 2), &f.author).await else { panic!("it has gaps") };
    assert_eq!(gaps.iter().map(|g| g.field.as_str()).collect::<Vec<_>>(), [INTEREST, FAMILY_VOICE, NEED_NOTE]);
    f.reviews.put(&f.put(&f.author, &Entry { note: "reads slowly".to_owned(), ..stored }, 1)).await.unwrap();
    let art = Entry { source: crate::words::Source::Family, ..entry("INT-ART", Polarity::Interest, 0) };
    f.reviews.put(&f.put(&f.author, &art, 0)).await.unwrap();
    assert_eq!(f.reviews.complete(&f.fresh(0, 2), &f.author).await.unwrap().state, StudentReviewState::Reviewed);
}
