//! SQL of hand-overs.

use std::collections::HashMap;

use chassis_pg::{DbError, expect_one};
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{HandOver, STEPS, TransitionState};
use crate::sight::Whose;

/// Hand-overs in one answer.
const MOST: i64 = 500;

/// Writes a new hand-over with its checklist.
pub async fn insert(conn: &mut PgConnection, hand_over: &HandOver) -> Result<(), DbError> {
    sqlx::query!(
        "insert into plans.transition (transition_id, student_id, from_school_id, to_school_id, kind, first_day_on, note, offered_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        hand_over.transition_id,
        hand_over.student_id,
        hand_over.from_school_id,
        hand_over.to_school_id,
        hand_over.kind,
        hand_over.first_day_on,
        hand_over.note,
        hand_over.offered_by
    )
    .execute(&mut *conn)
    .await?;
    let steps = STEPS.map(str::to_owned);
    sqlx::query!(
        "insert into plans.transition_step (transition_id, position, step) select $1, position, step from unnest($2::text[]) with ordinality as s(step, position)",
        hand_over.transition_id,
        &steps
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<HandOver>, DbError> {
    let mut steps: HashMap<Uuid, Vec<(String, Option<NaiveDate>)>> = HashMap::new();
    for r in sqlx::query!("select transition_id, step, done_on from plans.transition_step where transition_id = any($1) order by position", ids)
        .fetch_all(&mut *conn)
        .await?
    {
        steps.entry(r.transition_id).or_default().push((r.step, r.done_on));
    }
    let rows = sqlx::query!(
        r#"select transition_id, student_id, from_school_id, to_school_id, kind, first_day_on, state as "state: TransitionState", note, answer_note,
                  offered_by, accepted_by, offered_at, answered_at, version
           from plans.transition where transition_id = any($1) order by offered_at desc, transition_id desc"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    let found = rows.into_iter().map(|r| HandOver {
        checklist: steps.remove(&r.transition_id).unwrap_or_default(),
        transition_id: r.transition_id,
        student_id: r.student_id,
        from_school_id: r.from_school_id,
        to_school_id: r.to_school_id,
        kind: r.kind,
        first_day_on: r.first_day_on,
        state: r.state,
        note: r.note,
        answer_note: r.answer_note,
        offered_by: r.offered_by,
        accepted_by: r.accepted_by,
        offered_at: r.offered_at,
        answered_at: r.answered_at,
        version: r.version,
    });
    Ok(found.collect())
}

/// One hand-over, locked.
pub async fn by_id(conn: &mut PgConnection, id: Uuid) -> Result<Option<HandOver>, DbError> {
    sqlx::query!("select transition_id from plans.transition where transition_id = $1 for update", id).fetch_optional(&mut *conn).await?;
    Ok(by_ids(conn, &[id]).await?.pop())
}

/// Writes a hand-over over the version before it.
pub async fn update(conn: &mut PgConnection, next: &HandOver) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.transition set state = $2, note = $3, answer_note = $4, accepted_by = $5, answered_at = $6, version = $7
         where transition_id = $1 and version = $7::bigint - 1",
        next.transition_id,
        next.state.as_str(),
        next.note,
        next.answer_note,
        next.accepted_by,
        next.answered_at,
        next.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Ticks steps that are not ticked yet.
pub async fn tick(conn: &mut PgConnection, id: Uuid, steps: &[String], on: NaiveDate) -> Result<(), DbError> {
    sqlx::query!("update plans.transition_step set done_on = $3 where transition_id = $1 and step = any($2) and done_on is null", id, steps, on)
        .execute(conn)
        .await?;
    Ok(())
}

/// Follow-ups that are to do are the receiving school's.
pub async fn move_follow_ups(conn: &mut PgConnection, student_id: Uuid, school_id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "update plans.follow_up set school_id = $2, owner_id = null, version = version + 1 where student_id = $1 and state in ('open', 'snoozed')",
        student_id,
        school_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hand-overs from and to places, newest first.
pub async fn list(conn: &mut PgConnection, whose: &Whose, student_id: Option<Uuid>, open_only: bool) -> Result<Vec<HandOver>, DbError> {
    let ids = sqlx::query_scalar!(
        "select transition_id from plans.transition
         where ($1 or from_school_id = any($2) or to_school_id = any($2)) and ($3::uuid is null or student_id = $3)
           and (not $4 or state in ('offered', 'returned'))
         order by offered_at desc limit $5",
        whose.everything,
        &whose.places,
        student_id,
        open_only,
        MOST
    )
    .fetch_all(&mut *conn)
    .await?;
    by_ids(conn, &ids).await
}
