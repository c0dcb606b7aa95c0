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

fn schedule(f: &crate::student_review::tests::Fixture, teachers: Vec<Uuid>, coordinator: Uuid) -> Schedule {
    Schedule {
        request: idempotency::Request::new("tester", "reviews.ScheduleClassReview", Uuid::now_v7(), b"schedule"),
        author: coordinator,
        cycle_id: f.overview.review.cycle_id,
        class_id: Uuid::now_v7(),
        school_id: f.overview.review.school_id,
        students: 2,
        on: NaiveDate::from_ymd_opt(2026, 10, 12).unwrap(),
        minutes: 90,
        teachers,
        coordinator,
        coordinates: false,
    }
}

async fn relate(pool: &PgPool, subject: Uuid, relation: &str, object: Uuid) {
    let insert = "insert into reviews.relationship (subject, relation, object) values ($1, $2, $3)";
    sqlx::query(insert).bind(subject).bind(relation).bind(object).execute(pool).await.unwrap();
}

#[tokio::test]
async fn a_review_is_booked_with_those_who_teach_the_class_and_then_started() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let (teacher, coordinator) = (Uuid::now_v7(), Uuid::now_v7());
    let command = schedule(&f, vec![teacher], coordinator);
    let again = |command: &Schedule| Schedule { request: schedule(&f, vec![], coordinator).request, ..command.clone() };
    assert!(matches!(f.classes.schedule(again(&command)).await, Err(ClassReviewError::Refused(Refusal::Invalid(_)))), "the teacher does not teach it");
    relate(&f.pool, teacher, "teaches", command.class_id).await;
    assert!(matches!(f.classes.schedule(again(&command)).await, Err(ClassReviewError::Refused(Refusal::Invalid(_)))), "no coordinator of the school");
    relate(&f.pool, coordinator, "coordinator", command.school_id).await;
    let none = Schedule { students: 0, ..again(&command) };
    assert!(matches!(f.classes.schedule(none).await, Err(ClassReviewError::Step(WrongStep::NoStudents))));
    let late = Schedule { on: NaiveDate::from_ymd_opt(2027, 2, 1).unwrap(), ..again(&command) };
    assert!(matches!(f.classes.schedule(late).await, Err(ClassReviewError::CycleClosed { .. })));

    let booked = f.classes.schedule(command.clone()).await.unwrap();
    assert_eq!(f.classes.schedule(command.clone()).await.unwrap(), booked);
    assert_eq!(f.classes.schedule(again(&command)).await.unwrap(), booked, "another request finds it");
    assert_eq!((booked.review.state, booked.review.version, booked.review.started_at), (ClassReviewState::Scheduled, 1, None));
    assert_eq!((booked.review.booking.minutes, booked.review.booking.teachers.clone(), booked.progress.students), (90, vec![teacher], 0));
    assert_eq!(f.published("reviews.class-review.v1").await, 2);

    let start = Start { class_id: command.class_id, ..f.start(Uuid::now_v7()) };
    let started = f.classes.start(start.clone()).await.unwrap();
    assert_eq!((started.review.id, started.review.state, started.review.version), (booked.review.id, ClassReviewState::InProgress, 2));
    assert_eq!((started.progress.students, started.review.booking.clone()), (2, booked.review.booking));
    assert!(started.review.started_at.is_some());
    assert_eq!(f.classes.start(start).await.unwrap(), started);
    assert_eq!(f.classes.teachers_named(booked.review.id).await.unwrap(), [teacher]);
}

#[tokio::test]
async fn a_review_is_paused_reopened_and_called_off_with_the_reason_kept() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let step = async |step: Step| {
        let version = f.classes.existing(f.overview.review.cycle_id, f.overview.review.class_id).await.unwrap().unwrap().review.version;
        let request = idempotency::Request::new("tester", "reviews.TransitionClassReview", Uuid::now_v7(), b"step");
        f.classes.step(Change { request, id: f.overview.review.id, expected_version: version }, step).await
    };
    let paused = step(Step::Pause { reason: "fire drill".to_owned() }).await.unwrap();
    assert_eq!((paused.review.state, paused.review.reason.as_str()), (ClassReviewState::Paused, "fire drill"));
    assert!(matches!(step(Step::Reopen { reason: "no".to_owned() }).await, Err(ClassReviewError::Step(WrongStep::State { .. }))));
    step(Step::Resume).await.unwrap();
    f.complete(0).await;
    f.sign().await;
    let reopened = step(Step::Reopen { reason: "a need was forgotten".to_owned() }).await.unwrap();
    assert_eq!((reopened.review.state, reopened.review.reopen_count), (ClassReviewState::InProgress, 1));
    let cancelled = step(Step::Cancel { reason: "the class was split".to_owned() }).await.unwrap();
    assert_eq!(cancelled.review.state, ClassReviewState::Cancelled);
    let kept: (String, i32) = sqlx::query_as("select reason, reopen_count from reviews.class_review").fetch_one(&f.pool).await.unwrap();
    assert_eq!(kept, ("the class was split".to_owned(), 1));
    // The class may be reviewed anew.
    assert_ne!(f.classes.start(f.start(Uuid::now_v7())).await.unwrap().review.id, f.overview.review.id);
}

#[tokio::test]
async fn a_refresh_adds_who_joined_and_lets_leave_who_left() {
    let f = fixture(testing::database(&MIGRATIONS).await, 3).await;
    let id = f.overview.review.id;
    let newcomer = Uuid::now_v7();
    f.reviews.skip(&f.fresh(1, 1), "time".to_owned(), &f.author).await.unwrap();
    let of = |students: &[Uuid]| Snapshot { students: students.iter().map(|s| (*s, "04".to_owned())).collect() };
    let request = || idempotency::Request::new("tester", "reviews.RefreshClassReview", Uuid::now_v7(), b"refresh");
    let first = request();
    let refreshed = f.classes.refresh(&first, id, &of(&[f.students[0], newcomer])).await.unwrap();
    // The second was done before and stays done; the third left.
    assert_eq!((refreshed.added, refreshed.left), (1, 1));
    let progress = &refreshed.overview.progress;
    assert_eq!((progress.students, progress.added, progress.left, progress.done), (3, 1, 1, 1));
    let again = f.classes.refresh(&first, id, &of(&[f.students[0], newcomer])).await.unwrap();
    assert_eq!((again.added, again.left, &again.overview), (0, 0, &refreshed.overview));
    let added = f.reviews.get(id, newcomer).await.unwrap();
    assert_eq!((added.added, added.grade.as_str(), added.state), (true, "04", crate::words::StudentReviewState::Pending));
    let told: proto::reviews::v1::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.student_id, told.grade.as_str(), told.version), (newcomer.to_string(), "04", 1));
    let back = f.classes.refresh(&request(), id, &of(&[f.students[0], f.students[2], newcomer])).await.unwrap();
    assert_eq!((back.added, back.left, back.overview.progress.left), (0, 0, 0));
    sqlx::query("update reviews.class_review set state = 'awaiting_signoff'").execute(&f.pool).await.unwrap();
    assert!(matches!(f.classes.refresh(&request(), id, &of(&[])).await, Err(ClassReviewError::Step(WrongStep::State { .. }))));
}

#[tokio::test]
async fn teachers_pause_and_go_on_and_only_those_who_answer_for_it_reopen_or_call_off() {
    use crate::live::tests::{coordinator, request, service, teacher};
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let service = service(&f, tokio_util::sync::CancellationToken::new());
    let (teacher, coordinator) = (teacher(&f), coordinator(&f));
    let id = f.overview.review.id;
    let step = async |caller: &chassis_access::Caller, transition: &str, expected_version: i64| {
        let message = proto::reviews::v1::TransitionClassReviewRequest {
            class_review_id: id.to_string(),
            transition: transition.to_owned(),
            reason: "snow".to_owned(),
            expected_version,
            request_id: Uuid::now_v7().to_string(),
        };
        let answer = service.transition(request(caller, message)).await;
        answer.map(|a| a.into_inner().class_review.unwrap().state()).map_err(|status| chassis_rpc::fault::reason_of(&status).unwrap())
    };
    use proto::reviews::v1::ClassReviewState as State;
    assert_eq!(step(&teacher, "pause", 1).await, Ok(State::Paused));
    assert_eq!(step(&teacher, "resume", 2).await, Ok(State::InProgress));
    assert_eq!(step(&teacher, "cancel", 3).await, Err("ACCESS_DENIED".to_owned()));
    assert_eq!(step(&teacher, "finish", 3).await, Err("INVALID_INPUT".to_owned()));
    assert_eq!(step(&coordinator, "pause", 1).await, Err("ETAG_MISMATCH".to_owned()));
    f.complete(0).await;
    f.sign().await;
    assert_eq!(step(&teacher, "reopen", 6).await, Err("ACCESS_DENIED".to_owned()));
    assert_eq!(step(&coordinator, "reopen", 6).await, Ok(State::InProgress));
    let manager = chassis_access::testing::caller(Uuid::now_v7(), "program_manager", &[f.overview.review.school_id]);
    assert_eq!(step(&manager, "cancel", 7).await, Ok(State::Cancelled));
}
