//! SQL of goals and their progress.

use std::collections::HashMap;

use chassis_pg::{DbError, expect_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Domain, Goal, GoalMeasure, GoalState, Progress, Sensitivity};

/// Goals by id, oldest first, with their progress.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Goal>, DbError> {
    let mut points: HashMap<Uuid, Vec<Progress>> = HashMap::new();
    let rows = sqlx::query!(
        "select goal_id, progress_id, observed_on, value, note, recorded_by from plans.goal_progress where goal_id = any($1)
         order by observed_on, recorded_at, progress_id",
        ids
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        let point = Progress { progress_id: r.progress_id, observed_on: r.observed_on, value: r.value, note: r.note, recorded_by: r.recorded_by };
        points.entry(r.goal_id).or_default().push(point);
    }
    let rows = sqlx::query!(
        r#"select g.goal_id, g.plan_id, p.student_id, p.school_id, p.school_year, g.domain as "domain: Domain", g.description,
                  g.measure as "measure: GoalMeasure", g.baseline, g.target, g.on_scale, g.unit, g.starts_on, g.target_on, g.state as "state: GoalState",
                  g.sensitivity as "sensitivity: Sensitivity", g.version,
                  array(select l.need_id from plans.goal_need l where l.goal_id = g.goal_id order by l.need_id) as "need_ids!"
           from plans.goal g join plans.plan p using (plan_id) where g.goal_id = any($1) order by g.created_at, g.goal_id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    let goals = rows.into_iter().map(|r| Goal {
        progress: points.remove(&r.goal_id).unwrap_or_default(),
        goal_id: r.goal_id,
        plan_id: r.plan_id,
        student_id: r.student_id,
        school_id: r.school_id,
        school_year: r.school_year,
        need_ids: r.need_ids,
        domain: r.domain,
        description: r.description,
        measure: r.measure,
        baseline: r.baseline,
        target: r.target,
        on_scale: r.on_scale,
        unit: r.unit,
        starts_on: r.starts_on,
        target_on: r.target_on,
        state: r.state,
        sensitivity: r.sensitivity,
        version: r.version,
    });
    Ok(goals.collect())
}

/// Goals of a plan, oldest first.
pub async fn of_plan(conn: &mut PgConnection, plan_id: Uuid) -> Result<Vec<Goal>, DbError> {
    let ids = sqlx::query_scalar!("select goal_id from plans.goal where plan_id = $1", plan_id).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// The plan of a goal.
pub async fn plan_of(conn: &mut PgConnection, goal_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select plan_id from plans.goal where goal_id = $1", goal_id).fetch_optional(conn).await?)
}

/// Whose goal it is.
pub async fn student_of(conn: &mut PgConnection, goal_id: Uuid) -> Result<Option<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("select p.student_id from plans.goal g join plans.plan p using (plan_id) where g.goal_id = $1", goal_id)
        .fetch_optional(conn)
        .await?)
}

/// Writes a goal; false where it is to be new and its id is taken.
pub async fn put(conn: &mut PgConnection, goal: &Goal, new: bool) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.goal as held (goal_id, plan_id, domain, description, measure, baseline, target, on_scale, unit, starts_on, target_on, sensitivity, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict (goal_id) do update set domain = excluded.domain, description = excluded.description, measure = excluded.measure,
             baseline = excluded.baseline, target = excluded.target, on_scale = excluded.on_scale, unit = excluded.unit, starts_on = excluded.starts_on,
             target_on = excluded.target_on, sensitivity = excluded.sensitivity, version = excluded.version, updated_at = now()
         where not $14 and held.plan_id = excluded.plan_id and held.version + 1 = excluded.version",
        goal.goal_id,
        goal.plan_id,
        goal.domain.as_str(),
        goal.description,
        goal.measure.as_str(),
        goal.baseline,
        goal.target,
        goal.on_scale,
        goal.unit,
        goal.starts_on,
        goal.target_on,
        goal.sensitivity.as_str(),
        goal.version,
        new
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("delete from plans.goal_need where goal_id = $1 and need_id <> all($2)", goal.goal_id, &goal.need_ids).execute(&mut *conn).await?;
    sqlx::query!("insert into plans.goal_need (goal_id, need_id) select $1, unnest($2::uuid[]) on conflict do nothing", goal.goal_id, &goal.need_ids)
        .execute(conn)
        .await?;
    Ok(true)
}

/// Writes a goal's state.
pub async fn set_state(conn: &mut PgConnection, goal_id: Uuid, state: GoalState, version: i64) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.goal set state = $2, version = $3, updated_at = now() where goal_id = $1 and version = $3::bigint - 1",
        goal_id,
        state.as_str(),
        version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Adds a point; false where its id is taken.
pub async fn add_point(conn: &mut PgConnection, goal_id: Uuid, point: &Progress) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.goal_progress (progress_id, goal_id, observed_on, value, note, recorded_by) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        point.progress_id,
        goal_id,
        point.observed_on,
        point.value,
        point.note,
        point.recorded_by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Raises goals about these needs to the highest sensitivity of what they are about. Answers which changed.
pub async fn raise_sensitivity(conn: &mut PgConnection, need_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "with wanted as (
             select l.goal_id, max(case n.sensitivity when 'protected' then 2 when 'restricted' then 1 else 0 end) as level
             from plans.goal_need l join plans.need n using (need_id)
             where l.goal_id in (select goal_id from plans.goal_need where need_id = any($1)) group by l.goal_id)
         update plans.goal g set sensitivity = (array['general', 'restricted', 'protected'])[w.level + 1], version = version + 1, updated_at = now()
         from wanted w
         where g.goal_id = w.goal_id and w.level > case g.sensitivity when 'protected' then 2 when 'restricted' then 1 else 0 end
         returning g.goal_id",
        need_ids
    )
    .fetch_all(conn)
    .await?)
}
