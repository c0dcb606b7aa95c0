//! SQL of class reviews.

use std::collections::HashMap;

use chassis_pg::{DbError, expect_one};
use chassis_rpc::PageRequest;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Booking, ClassReview, Overview, Progress, Signature};
use super::{Scope, Snapshot};
use crate::activity;
use crate::words::{ClassReviewState, Season};

struct Row {
    class_review_id: Uuid,
    review_cycle_id: Uuid,
    school_year: i32,
    season: String,
    class_id: Uuid,
    school_id: Uuid,
    state: String,
    roster_date: NaiveDate,
    version: i64,
    started_at: Option<DateTime<Utc>>,
    scheduled_on: Option<NaiveDate>,
    booked_minutes: i32,
    teacher_ids: Vec<Uuid>,
    coordinator_id: Option<Uuid>,
    reopen_count: i32,
    reason: String,
    teacher_signed_by: Option<Uuid>,
    teacher_signed_at: Option<DateTime<Utc>>,
    instead_of_teacher_reason: String,
    coordinator_signed_by: Option<Uuid>,
    coordinator_signed_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    students: i32,
    done: i32,
    current_student: Option<Uuid>,
    added: i32,
    left: i32,
}

fn signature(by: Option<Uuid>, at: Option<DateTime<Utc>>) -> Option<Signature> {
    by.zip(at).map(|(by, at)| Signature { by, at })
}

impl TryFrom<Row> for Overview {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let review = ClassReview {
            id: row.class_review_id,
            cycle_id: row.review_cycle_id,
            school_year: row.school_year,
            season: Season::read(&row.season)?,
            class_id: row.class_id,
            school_id: row.school_id,
            state: ClassReviewState::read(&row.state)?,
            roster_date: row.roster_date,
            version: row.version,
            started_at: row.started_at,
            booking: Booking { on: row.scheduled_on, minutes: row.booked_minutes, teachers: row.teacher_ids, coordinator: row.coordinator_id },
            reopen_count: row.reopen_count,
            reason: row.reason,
            teacher_signed: signature(row.teacher_signed_by, row.teacher_signed_at),
            instead_of_teacher_reason: row.instead_of_teacher_reason,
            coordinator_signed: signature(row.coordinator_signed_by, row.coordinator_signed_at),
            completed_at: row.completed_at,
        };
        let progress =
            Progress { students: row.students, done: row.done, current_student: row.current_student, added: row.added, left: row.left, active_seconds: 0 };
        Ok(Self { review, progress })
    }
}

/// Class reviews with their progress, by the rest of a statement.
macro_rules! overviews {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"select r.class_review_id, r.review_cycle_id, c.school_year, c.season, r.class_id, r.school_id, r.state, r.roster_date, r.version,
                   r.started_at, r.scheduled_on, r.booked_minutes, r.teacher_ids, r.coordinator_id, r.reopen_count, r.reason, r.teacher_signed_by, r.teacher_signed_at, r.instead_of_teacher_reason, r.coordinator_signed_by,
                   r.coordinator_signed_at, r.completed_at, p.students as "students!", p.done as "done!",
                   coalesce(p.under_way, p.pending) as current_student, p.added as "added!", p."left" as "left!"
               from reviews.class_review r
               join reviews.review_cycle c using (review_cycle_id)
               cross join lateral (
                   select (count(*) filter (where s.state <> 'left'))::integer as students,
                       (count(*) filter (where s.state in ('reviewed', 'amended', 'not_reviewed')))::integer as done,
                       (count(*) filter (where s.added))::integer as added,
                       (count(*) filter (where s.state = 'left'))::integer as "left",
                       (array_agg(s.student_id order by s.position) filter (where s.state = 'in_progress'))[1] as under_way,
                       (array_agg(s.student_id order by s.position) filter (where s.state = 'pending'))[1] as pending
                   from reviews.student_review s where s.class_review_id = r.class_review_id
               ) p "#
                + $rest
            $(, $argument)*
        )
    };
}

/// One class review.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Overview>, DbError> {
    let row = overviews!("where r.class_review_id = $1", id).fetch_optional(&mut *conn).await?;
    Ok(with_minutes(conn, row).await?.pop())
}

pub(super) async fn find_of_class(conn: &mut PgConnection, cycle_id: Uuid, class_id: Uuid) -> Result<Option<Overview>, DbError> {
    let row = overviews!("where r.review_cycle_id = $1 and r.class_id = $2 and r.state <> 'cancelled'", cycle_id, class_id).fetch_optional(&mut *conn).await?;
    Ok(with_minutes(conn, row).await?.pop())
}

async fn with_minutes(conn: &mut PgConnection, rows: impl IntoIterator<Item = Row>) -> Result<Vec<Overview>, DbError> {
    let mut overviews = rows.into_iter().map(Overview::try_from).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<Uuid> = overviews.iter().map(|o| o.review.id).collect();
    let seconds: HashMap<Uuid, i32> = activity::repo::of_classes(conn, &ids).await?.into_iter().collect();
    for overview in &mut overviews {
        overview.progress.active_seconds = seconds.get(&overview.review.id).copied().unwrap_or_default();
    }
    Ok(overviews)
}

/// Takes the row's lock, so that what is read after it is what is decided on.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    sqlx::query!("select class_review_id from reviews.class_review where class_review_id = $1 for update", id).fetch_optional(conn).await?;
    Ok(())
}

pub(super) async fn list(conn: &mut PgConnection, cycle_id: Option<Uuid>, scope: &Scope, page: &PageRequest<Uuid>) -> Result<Vec<Overview>, DbError> {
    let rows = overviews!(
        "where ($1::uuid is null or r.review_cycle_id = $1)
           and ($2 or r.school_id = any($3) or r.class_id = any($4))
           and ($5::uuid is null or r.class_review_id < $5)
         order by r.class_review_id desc limit $6",
        cycle_id,
        scope.everything,
        &scope.schools,
        &scope.classes,
        page.after,
        page.size + 1
    )
    .fetch_all(&mut *conn)
    .await?;
    with_minutes(conn, rows).await
}

/// Writes a new class review; false where the class has one in this cycle.
pub(super) async fn insert(conn: &mut PgConnection, review: &ClassReview, started_by: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into reviews.class_review
             (class_review_id, review_cycle_id, class_id, school_id, state, roster_date, version, started_by, started_at,
              scheduled_on, booked_minutes, teacher_ids, coordinator_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict (review_cycle_id, class_id) where state <> 'cancelled' do nothing",
        review.id,
        review.cycle_id,
        review.class_id,
        review.school_id,
        review.state.word(),
        review.roster_date,
        review.version,
        started_by,
        review.started_at,
        review.booking.on,
        review.booking.minutes,
        &review.booking.teachers,
        review.booking.coordinator
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn insert_students(conn: &mut PgConnection, id: Uuid, snapshot: &Snapshot) -> Result<(), DbError> {
    let (students, grades): (Vec<Uuid>, Vec<String>) = snapshot.students.iter().cloned().unzip();
    sqlx::query!(
        "insert into reviews.student_review (class_review_id, student_id, position, grade, state, version)
         select $1, student_id, position, grade, 'pending', 1
         from unnest($2::uuid[], $3::text[]) with ordinality as snapshot (student_id, grade, position)",
        id,
        &students,
        &grades
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update(conn: &mut PgConnection, next: &ClassReview) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update reviews.class_review set state = $2, version = $3, teacher_signed_by = $4, teacher_signed_at = $5,
             instead_of_teacher_reason = $6, coordinator_signed_by = $7, coordinator_signed_at = $8, completed_at = $9,
             started_at = $10, roster_date = $11, reopen_count = $12, reason = $13
         where class_review_id = $1 and version + 1 = $3",
        next.id,
        next.state.word(),
        next.version,
        next.teacher_signed.map(|s| s.by),
        next.teacher_signed.map(|s| s.at),
        next.instead_of_teacher_reason,
        next.coordinator_signed.map(|s| s.by),
        next.coordinator_signed.map(|s| s.at),
        next.completed_at,
        next.started_at,
        next.roster_date,
        next.reopen_count,
        next.reason
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Teachers who were named when it was booked.
pub(super) async fn teachers_named(conn: &mut PgConnection, id: Uuid) -> Result<Vec<Uuid>, DbError> {
    let named = sqlx::query_scalar!("select teacher_ids from reviews.class_review where class_review_id = $1", id).fetch_optional(conn).await?;
    Ok(named.unwrap_or_default())
}

/// Adds students who joined after the snapshot, in their order, behind the others; answers those who were not there.
pub(crate) async fn add_students(conn: &mut PgConnection, id: Uuid, joined: &[(Uuid, String)]) -> Result<Vec<Uuid>, DbError> {
    let (students, grades): (Vec<Uuid>, Vec<String>) = joined.iter().cloned().unzip();
    let added = sqlx::query_scalar!(
        "with added as (
             insert into reviews.student_review (class_review_id, student_id, position, grade, state, version, added)
             select $1, student_id, position + (select coalesce(max(position), 0) from reviews.student_review where class_review_id = $1),
                 grade, 'pending', 1, true
             from unnest($2::uuid[], $3::text[]) with ordinality as joined (student_id, grade, position)
             on conflict do nothing
             returning student_id
         ), revised as (
             insert into reviews.student_review_revision (class_review_id, student_id, author_id, action)
             select $1, student_id, '00000000-0000-0000-0000-000000000000', 'added' from added
         )
         select student_id from added",
        id,
        &students,
        &grades
    )
    .fetch_all(conn)
    .await?;
    Ok(added)
}

/// Who of these has a relation to a class or a school, as the roster says.
pub(super) async fn related(conn: &mut PgConnection, staff: &[Uuid], relation: &str, object: Uuid) -> Result<Vec<Uuid>, DbError> {
    let found =
        sqlx::query_scalar!("select subject from reviews.relationship where relation = $2 and object = $3 and subject = any($1)", staff, relation, object)
            .fetch_all(conn)
            .await?;
    Ok(found)
}
