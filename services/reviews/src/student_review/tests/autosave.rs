use chassis_pg::idempotency::ClaimError;
use chassis_pg::testing;

use super::*;
use crate::app::MIGRATIONS;
use crate::error::Refusal;
use crate::student_review::entity::WrongStep;

#[tokio::test]
async fn a_repeat_of_a_save_is_answered_and_changes_nothing() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let need = entry("ACA-RDG", Polarity::Need, 2);
    let first = f.put(&f.author, &need, 0);
    let stored = f.reviews.put(&first).await.unwrap();
    assert_eq!((stored.version, stored.author), (1, f.author.id));
    assert_eq!(f.reviews.put(&first).await.unwrap(), stored);
    let mut graver = f.put(&f.author, &Entry { severity: 3, ..need.clone() }, 1);
    let changed = f.reviews.put(&graver).await.unwrap();
    assert_eq!((changed.version, changed.severity), (2, 3));
    assert_eq!(f.reviews.put(&graver).await.unwrap(), changed);
    assert_eq!((f.count("entry").await, f.count("student_review_revision").await), (1, 2));
    // The id that was used cannot be used for something else, whether that would fit or not.
    graver.change.request.fingerprint = [9; 16];
    assert!(matches!(f.reviews.put(&graver).await, Err(StudentReviewError::Refused(Refusal::Claim(ClaimError::Reused)))));
    graver.change.expected_version = 2;
    assert!(matches!(f.reviews.put(&graver).await, Err(StudentReviewError::Refused(Refusal::Claim(ClaimError::Reused)))));
    assert_eq!(f.count("student_review_revision").await, 2);
    let review = f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap();
    assert_eq!((review.state, review.version), (crate::words::StudentReviewState::InProgress, 1));
    assert_eq!(review.entries, [changed]);
}

#[tokio::test]
async fn a_stale_save_is_refused_and_may_be_repeated_under_its_id() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let need = entry("ACA-RDG", Polarity::Need, 2);
    f.reviews.put(&f.put(&f.author, &need, 0)).await.unwrap();
    let mut stale = f.put(&f.author, &need, 7);
    assert!(matches!(f.reviews.put(&stale).await, Err(StudentReviewError::Refused(Refusal::Stale))));
    // A new entry under a known id is stale as well.
    assert!(matches!(f.reviews.put(&f.put(&f.author, &need, 0)).await, Err(StudentReviewError::Refused(Refusal::Stale))));
    let unknown = entry("ACA-RDG", Polarity::Need, 2);
    assert!(matches!(f.reviews.put(&f.put(&f.author, &unknown, 3)).await, Err(StudentReviewError::NoEntry)));
    // Nothing was done under the stale request's id, so it is free.
    stale.change.expected_version = 1;
    assert_eq!(f.reviews.put(&stale).await.unwrap().version, 2);
}

#[tokio::test]
async fn a_save_is_refused_where_the_review_is_closed_or_the_student_is_not_on_it() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let need = entry("ACA-RDG", Polarity::Need, 2);
    let mut elsewhere = f.put(&f.author, &need, 0);
    elsewhere.change.student_id = Uuid::now_v7();
    assert!(matches!(f.reviews.put(&elsewhere).await, Err(StudentReviewError::NoStudent)));
    f.reviews.put(&f.put(&f.author, &need, 0)).await.unwrap();
    f.reviews.skip(&f.fresh(0, 1), "time".to_owned(), &f.author).await.unwrap();
    assert!(matches!(f.reviews.put(&f.put(&f.author, &need, 1)).await, Err(StudentReviewError::Step(WrongStep::Closed { .. }))));
    let another = entry("ACA-MAT", Polarity::Strength, 0);
    assert!(matches!(f.reviews.put(&f.put(&f.author, &another, 0)).await, Err(StudentReviewError::Step(WrongStep::Closed { .. }))));
    sqlx::query("update reviews.class_review set state = 'paused'").execute(&f.pool).await.unwrap();
    assert!(matches!(f.reviews.put(&f.put(&f.author, &another, 0)).await, Err(StudentReviewError::ClassReview(ClassReviewState::Paused))));
    assert_eq!(f.count("entry").await, 1);
}

#[tokio::test]
async fn teachers_change_what_they_wrote_and_never_what_they_do_not_see() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let (one, other) = (teacher(Uuid::now_v7()), teacher(Uuid::now_v7()));
    let general = entry("ACA-RDG", Polarity::Need, 1);
    let restricted = Entry { sensitivity: Sensitivity::Restricted, ..entry("ACA-WRI", Polarity::Need, 1) };
    let protected = entry("FAM-VIO", Polarity::Need, 2);
    for entry in [&general, &restricted, &protected] {
        f.reviews.put(&f.put(&one, entry, 0)).await.unwrap();
    }
    assert!(matches!(f.reviews.put(&f.put(&other, &general, 1)).await, Err(StudentReviewError::NotYours)));
    assert!(matches!(f.reviews.put(&f.put(&other, &restricted, 1)).await, Err(StudentReviewError::NoEntry)));
    assert!(matches!(f.reviews.put(&f.put(&one, &protected, 1)).await, Err(StudentReviewError::NoEntry)));
    assert_eq!(f.reviews.put(&f.put(&one, &restricted, 1)).await.unwrap().version, 2);
    // A coordinator may; the entry stays its author's, and the history says who changed it.
    let changed = f.reviews.put(&f.put(&f.author, &restricted, 2)).await.unwrap();
    assert_eq!((changed.version, changed.author), (3, one.id));
    assert!(matches!(f.reviews.remove(&f.fresh(0, 1), general.id, &other).await, Err(StudentReviewError::NotYours)));
    assert!(matches!(f.reviews.remove(&f.fresh(0, 1), protected.id, &one).await, Err(StudentReviewError::NoEntry)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_who_save_one_entry_one_wins_each_version_and_none_is_lost() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let need = entry("ACA-RDG", Polarity::Need, 1);
    f.reviews.put(&f.put(&f.author, &need, 0)).await.unwrap();
    const ROUNDS: i64 = 15;
    let tasks: Vec<_> = (0..8i64)
        .map(|_| {
            let (reviews, author, need) = (f.reviews.clone(), f.author.clone(), need.clone());
            let changes: Vec<Change> = (0..ROUNDS).map(|_| f.fresh(0, 0)).collect();
            tokio::spawn(async move {
                let mut won = Vec::new();
                let mut version = 1;
                for mut change in changes {
                    // As the page does: save with the version known; where somebody was faster, read and save again.
                    loop {
                        change.expected_version = version;
                        let put = Put { change: change.clone(), author: author.clone(), entry: need.clone() };
                        match reviews.put(&put).await {
                            Ok(stored) => {
                                version = stored.version;
                                won.push(version);
                                break;
                            }
                            Err(StudentReviewError::Refused(Refusal::Stale)) => {
                                version = reviews.get(change.class_review_id, change.student_id).await.unwrap().entries[0].version;
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
                won
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        won.extend(task.await.unwrap());
    }
    won.sort_unstable();
    assert_eq!(won, (2..=8 * ROUNDS + 1).collect::<Vec<_>>());
    assert_eq!(f.count("student_review_revision").await, 8 * ROUNDS + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_saved_while_a_review_is_completed_is_in_it_or_refused() {
    for _ in 0..10 {
        let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
        let decided =
            Decision { no_concern: Domain::ALL.to_vec(), assigned_tier: Some(Tier::One), no_strength_reason: "new".to_owned(), ..Decision::default() };
        f.reviews.update(&f.fresh(0, 1), decided, &f.author).await.unwrap();
        let saves: Vec<_> = (0..6)
            .map(|_| {
                let (reviews, put) = (f.reviews.clone(), f.put(&f.author, &entry("ACA-MAT", Polarity::Strength, 0), 0));
                tokio::spawn(async move { reviews.put(&put).await.is_ok() })
            })
            .collect();
        let completed = f.reviews.complete(&f.fresh(0, 2), &f.author).await.unwrap();
        let mut saved = 0;
        for save in saves {
            saved += usize::from(save.await.unwrap());
        }
        assert_eq!(completed.entries.len(), saved);
    }
}
