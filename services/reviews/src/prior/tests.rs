use chassis_access::Sensitivity;
use chassis_pg::testing;
use proptest::prelude::*;

use super::entity::Prior;
use super::*;
use crate::app::MIGRATIONS;
use crate::student_review::tests::{Fixture, clock, coordinator, entry, fixture, teacher};
use crate::words::{Origin, Polarity, PriorAnswer, Season};

/// A fall review with some entries, done, and the spring review after it.
async fn two_seasons(codes: &[(&str, Polarity, i16)]) -> (Fixture, Fixture, Vec<Entry>, Priors) {
    let fall = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let mut noted = Vec::new();
    for (code, polarity, severity) in codes {
        noted.push(fall.reviews.put(&fall.put(&fall.author, &entry(code, *polarity, *severity), 0)).await.unwrap());
    }
    fall.complete(0).await;
    let spring = fall.spring().await;
    let priors = Priors::new(fall.pool.clone(), clock());
    (fall, spring, noted, priors)
}

async fn open_of(priors: &Priors, f: &Fixture, sight: &Sight) -> Vec<String> {
    let list = priors.list(f.overview.review.id, f.students[0], false, sight).await.unwrap();
    list.into_iter().map(|p| p.entry.code).collect()
}

#[tokio::test]
async fn nothing_is_carried_over_without_an_answer_and_each_answer_is_given_once() {
    let codes = [("FAM-FOD", Polarity::Need, 2), ("ACA-RDG", Polarity::Need, 2), ("ACA-MAT", Polarity::Strength, 0)];
    let (fall, spring, noted, priors) = two_seasons(&codes).await;
    let author = &spring.author;
    assert_eq!(open_of(&priors, &spring, &author.sight).await, ["ACA-RDG", "ACA-MAT", "FAM-FOD"]);
    let review = async || spring.reviews.get(spring.overview.review.id, spring.students[0]).await.unwrap();
    assert_eq!((review().await.entries.len(), review().await.open_priors.len()), (0, 3));
    assert_eq!(open_of(&priors, &fall, &author.sight).await, Vec::<String>::new(), "the fall review has nothing before it");

    let (food, reading, maths) = (&noted[0], &noted[1], &noted[2]);
    let change = spring.fresh(0, 0);
    let new_id = Uuid::now_v7();
    let carried = priors.answer(&change, reading.id, Some(Answer::StillTrue(new_id)), author).await.unwrap().unwrap();
    assert_eq!((carried.id, carried.code.as_str(), carried.severity, carried.version), (new_id, "ACA-RDG", 2, 1));
    assert_eq!((carried.origin, carried.from, carried.since), (Some(Origin::Carried), Some(reading.id), Some(reading.recorded_at.date_naive())));
    // A repeat finds it; another answer is refused.
    assert_eq!(priors.answer(&change, reading.id, Some(Answer::StillTrue(new_id)), author).await.unwrap(), Some(carried));
    let again = priors.answer(&spring.fresh(0, 0), reading.id, Some(Answer::NoLonger), author).await;
    assert!(matches!(again, Err(StudentReviewError::PriorAnswered)));
    let milder = Entry { severity: 1, ..entry("FAM-FOD", Polarity::Need, 1) };
    let changed = priors.answer(&spring.fresh(0, 0), food.id, Some(Answer::Changed(Box::new(milder))), author).await.unwrap().unwrap();
    assert_eq!((changed.severity, changed.from), (1, Some(food.id)));
    assert_eq!(priors.answer(&spring.fresh(0, 0), maths.id, Some(Answer::NoLonger), author).await.unwrap(), None);
    assert_eq!(open_of(&priors, &spring, &author.sight).await, Vec::<String>::new());
    let answered = priors.list(spring.overview.review.id, spring.students[0], true, &author.sight).await.unwrap();
    let answers: Vec<_> = answered.iter().map(|p| p.answer).collect();
    assert_eq!(answers, [Some(PriorAnswer::StillTrue), Some(PriorAnswer::NoLonger), Some(PriorAnswer::Changed)]);
    assert_eq!((review().await.entries.len(), review().await.open_priors.len()), (2, 0));
    assert_eq!(review().await.state, crate::words::StudentReviewState::InProgress);
    // The fall review stays as it was.
    assert_eq!(fall.reviews.get(fall.overview.review.id, fall.students[0]).await.unwrap().entries.len(), 3);
}

#[tokio::test]
async fn an_answer_that_is_taken_back_takes_the_carried_entry_with_it() {
    let (_, spring, noted, priors) = two_seasons(&[("ACA-RDG", Polarity::Need, 2)]).await;
    let (one, other) = (teacher(Uuid::now_v7()), teacher(Uuid::now_v7()));
    let review = async || spring.reviews.get(spring.overview.review.id, spring.students[0]).await.unwrap();
    priors.answer(&spring.fresh(0, 0), noted[0].id, Some(Answer::StillTrue(Uuid::now_v7())), &one).await.unwrap();
    assert!(matches!(priors.answer(&spring.fresh(0, 0), noted[0].id, None, &other).await, Err(StudentReviewError::NotYours)));
    priors.answer(&spring.fresh(0, 0), noted[0].id, None, &one).await.unwrap();
    assert_eq!((review().await.entries.len(), review().await.open_priors.len()), (0, 1));
    // Removing the entry opens the question again, too.
    let carried = priors.answer(&spring.fresh(0, 0), noted[0].id, Some(Answer::StillTrue(Uuid::now_v7())), &one).await.unwrap().unwrap();
    spring.reviews.remove(&spring.fresh(0, 1), carried.id, &one).await.unwrap();
    assert_eq!(review().await.open_priors.len(), 1);
    priors.answer(&spring.fresh(0, 0), noted[0].id, Some(Answer::NoLonger), &other).await.unwrap();
    priors.answer(&spring.fresh(0, 0), noted[0].id, None, &other).await.unwrap();
    assert_eq!(review().await.open_priors.len(), 1);
    assert!(matches!(priors.answer(&spring.fresh(0, 0), Uuid::now_v7(), None, &one).await, Err(StudentReviewError::NoPrior)));
}

#[tokio::test]
async fn what_was_protected_is_offered_to_those_who_may_know_and_stays_protected() {
    let (_, spring, noted, priors) = two_seasons(&[("FAM-VIO", Polarity::Need, 3), ("ACA-RDG", Polarity::Need, 1)]).await;
    let outside = teacher(Uuid::now_v7());
    assert_eq!(open_of(&priors, &spring, &outside.sight).await, ["ACA-RDG"]);
    let refused = priors.answer(&spring.fresh(0, 0), noted[0].id, Some(Answer::NoLonger), &outside).await;
    assert!(matches!(refused, Err(StudentReviewError::NoPrior)));
    let before = spring.reviews.get(spring.overview.review.id, spring.students[0]).await.unwrap();
    assert_eq!(before.clone().shown_to(&outside.sight).open_prior_count, 1);
    priors.answer(&spring.fresh(0, 0), noted[0].id, Some(Answer::StillTrue(Uuid::now_v7())), &spring.author).await.unwrap();
    let after = spring.reviews.get(spring.overview.review.id, spring.students[0]).await.unwrap();
    assert_eq!(after.entries[0].sensitivity, Sensitivity::Protected);
    assert_eq!(after.shown_to(&outside.sight), before.shown_to(&outside.sight), "nothing moves for those outside");
}

#[tokio::test]
async fn what_was_removed_or_replaced_is_not_asked_about() {
    let fall = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let removed = fall.reviews.put(&fall.put(&fall.author, &entry("ACA-RDG", Polarity::Need, 1), 0)).await.unwrap();
    let kept = fall.reviews.put(&fall.put(&fall.author, &entry("ACA-MAT", Polarity::Need, 1), 0)).await.unwrap();
    fall.reviews.remove(&fall.fresh(0, 1), removed.id, &fall.author).await.unwrap();
    let spring = fall.spring().await;
    let priors = Priors::new(fall.pool.clone(), clock());
    assert_eq!(open_of(&priors, &spring, &fall.author.sight).await, ["ACA-MAT"]);
    sqlx::query("update reviews.entry set superseded_by = $2 where entry_id = $1").bind(kept.id).bind(Uuid::now_v7()).execute(&fall.pool).await.unwrap();
    assert_eq!(open_of(&priors, &spring, &fall.author.sight).await, Vec::<String>::new());
}

fn any_sensitivity() -> impl Strategy<Value = Sensitivity> {
    proptest::sample::select(vec![Sensitivity::General, Sensitivity::Restricted, Sensitivity::Protected])
}

proptest! {
    #[test]
    fn what_is_carried_is_never_more_open_keeps_its_polarity_and_names_where_it_came_from(was in any_sensitivity(), asked in any_sensitivity(), day in 0u64..2000) {
        let noted = Entry { sensitivity: was, recorded_at: chrono::DateTime::UNIX_EPOCH + chrono::Days::new(day), ..entry("ACA-RDG", Polarity::Need, 2) };
        let prior = Prior { student_id: Uuid::now_v7(), entry: noted.clone(), school_year: 2026, season: Season::Fall, answer: None, made: None };
        let author = coordinator(Uuid::now_v7());
        let changed = Entry { sensitivity: asked, severity: 1, ..entry("ACA-RDG", Polarity::Need, 1) };
        for answer in [Answer::StillTrue(Uuid::now_v7()), Answer::Changed(Box::new(changed))] {
            let carried = prior.carried(answer, author.id).unwrap();
            prop_assert!(carried.sensitivity >= was);
            prop_assert_eq!((carried.polarity, carried.origin, carried.from), (Polarity::Need, Some(Origin::Carried), Some(noted.id)));
            prop_assert_eq!(carried.since, Some(noted.recorded_at.date_naive()));
            // Carried once more, the first day is still the day.
            let next = Prior { entry: carried.clone(), ..prior.clone() }.carried(Answer::StillTrue(Uuid::now_v7()), author.id).unwrap();
            prop_assert_eq!(next.since, carried.since);
        }
        prop_assert_eq!(prior.carried(Answer::NoLonger, author.id), None);
    }
}
