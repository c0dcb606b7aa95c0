//! The append-only history of plans, items and enrolments.

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

/// One step of an aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// E.g. `plan_item` or `enrolment`.
    pub aggregate: &'static str,
    /// Its id.
    pub id: Uuid,
    /// Version after the step.
    pub version: i64,
    /// State after the step.
    pub state: &'static str,
    /// Reason code; may be empty.
    pub reason: &'s str,
    /// Subject of the caller, or the feed that brought it.
    pub by: &'s str,
}

/// Writes a step.
pub async fn append(conn: &mut PgConnection, step: Step<'_>) -> Result<(), DbError> {
    append_noted(conn, step, "").await
}

/// Writes a step with words to it, at most 200 characters.
pub async fn append_noted(conn: &mut PgConnection, step: Step<'_>, note: &str) -> Result<(), DbError> {
    sqlx::query!(
        "insert into plans.state_change (aggregate, id, version, state, reason, changed_by, note) values ($1, $2, $3, $4, $5, $6, $7)",
        step.aggregate,
        step.id,
        step.version,
        step.state,
        step.reason,
        step.by,
        note
    )
    .execute(conn)
    .await?;
    Ok(())
}
