//! SQL of prior entries.

use chassis_pg::DbError;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Prior;
use crate::student_review::entity::{Entry, StudentReview};
use crate::words::{Origin, Polarity, PriorAnswer, Season, Source, read_certainty, read_domain, read_sensitivity};

struct Row {
    student_id: Uuid,
    entry_id: Uuid,
    polarity: String,
    code: String,
    domain: String,
    severity: i16,
    certainty: Option<String>,
    source: String,
    note: String,
    sensitivity: String,
    version: i64,
    author_id: Uuid,
    recorded_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    since: Option<NaiveDate>,
    confirmed_by: Option<String>,
    origin: Option<String>,
    from_entry_id: Option<Uuid>,
    school_year: i32,
    season: String,
    answer: Option<String>,
    made: Option<Uuid>,
}

impl TryFrom<Row> for Prior {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let entry = Entry {
            id: row.entry_id,
            polarity: Polarity::read(&row.polarity)?,
            code: row.code,
            domain: read_domain(&row.domain)?,
            severity: row.severity,
            certainty: row.certainty.as_deref().map(read_certainty).transpose()?,
            source: Source::read(&row.source)?,
            note: row.note,
            sensitivity: read_sensitivity(&row.sensitivity)?,
            version: row.version,
            author: row.author_id,
            recorded_at: row.recorded_at,
            updated_at: row.updated_at,
            since: row.since,
            confirmed_by: row.confirmed_by.as_deref().map(Source::read).transpose()?,
            origin: row.origin.as_deref().map(Origin::read).transpose()?,
            from: row.from_entry_id,
            superseded_by: None,
        };
        Ok(Self {
            student_id: row.student_id,
            entry,
            school_year: row.school_year,
            season: Season::read(&row.season)?,
            answer: row.answer.as_deref().map(PriorAnswer::read).transpose()?,
            made: row.made,
        })
    }
}

/// Entries that stand in the latest earlier review (this or the last school year, another cycle) of every student of
/// a class review, or of these; by domain. One statement however many they are.
pub(crate) async fn list(conn: &mut PgConnection, class_review_id: Uuid, only: Option<&[Uuid]>, answered: bool) -> Result<Vec<Prior>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"with here as (
               select s.student_id, c.opens_on, c.review_cycle_id, c.school_year
               from reviews.student_review s
               join reviews.class_review r using (class_review_id)
               join reviews.review_cycle c using (review_cycle_id)
               where s.class_review_id = $1 and ($2::uuid[] is null or s.student_id = any($2))
           ), latest as (
               select h.student_id, l.class_review_id, l.school_year, l.season
               from here h cross join lateral (
                   select s.class_review_id, c.school_year, c.season
                   from reviews.student_review s
                   join reviews.class_review r using (class_review_id)
                   join reviews.review_cycle c using (review_cycle_id)
                   where s.student_id = h.student_id and s.state in ('in_progress', 'reviewed', 'amended')
                       and r.state not in ('scheduled', 'cancelled')
                       and (c.opens_on, c.review_cycle_id) < (h.opens_on, h.review_cycle_id)
                       and c.school_year between h.school_year - 1 and h.school_year
                   order by c.opens_on desc, c.review_cycle_id desc, s.class_review_id desc limit 1
               ) l
           )
           select e.student_id, e.entry_id, e.polarity, e.code, e.domain, e.severity, e.certainty, e.source, e.note, e.sensitivity, e.version,
               e.author_id, e.recorded_at, e.updated_at, e.since, e.confirmed_by, e.origin, e.from_entry_id, l.school_year, l.season,
               a.answer as "answer?", a.entry_id as "made?"
           from latest l
           join reviews.entry e on e.class_review_id = l.class_review_id and e.student_id = l.student_id
           left join reviews.prior_answer a on a.class_review_id = $1 and a.student_id = e.student_id and a.prior_entry_id = e.entry_id
           where not e.removed and e.superseded_by is null and ($3 or a.answer is null)
           order by array_position(array['academics', 'social_emotional', 'health', 'family', ''], e.domain), e.recorded_at, e.entry_id"#,
        class_review_id,
        only,
        answered
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Prior::try_from).collect()
}

/// Those that nobody has answered, by student.
pub(crate) async fn open(conn: &mut PgConnection, class_review_id: Uuid, only: Option<&[Uuid]>) -> Result<Vec<(Uuid, Entry)>, DbError> {
    Ok(list(conn, class_review_id, only, false).await?.into_iter().map(|prior| (prior.student_id, prior.entry)).collect())
}

/// Keeps an answer; false where there is one.
pub(super) async fn insert(
    conn: &mut PgConnection,
    review: &StudentReview,
    prior_id: Uuid,
    answer: PriorAnswer,
    made: Option<Uuid>,
    by: Uuid,
) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into reviews.prior_answer (class_review_id, student_id, prior_entry_id, answer, entry_id, answered_by)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        review.class_review_id,
        review.student_id,
        prior_id,
        answer.word(),
        made,
        by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn delete(conn: &mut PgConnection, review: &StudentReview, prior_id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "delete from reviews.prior_answer where class_review_id = $1 and student_id = $2 and prior_entry_id = $3",
        review.class_review_id,
        review.student_id,
        prior_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes out the answer that made an entry.
pub(crate) async fn forget(conn: &mut PgConnection, class_review_id: Uuid, student_id: Uuid, made: Uuid) -> Result<(), DbError> {
    sqlx::query!("delete from reviews.prior_answer where class_review_id = $1 and student_id = $2 and entry_id = $3", class_review_id, student_id, made)
        .execute(conn)
        .await?;
    Ok(())
}
