//! Plans, needs, items, deliveries and goals.

use chassis_events::ApplyError;
use proto::plans::v1::{
    Attendance, DeliveryLogged, FamilyResponse, GoalChanged, GoalMeasure, GoalState, NeedChanged, NeedState, PlanChanged, PlanItemChanged, PlanItemKind,
    PlanItemState, PlanState, UnmetReason,
};
use proto::r#type::v1::{Domain, Sensitivity};
use sqlx::PgConnection;

use super::field::{day, id, id_or_nil, ids, optional_id, required_word, time, word};

pub(super) async fn plan(conn: &mut PgConnection, plan: &PlanChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.plan_fact (plan_id, version, changed_time, student_id, school_id, school_year, state, family_response)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict do nothing",
        id("plan_id", &plan.plan_id)?,
        plan.version,
        time("time", plan.time)?,
        id("student_id", &plan.student_id)?,
        id("school_id", &plan.school_id)?,
        plan.school_year,
        required_word("state", plan.state, PlanState::as_str_name, "PLAN_STATE_")?,
        word("family_response", plan.family_response, FamilyResponse::as_str_name, "FAMILY_RESPONSE_")?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn need(conn: &mut PgConnection, need: &NeedChanged) -> Result<(), ApplyError> {
    // What does not say how sensitive it is, is treated with care.
    let sensitivity = match need.sensitivity {
        0 => "restricted".to_owned(),
        given => word("sensitivity", given, Sensitivity::as_str_name, "SENSITIVITY_")?,
    };
    let reason = match need.last_reason {
        0 => "not_yet_arranged".to_owned(),
        given => word("last_reason", given, UnmetReason::as_str_name, "UNMET_REASON_")?,
    };
    sqlx::query!(
        "insert into reporting.need_fact
             (need_id, version, changed_time, student_id, school_id, school_year, code, domain, severity, sensitivity, state,
              recorded_time, has_item_in_place, all_items_ended, last_reason)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict do nothing",
        id("need_id", &need.need_id)?,
        need.version,
        time("time", need.time)?,
        id("student_id", &need.student_id)?,
        id("school_id", &need.school_id)?,
        need.school_year,
        need.code,
        required_word("domain", need.domain, Domain::as_str_name, "DOMAIN_")?,
        need.severity,
        sensitivity,
        required_word("state", need.state, NeedState::as_str_name, "NEED_STATE_")?,
        time("recorded_time", need.recorded_time)?,
        need.has_item_in_place,
        need.all_items_ended,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn item(conn: &mut PgConnection, item: &PlanItemChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.item_fact
             (plan_item_id, version, changed_time, plan_id, student_id, school_id, school_year, need_ids, kind, service_category, state, builds_on_strength)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict do nothing",
        id("plan_item_id", &item.plan_item_id)?,
        item.version,
        time("time", item.time)?,
        id("plan_id", &item.plan_id)?,
        id("student_id", &item.student_id)?,
        id("school_id", &item.school_id)?,
        item.school_year,
        &ids("need_ids", &item.need_ids)?,
        word("kind", item.kind, PlanItemKind::as_str_name, "PLAN_ITEM_KIND_")?,
        item.service_category,
        required_word("state", item.state, PlanItemState::as_str_name, "PLAN_ITEM_STATE_")?,
        item.builds_on_strength,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delivery(conn: &mut PgConnection, delivery: &DeliveryLogged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.delivery_fact
             (delivery_id, student_id, school_id, plan_item_id, need_ids, delivered_on, planned_minutes, delivered_minutes, attendance,
              supersedes_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict do nothing",
        id("delivery_id", &delivery.delivery_id)?,
        id("student_id", &delivery.student_id)?,
        id("school_id", &delivery.school_id)?,
        id_or_nil("plan_item_id", &delivery.plan_item_id)?,
        &ids("need_ids", &delivery.need_ids)?,
        day("delivered_on", &delivery.delivered_on)?,
        delivery.planned_minutes,
        delivery.delivered_minutes,
        word("attendance", delivery.attendance, Attendance::as_str_name, "ATTENDANCE_")?,
        optional_id("supersedes_id", &delivery.supersedes_id)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn goal(conn: &mut PgConnection, goal: &GoalChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.goal_fact (goal_id, version, changed_time, plan_id, student_id, school_id, school_year, domain, measure, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict do nothing",
        id("goal_id", &goal.goal_id)?,
        goal.version,
        time("time", goal.time)?,
        id("plan_id", &goal.plan_id)?,
        id("student_id", &goal.student_id)?,
        id("school_id", &goal.school_id)?,
        goal.school_year,
        word("domain", goal.domain, Domain::as_str_name, "DOMAIN_")?,
        word("measure", goal.measure, GoalMeasure::as_str_name, "GOAL_MEASURE_")?,
        required_word("state", goal.state, GoalState::as_str_name, "GOAL_STATE_")?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
