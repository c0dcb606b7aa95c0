use chassis_pg::testing;

use super::*;
use crate::app::MIGRATIONS;
use crate::student_review::tests::{entry, fixture};
use crate::words::Polarity;

#[tokio::test]
async fn minutes_are_what_lies_between_moments_of_work_without_the_long_gaps() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let (id, one, other) = (f.overview.review.id, f.students[0], f.students[1]);
    // Seconds ago, on whom.
    for (ago, student) in [(1000, Some(one)), (940, Some(one)), (821, Some(one)), (600, Some(other)), (550, None), (530, Some(other))] {
        sqlx::query("insert into reviews.activity (class_review_id, student_id, staff_id, noted_at) values ($1, $2, $3, now() - make_interval(secs => $4))")
            .bind(id)
            .bind(student)
            .bind(Uuid::now_v7())
            .bind(f64::from(ago))
            .execute(&f.pool)
            .await
            .unwrap();
    }
    let mut conn = f.pool.acquire().await.unwrap();
    // 60 and 119 count, 221 does not, 50 and 20 do.
    assert_eq!(repo::of_classes(&mut conn, &[id]).await.unwrap(), [(id, 249)]);
    let mut students = repo::of_students(&mut conn, id, None).await.unwrap();
    students.sort_unstable();
    let mut expected = [(one, 179), (other, 70)];
    expected.sort_unstable();
    assert_eq!(students, expected);
    assert_eq!(f.reviews.get(id, one).await.unwrap().active_seconds, 179);
    assert_eq!(f.classes.existing(f.overview.review.cycle_id, f.overview.review.class_id).await.unwrap().unwrap().progress.active_seconds, 249);
}

#[tokio::test]
async fn what_is_saved_counts_and_what_is_protected_does_not() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let seconds = async || f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap().active_seconds;
    let back = async |code: &str, seconds: f64| {
        sqlx::query("alter table reviews.student_review_revision disable trigger all").execute(&f.pool).await.unwrap();
        let written = "update reviews.student_review_revision set written_at = now() - make_interval(secs => $2) where code = $1";
        sqlx::query(written).bind(code).bind(seconds).execute(&f.pool).await.unwrap();
    };
    f.reviews.put(&f.put(&f.author, &entry("ACA-RDG", Polarity::Need, 1), 0)).await.unwrap();
    f.reviews.put(&f.put(&f.author, &entry("ACA-MAT", Polarity::Need, 1), 0)).await.unwrap();
    back("ACA-RDG", 90.0).await;
    back("ACA-MAT", 60.0).await;
    assert_eq!(seconds().await, 30);
    f.reviews.put(&f.put(&f.author, &entry("FAM-VIO", Polarity::Need, 1), 0)).await.unwrap();
    assert_eq!(seconds().await, 30);
}

#[tokio::test]
async fn a_page_that_reports_too_often_or_on_a_closed_review_is_passed_over() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let activity = Activity::new(f.pool.clone());
    let (id, staff) = (f.overview.review.id, Uuid::now_v7());
    for _ in 0..3 {
        assert_eq!(activity.note(id, Some(f.students[0]), staff).await.unwrap(), 0);
    }
    assert_eq!(f.count("activity").await, 1);
    activity.note(id, None, staff).await.unwrap();
    assert_eq!(f.count("activity").await, 2);
    assert!(matches!(activity.note(id, Some(Uuid::now_v7()), staff).await, Err(StudentReviewError::NoStudent)));
    sqlx::query("update reviews.class_review set state = 'paused'").execute(&f.pool).await.unwrap();
    activity.note(id, None, Uuid::now_v7()).await.unwrap();
    assert_eq!(f.count("activity").await, 2);
    assert!(sqlx::query("delete from reviews.activity").execute(&f.pool).await.is_err());
}
