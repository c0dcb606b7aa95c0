//! SQL of whole-school activities.

use chassis_pg::{DbError, expect_one};
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Activity;

/// Writes a new activity. False where its id is taken.
pub async fn insert(conn: &mut PgConnection, activity: &Activity) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.activity (activity_id, school_id, school_year, name, service_category, first_on, last_on) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing",
        activity.activity_id,
        activity.school_id,
        activity.school_year,
        activity.name,
        activity.service_category,
        activity.first_on,
        activity.last_on
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes an activity over the version before it.
pub async fn update(conn: &mut PgConnection, activity: &Activity) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.activity set name = $2, service_category = $3, first_on = $4, last_on = $5, version = $6, updated_at = now()
         where activity_id = $1 and version = $6::bigint - 1",
        activity.activity_id,
        activity.name,
        activity.service_category,
        activity.first_on,
        activity.last_on,
        activity.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Locks an activity; none where it is not there.
pub async fn lock(conn: &mut PgConnection, activity_id: Uuid) -> Result<Option<Activity>, DbError> {
    let found = sqlx::query_scalar!("select activity_id from plans.activity where activity_id = $1 for update", activity_id).fetch_optional(&mut *conn).await?;
    match found {
        Some(id) => Ok(list(conn, Some(id), None, 0).await?.pop()),
        None => Ok(None),
    }
}

/// Where an activity is.
pub async fn school_of(conn: &mut PgConnection, activity_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select school_id from plans.activity where activity_id = $1", activity_id).fetch_optional(conn).await?)
}

/// Activities, newest first, with the newest counts of their days: one, or those of a school in a year.
pub async fn list(conn: &mut PgConnection, activity_id: Option<Uuid>, school_id: Option<Uuid>, school_year: i32) -> Result<Vec<Activity>, DbError> {
    Ok(sqlx::query_as!(
        Activity,
        r#"with chosen as (
               select * from plans.activity where activity_id = $1 or school_id = $2 and school_year = $3 order by first_on desc, activity_id desc limit 500)
           select a.activity_id, a.school_id, a.school_year, a.name, a.service_category, a.first_on, a.last_on,
                  coalesce(c.people, 0) as "participation_count!", coalesce(c.students, 0) as "student_count!", a.version
           from chosen a
           cross join lateral (
               select sum(d.head_count)::bigint as people,
                      (select count(distinct s) from plans.activity_count n, unnest(n.student_ids) as s
                       where n.activity_id = a.activity_id
                         and not exists (select from plans.activity_count l where l.activity_id = n.activity_id and l.on_date = n.on_date and l.number > n.number)) as students
               from (select distinct on (on_date) head_count from plans.activity_count where activity_id = a.activity_id order by on_date, number desc) d) c
           order by a.first_on desc, a.activity_id desc"#,
        activity_id,
        school_id,
        school_year
    )
    .fetch_all(conn)
    .await?)
}

/// Days of an activity that were counted: the first and the last.
pub async fn counted_days(conn: &mut PgConnection, activity_id: Uuid) -> Result<Option<(NaiveDate, NaiveDate)>, DbError> {
    let row = sqlx::query!("select min(on_date) as first, max(on_date) as last from plans.activity_count where activity_id = $1", activity_id)
        .fetch_one(conn)
        .await?;
    Ok(row.first.zip(row.last))
}

/// Keeps a count of a day; it takes the place of the one before. The activity must be locked.
pub async fn count(conn: &mut PgConnection, activity_id: Uuid, on_date: NaiveDate, count: i32, students: &[Uuid], by: &str) -> Result<(), DbError> {
    sqlx::query!(
        "insert into plans.activity_count (activity_id, on_date, number, head_count, student_ids, recorded_by)
         select $1, $2, 1 + count(*)::integer, $3, $4, $5 from plans.activity_count where activity_id = $1 and on_date = $2",
        activity_id,
        on_date,
        count,
        students,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Of these students, those who do not attend a school.
pub async fn strangers(conn: &mut PgConnection, school_id: Uuid, students: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"select s as "student!" from unnest($2::uuid[]) as s
           where not exists (select from plans.relationship r where r.subject = s and r.relation = 'attends' and r.object = $1)"#,
        school_id,
        students
    )
    .fetch_all(conn)
    .await?)
}
