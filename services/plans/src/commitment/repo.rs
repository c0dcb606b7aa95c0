//! SQL of commitments.

use chassis_pg::{DbError, expect_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Commitment, OwnerKind};

/// One promise, locked.
pub async fn by_id(conn: &mut PgConnection, id: Uuid) -> Result<Option<Commitment>, DbError> {
    Ok(sqlx::query_as!(
        Commitment,
        r#"select commitment_id, plan_id, promised_by as "promised_by: OwnerKind", staff_id, promise, due_on, state, version
           from plans.commitment where commitment_id = $1 for update"#,
        id
    )
    .fetch_optional(conn)
    .await?)
}

/// Promises of a plan, oldest first.
pub async fn of_plan(conn: &mut PgConnection, plan_id: Uuid) -> Result<Vec<Commitment>, DbError> {
    Ok(sqlx::query_as!(
        Commitment,
        r#"select commitment_id, plan_id, promised_by as "promised_by: OwnerKind", staff_id, promise, due_on, state, version
           from plans.commitment where plan_id = $1 order by created_at, commitment_id limit 200"#,
        plan_id
    )
    .fetch_all(conn)
    .await?)
}

/// Writes a promise.
pub async fn put(conn: &mut PgConnection, commitment: &Commitment) -> Result<(), DbError> {
    let done = sqlx::query!(
        "insert into plans.commitment as held (commitment_id, plan_id, promised_by, staff_id, promise, due_on, state, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (commitment_id) do update set promised_by = excluded.promised_by, staff_id = excluded.staff_id, promise = excluded.promise,
             due_on = excluded.due_on, state = excluded.state, version = excluded.version
         where held.version + 1 = excluded.version",
        commitment.commitment_id,
        commitment.plan_id,
        commitment.promised_by.as_str(),
        commitment.staff_id,
        commitment.promise,
        commitment.due_on,
        commitment.state,
        commitment.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}
