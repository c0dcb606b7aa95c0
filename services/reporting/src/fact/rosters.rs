//! Students and classes: the newest state counts.

use chassis_events::ApplyError;
use proto::rosters::v1::{ClassState, StudentState};
use sqlx::PgConnection;

use super::field::{id, id_or_nil, ids};

pub(super) async fn student(conn: &mut PgConnection, state: &StudentState) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.student_fact as held (student_id, version, active, grade, school_ids, class_ids) values ($1, $2, $3, $4, $5, $6)
         on conflict (student_id) do update set
             version = excluded.version, active = excluded.active, grade = excluded.grade, school_ids = excluded.school_ids, class_ids = excluded.class_ids
         where held.version < excluded.version",
        id("student_id", &state.student_id)?,
        state.version,
        state.active,
        state.grade,
        &ids("school_ids", &state.school_ids)?,
        &ids("class_ids", &state.class_ids)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn class(conn: &mut PgConnection, state: &ClassState) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.class_fact as held (class_id, version, active, school_id, review_unit) values ($1, $2, $3, $4, $5)
         on conflict (class_id) do update set
             version = excluded.version, active = excluded.active, school_id = excluded.school_id, review_unit = excluded.review_unit
         where held.version < excluded.version",
        id("class_id", &state.class_id)?,
        state.version,
        state.active,
        id_or_nil("school_id", &state.school_id)?,
        state.review_unit,
    )
    .execute(conn)
    .await?;
    Ok(())
}
