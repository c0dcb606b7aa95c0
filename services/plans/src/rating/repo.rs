//! SQL of ratings.

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Rater, Rating};

/// Writes a rating; false where its id is taken.
pub async fn insert(conn: &mut PgConnection, rating: &Rating) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.rating (rating_id, student_id, need_id, plan_item_id, rater, points, words, rated_on, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        rating.rating_id,
        rating.student_id,
        rating.need_id,
        rating.plan_item_id,
        rating.rater.as_str(),
        rating.points,
        rating.words,
        rating.rated_on,
        rating.recorded_by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ratings of a student about these needs, newest first.
pub async fn of_student(conn: &mut PgConnection, student_id: Uuid, need_ids: &[Uuid]) -> Result<Vec<Rating>, DbError> {
    Ok(sqlx::query_as!(
        Rating,
        r#"select rating_id, student_id, need_id, plan_item_id, rater as "rater: Rater", points, words, rated_on, recorded_by
           from plans.rating where student_id = $1 and need_id = any($2) order by rated_on desc, rating_id desc limit 200"#,
        student_id,
        need_ids
    )
    .fetch_all(conn)
    .await?)
}

/// What each side says of a need or an item by its latest word.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Need.
    pub need_id: Uuid,
    /// Item; none for the need as a whole.
    pub plan_item_id: Option<Uuid>,
    /// Mean of the latest points of each kind of staff and of partners.
    pub staff_points: Option<f64>,
    /// Mean of the latest points of family and student.
    pub family_points: Option<f64>,
}

/// One summary a need and item.
pub async fn summaries(conn: &mut PgConnection, student_id: Uuid, need_ids: &[Uuid]) -> Result<Vec<Summary>, DbError> {
    Ok(sqlx::query_as!(
        Summary,
        r#"with latest as (
               select distinct on (need_id, plan_item_id, rater) need_id, plan_item_id, rater, points
               from plans.rating where student_id = $1 and need_id = any($2)
               order by need_id, plan_item_id, rater, rated_on desc, recorded_at desc)
           select need_id as "need_id!", plan_item_id,
                  avg(points::double precision) filter (where rater not in ('family', 'student')) as staff_points,
                  avg(points::double precision) filter (where rater in ('family', 'student')) as family_points
           from latest group by need_id, plan_item_id order by need_id, plan_item_id nulls first"#,
        student_id,
        need_ids
    )
    .fetch_all(conn)
    .await?)
}
