//! SQL of tangible aid.

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Aid, Receiver};

/// Writes aid and what it answers. False where its id is taken.
pub async fn insert(conn: &mut PgConnection, aid: &Aid, by: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.aid (aid_id, student_id, school_id, service_category, item, quantity, value_cents, given_on, received_by, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
        aid.aid_id,
        aid.student_id,
        aid.school_id,
        aid.service_category,
        aid.item,
        aid.quantity,
        aid.value_cents,
        aid.given_on,
        aid.received_by.as_str(),
        by
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        sqlx::query!("insert into plans.aid_need (aid_id, need_id) select $1, unnest($2::uuid[])", aid.aid_id, &aid.need_ids).execute(conn).await?;
    }
    Ok(done.rows_affected() == 1)
}

/// Aid of a student, newest first.
pub async fn of_student(conn: &mut PgConnection, student_id: Uuid, only: Option<Uuid>) -> Result<Vec<Aid>, DbError> {
    Ok(sqlx::query_as!(
        Aid,
        r#"select a.aid_id, a.student_id, a.school_id, array(select l.need_id from plans.aid_need l where l.aid_id = a.aid_id order by l.need_id) as "need_ids!",
                  a.service_category, a.item, a.quantity, a.value_cents, a.given_on, a.received_by as "received_by: Receiver"
           from plans.aid a where a.student_id = $1 and ($2::uuid is null or a.aid_id = $2) order by a.given_on desc, a.aid_id desc"#,
        student_id,
        only
    )
    .fetch_all(conn)
    .await?)
}
