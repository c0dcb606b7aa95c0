use chassis_pg::testing;
use chrono::DateTime;

use super::entity::{Progress, Signature, WrongStep};
use super::*;
use crate::app::MIGRATIONS;
use crate::student_review::tests::fixture;
use crate::words::Season;

fn review(state: ClassReviewState) -> ClassReview {
    ClassReview {
        id: Uuid::now_v7(),
        cycle_id: Uuid::now_v7(),
        school_year: 2027,
        season: Season::Fall,
        class_id: Uuid::now_v7(),
        school_id: Uuid::now_v7(),
        state,
        roster_date: NaiveDate::default(),
        version: 7,
        started_at: Some(DateTime::UNIX_EPOCH),
        booking: entity::Booking::default(),
        reopen_count: 0,
        reason: String::new(),
        teacher_signed: None,
        instead_of_teacher_reason: String::new(),
        coordinator_signed: None,
        completed_at: None,
    }
}

fn steps() -> Vec<Step> {
    let reason = "snow".to_owned();
    vec![
        Step::Start { students: 3 },
        Step::Pause { reason: String::new() },
        Step::Resume,
        Step::Submit { open: 0 },
        Step::SignAsTeacher { by: Uuid::now_v7(), instead: String::new() },
        Step::SignAsCoordinator { by: Uuid::now_v7() },
        Step::Reopen { reason: reason.clone() },
        Step::Cancel { reason },
    ]
}

#[test]
fn every_step_from_every_state_is_allowed_or_refused_as_the_handbook_says() {
    use ClassReviewState::{AwaitingSignoff as A, Cancelled as X, Complete as C, InProgress as I, Paused as P, Scheduled as S};
    //  start, pause, resume, submit, teacher, coordinator, reopen, cancel
    let table: [(ClassReviewState, [Option<ClassReviewState>; 8]); 6] = [
        (S, [Some(I), None, None, None, None, None, None, Some(X)]),
        (I, [None, Some(P), None, Some(A), None, None, None, Some(X)]),
        (P, [None, None, Some(I), None, None, None, None, Some(X)]),
        (A, [None, None, None, None, Some(A), Some(A), None, Some(X)]),
        (C, [None, None, None, None, None, None, Some(I), None]),
        (X, [None; 8]),
    ];
    assert_eq!(table.len(), ClassReviewState::ALL.len());
    for (state, expected) in table {
        for (step, expected) in steps().iter().zip(expected) {
            let outcome = review(state).transition(step, Utc::now());
            match expected {
                Some(next) => {
                    let outcome = outcome.unwrap();
                    assert_eq!((outcome.state, outcome.version), (next, 8), "{state:?} {step:?}");
                }
                None => assert_eq!(outcome, Err(WrongStep::State { state, verb: step.verb() }), "{state:?} {step:?}"),
            }
        }
    }
}

#[test]
fn guards_refuse_with_what_is_missing() {
    use ClassReviewState::{AwaitingSignoff, Complete, InProgress, Scheduled};
    let now = Utc::now();
    assert_eq!(review(Scheduled).transition(&Step::Start { students: 0 }, now), Err(WrongStep::NoStudents));
    assert_eq!(review(InProgress).transition(&Step::Submit { open: 2 }, now), Err(WrongStep::Open { open: 2 }));
    assert_eq!(review(InProgress).transition(&Step::Cancel { reason: " ".to_owned() }, now), Err(WrongStep::NoReason { verb: "cancelled" }));
    assert_eq!(review(Complete).transition(&Step::Reopen { reason: String::new() }, now), Err(WrongStep::NoReason { verb: "reopened" }));

    let (teacher, coordinator) = (Uuid::now_v7(), Uuid::now_v7());
    let sign_teacher = Step::SignAsTeacher { by: teacher, instead: String::new() };
    let once = review(AwaitingSignoff).transition(&sign_teacher, now).unwrap();
    assert_eq!(once.transition(&sign_teacher, now), Err(WrongStep::Signed));
    assert_eq!(once.transition(&Step::SignAsCoordinator { by: teacher }, now), Err(WrongStep::SameSigner));
    let both = once.transition(&Step::SignAsCoordinator { by: coordinator }, now).unwrap();
    assert_eq!((both.state, both.completed_at), (Complete, Some(now)));
    assert_eq!(both.coordinator_signed, Some(Signature { by: coordinator, at: now }));
    // The other way round, too.
    let once = review(AwaitingSignoff).transition(&Step::SignAsCoordinator { by: coordinator }, now).unwrap();
    assert_eq!(once.transition(&sign_teacher, now).unwrap().state, Complete);
    let again = both.transition(&Step::Reopen { reason: "a need was forgotten".to_owned() }, now).unwrap();
    assert_eq!((again.teacher_signed, again.coordinator_signed, again.completed_at), (None, None, None));
    assert_eq!((again.reopen_count, again.reason.as_str()), (1, "a need was forgotten"));
}

#[test]
fn each_signs_in_the_capacity_they_have() {
    let waiting = review(ClassReviewState::AwaitingSignoff);
    let by = Uuid::now_v7();
    let signer = |teacher, coordinator, principal, instead: &str| Signer { by, teacher, coordinator, principal, instead: instead.to_owned() };
    assert!(matches!(signer(true, false, false, "").step(&waiting), Ok(Step::SignAsTeacher { .. })));
    assert!(matches!(signer(false, true, false, "").step(&waiting), Ok(Step::SignAsCoordinator { .. })));
    assert!(matches!(signer(false, false, true, "on leave").step(&waiting), Ok(Step::SignAsTeacher { instead, .. }) if instead == "on leave"));
    assert!(matches!(signer(false, false, true, "").step(&waiting), Err(ClassReviewError::NoSigner)));
    assert!(matches!(signer(false, false, false, "on leave").step(&waiting), Err(ClassReviewError::NoSigner)));
}

#[tokio::test]
async fn a_class_is_started_once_and_tells_of_every_student() {
    let f = fixture(testing::database(&MIGRATIONS).await, 3).await;
    let progress = f.overview.progress.clone();
    assert_eq!(progress, Progress { students: 3, done: 0, current_student: Some(f.students[0]), ..Progress::default() });
    assert_eq!(f.published("reviews.student-review.v1").await, 3);
    assert_eq!(f.published("reviews.class-review.v1").await, 1);
    // Another request for the same class and cycle gets the same review, with nothing told twice.
    let again = f.classes.start(f.start(Uuid::now_v7())).await.unwrap();
    assert_eq!(again, f.overview);
    assert_eq!(f.published("reviews.student-review.v1").await, 3);
    let mut late = f.start(Uuid::now_v7());
    late.roster_date = NaiveDate::from_ymd_opt(2027, 2, 1).unwrap();
    late.class_id = Uuid::now_v7();
    assert!(matches!(f.classes.start(late.clone()).await, Err(ClassReviewError::CycleClosed { .. })));
    late.roster_date = f.overview.review.roster_date;
    late.snapshot = Snapshot::default();
    assert!(matches!(f.classes.start(late).await, Err(ClassReviewError::Step(WrongStep::NoStudents))));
}

#[tokio::test]
async fn many_starts_at_once_make_one_review() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let class_id = Uuid::now_v7();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (classes, mut start) = (f.classes.clone(), f.start(Uuid::now_v7()));
            start.class_id = class_id;
            tokio::spawn(async move { classes.start(start).await.unwrap().review.id })
        })
        .collect();
    let mut ids = std::collections::HashSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(f.published("reviews.class-review.v1").await, 2);
}

#[tokio::test]
async fn a_review_is_handed_in_signed_by_two_and_complete() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let id = f.overview.review.id;
    let change =
        |request_id, version| Change { request: idempotency::Request::new("tester", "reviews.Change", request_id, b"same"), id, expected_version: version };
    assert!(matches!(f.classes.submit(change(Uuid::now_v7(), 1)).await, Err(ClassReviewError::Step(WrongStep::Open { open: 1 }))));
    f.reviews.skip(&f.change(Uuid::now_v7(), 0, 1), "time".to_owned(), &f.author).await.unwrap();
    assert!(matches!(f.classes.submit(change(Uuid::now_v7(), 9)).await, Err(ClassReviewError::Refused(Refusal::Stale))));
    let request_id = Uuid::now_v7();
    let submitted = f.classes.submit(change(request_id, 1)).await.unwrap();
    assert_eq!(submitted.review.state, ClassReviewState::AwaitingSignoff);
    assert_eq!(f.classes.submit(change(request_id, 1)).await.unwrap(), submitted);
    let teacher = Signer { by: Uuid::now_v7(), teacher: true, ..Signer::default() };
    let coordinator = Signer { by: Uuid::now_v7(), coordinator: true, ..Signer::default() };
    f.classes.sign(change(Uuid::now_v7(), 2), teacher).await.unwrap();
    let complete = f.classes.sign(change(Uuid::now_v7(), 3), coordinator).await.unwrap();
    assert_eq!(complete.review.state, ClassReviewState::Complete);
    assert_eq!(f.published("reviews.class-review.v1").await, 4);
    let scope = Scope { classes: vec![complete.review.class_id], ..Scope::default() };
    let page = PageRequest { size: 10, after: None };
    let listed = f.classes.list(None, &scope, &page).await.unwrap();
    // The database keeps microseconds.
    assert_eq!((listed.len(), listed[0].review.id, listed[0].review.state), (1, id, ClassReviewState::Complete));
    assert_eq!(f.classes.list(None, &Scope { schools: vec![Uuid::now_v7()], ..Scope::default() }, &page).await.unwrap(), []);
}
