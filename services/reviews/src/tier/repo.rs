//! SQL of tier assignments.

use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Assignment, Movement, Movements};
use crate::words::read_tier;

/// Movements that an answer holds at the most; they are counted in full.
const MOST_MOVEMENTS: i64 = 2000;

/// Tiers of one student that an answer holds at the most: several a year for a whole school life.
const MOST: i64 = 200;

struct Row {
    tier_assignment_id: Uuid,
    student_id: Uuid,
    school_id: Uuid,
    school_year: i32,
    review_cycle_id: Option<Uuid>,
    class_review_id: Option<Uuid>,
    tier: String,
    suggested_tier: String,
    tier_rules_version: String,
    source: String,
    reason: String,
    reason_text: String,
    effective_at: DateTime<Utc>,
    decided_by: Uuid,
    origin_id: Option<Uuid>,
    request_id: Option<Uuid>,
}

impl TryFrom<Row> for Assignment {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.tier_assignment_id,
            student_id: row.student_id,
            school_id: row.school_id,
            school_year: row.school_year,
            cycle_id: row.review_cycle_id,
            class_review_id: row.class_review_id,
            tier: read_tier(&row.tier)?,
            suggested: read_tier(&row.suggested_tier)?,
            rules_version: row.tier_rules_version,
            source: row.source,
            reason: row.reason,
            reason_text: row.reason_text,
            effective_at: row.effective_at,
            decided_by: row.decided_by,
            origin_id: row.origin_id,
            request_id: row.request_id,
        })
    }
}

/// Adds a decision.
pub async fn insert(conn: &mut PgConnection, assignment: &Assignment) -> Result<(), DbError> {
    sqlx::query!(
        "insert into reviews.tier_assignment
             (tier_assignment_id, student_id, school_id, school_year, review_cycle_id, class_review_id, tier, suggested_tier,
              tier_rules_version, source, reason, reason_text, effective_at, decided_by, origin_id, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        assignment.id,
        assignment.student_id,
        assignment.school_id,
        assignment.school_year,
        assignment.cycle_id,
        assignment.class_review_id,
        assignment.tier.as_str(),
        assignment.suggested.as_str(),
        assignment.rules_version,
        assignment.source,
        assignment.reason,
        assignment.reason_text,
        assignment.effective_at,
        assignment.decided_by,
        assignment.origin_id,
        assignment.request_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn of_student(conn: &mut PgConnection, student_id: Uuid) -> Result<Vec<Assignment>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "select tier_assignment_id, student_id, school_id, school_year, review_cycle_id, class_review_id, tier, suggested_tier,
             tier_rules_version, source, reason, reason_text, effective_at, decided_by, origin_id, request_id
         from reviews.tier_assignment where student_id = $1 order by effective_at desc, tier_assignment_id desc limit $2",
        student_id,
        MOST
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Assignment::try_from).collect()
}

/// What a request decided.
pub(super) async fn find_of_request(conn: &mut PgConnection, student_id: Uuid, request_id: Uuid) -> Result<Option<Assignment>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select tier_assignment_id, student_id, school_id, school_year, review_cycle_id, class_review_id, tier, suggested_tier,
             tier_rules_version, source, reason, reason_text, effective_at, decided_by, origin_id, request_id
         from reviews.tier_assignment where student_id = $1 and request_id = $2",
        student_id,
        request_id
    )
    .fetch_optional(conn)
    .await?;
    row.map(Assignment::try_from).transpose()
}

/// Students with a tier of the fall and of the spring: the latest of each. Tiers sort as text from the least support to the
/// most: 1, 2a, 2b, 3.
pub(super) async fn movements(conn: &mut PgConnection, school_year: i32, school_id: Option<Uuid>, class_id: Option<Uuid>) -> Result<Movements, DbError> {
    let rows = sqlx::query!(
        r#"with latest as (
               select distinct on (a.student_id, a.source) a.student_id, a.source, a.tier collate "C" as tier
               from reviews.tier_assignment a
               where a.school_year = $1 and a.source in ('fall_wcr', 'spring_wcr')
                 and ($2::uuid is null or a.school_id = $2)
                 and ($3::uuid is null or exists (
                     select from reviews.student_review s
                     join reviews.class_review r using (class_review_id) join reviews.review_cycle c using (review_cycle_id)
                     where r.class_id = $3 and c.school_year = $1 and s.student_id = a.student_id))
               order by a.student_id, a.source, a.effective_at desc, a.tier_assignment_id desc
           )
           select fall.student_id, fall.tier as "fall!", spring.tier as "spring!",
               count(*) filter (where spring.tier < fall.tier) over () as "less!",
               count(*) filter (where spring.tier = fall.tier) over () as "same!",
               count(*) filter (where spring.tier > fall.tier) over () as "more!"
           from latest fall join latest spring on spring.student_id = fall.student_id
           where fall.source = 'fall_wcr' and spring.source = 'spring_wcr'
           order by fall.student_id limit $4"#,
        school_year,
        school_id,
        class_id,
        MOST_MOVEMENTS
    )
    .fetch_all(conn)
    .await?;
    let mut movements = Movements::default();
    if let Some(row) = rows.first() {
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        (movements.less, movements.same, movements.more) = (count(row.less), count(row.same), count(row.more));
    }
    for row in rows {
        movements.each.push(Movement { student_id: row.student_id, fall: read_tier(&row.fall)?, spring: read_tier(&row.spring)? });
    }
    Ok(movements)
}
