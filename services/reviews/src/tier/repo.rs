//! SQL of tier assignments.

use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Assignment;
use crate::words::read_tier;

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
        })
    }
}

/// Adds a decision.
pub async fn insert(conn: &mut PgConnection, assignment: &Assignment) -> Result<(), DbError> {
    sqlx::query!(
        "insert into reviews.tier_assignment
             (tier_assignment_id, student_id, school_id, school_year, review_cycle_id, class_review_id, tier, suggested_tier,
              tier_rules_version, source, reason, reason_text, effective_at, decided_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
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
        assignment.decided_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn of_student(conn: &mut PgConnection, student_id: Uuid) -> Result<Vec<Assignment>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "select tier_assignment_id, student_id, school_id, school_year, review_cycle_id, class_review_id, tier, suggested_tier,
             tier_rules_version, source, reason, reason_text, effective_at, decided_by
         from reviews.tier_assignment where student_id = $1 order by effective_at desc, tier_assignment_id desc limit $2",
        student_id,
        MOST
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Assignment::try_from).collect()
}
