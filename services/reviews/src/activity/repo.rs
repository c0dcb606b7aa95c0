//! SQL of activity: one statement over what was written and what was noted.

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::LONGEST_GAP;

pub(super) async fn is_on_review(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from reviews.student_review where class_review_id = $1 and student_id = $2) as "found!""#,
        class_review_id,
        student_id
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

pub(super) async fn note(conn: &mut PgConnection, class_review_id: Uuid, student_id: Option<Uuid>, staff_id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "insert into reviews.activity (class_review_id, student_id, staff_id)
         select class_review_id, $2, $3 from reviews.class_review r
         where r.class_review_id = $1 and r.state = 'in_progress' and not exists (
             select from reviews.activity a
             where a.class_review_id = $1 and a.staff_id = $3 and a.student_id is not distinct from $2 and a.noted_at > now() - interval '5 seconds')",
        class_review_id,
        student_id,
        staff_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Seconds of work on each of these class reviews that has any.
pub(crate) async fn of_classes(conn: &mut PgConnection, class_review_ids: &[Uuid]) -> Result<Vec<(Uuid, i32)>, DbError> {
    let rows = sqlx::query!(
        r#"with moments as (
               select class_review_id, written_at as at from reviews.student_review_revision
               where class_review_id = any($1) and author_id <> '00000000-0000-0000-0000-000000000000' and sensitivity is distinct from 'protected'
               union all
               select class_review_id, noted_at from reviews.activity where class_review_id = any($1)
           ), gaps as (
               select class_review_id, extract(epoch from at - lag(at) over (partition by class_review_id order by at)) as gap from moments
           )
           select class_review_id as "id!", round(sum(gap))::integer as "seconds!"
           from gaps where gap <= $2::integer group by class_review_id"#,
        class_review_ids,
        LONGEST_GAP
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.seconds)).collect())
}

/// Seconds of work on each student of a class review, or of these, that has any.
pub(crate) async fn of_students(conn: &mut PgConnection, class_review_id: Uuid, only: Option<&[Uuid]>) -> Result<Vec<(Uuid, i32)>, DbError> {
    let rows = sqlx::query!(
        r#"with moments as (
               select student_id, written_at as at from reviews.student_review_revision
               where class_review_id = $1 and ($2::uuid[] is null or student_id = any($2))
                   and author_id <> '00000000-0000-0000-0000-000000000000' and sensitivity is distinct from 'protected'
               union all
               select student_id, noted_at from reviews.activity
               where class_review_id = $1 and student_id is not null and ($2::uuid[] is null or student_id = any($2))
           ), gaps as (
               select student_id, extract(epoch from at - lag(at) over (partition by student_id order by at)) as gap from moments
           )
           select student_id as "id!", round(sum(gap))::integer as "seconds!"
           from gaps where gap <= $3::integer group by student_id"#,
        class_review_id,
        only,
        LONGEST_GAP
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.seconds)).collect())
}
