//! Follow-ups that nobody has to think of: raised with what causes them, in the same transaction, and called off when
//! that ends.

use chassis_pg::DbError;
use chrono::{NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{FollowUp, FollowUpState, Rule, SubjectKind};
use super::repo::{About, New};
use super::{events, repo};
use crate::calendar::today;
use crate::enrolment::entity::{Enrolment, EnrolmentState};
use crate::plan_item::entity::{Item, ItemState};

/// Raises what a rule asks for, once for each subject and `run_key` (the occasion: a first day, the last of three
/// absences). `from` is the day from which it is counted when it is due. None where it was raised before, or its
/// subject is not there. Runs within the caller's transaction; `by` is who or what caused it, for the history.
pub async fn raise_by_rule(
    conn: &mut PgConnection,
    rule: Rule,
    subject: SubjectKind,
    subject_id: Uuid,
    run_key: &str,
    from: NaiveDate,
    by: &str,
) -> Result<Option<FollowUp>, DbError> {
    match repo::about(conn, subject, subject_id).await? {
        Some(about) => raise_about(conn, rule, &about, run_key, from, by).await,
        None => Ok(None),
    }
}

/// The same, where the caller knows what it is about.
pub(super) async fn raise_about(
    conn: &mut PgConnection,
    rule: Rule,
    about: &About,
    run_key: &str,
    from: NaiveDate,
    by: &str,
) -> Result<Option<FollowUp>, DbError> {
    let new = New {
        follow_up_id: Uuid::now_v7(),
        about,
        kind: rule.kind(),
        due_on: rule.due(from),
        owner_id: None,
        note: "",
        raised_by: None,
        raised_as: rule.as_str(),
        run_key: Some(run_key),
    };
    if !repo::insert(conn, &new).await? {
        return Ok(None);
    }
    let raised = repo::lock(conn, &[new.follow_up_id]).await?.pop();
    if let Some(follow_up) = &raised {
        events::publish(conn, follow_up, by).await?;
    }
    Ok(raised)
}

/// Calls off what rules raised about something that ended, where nobody has done it yet.
pub(super) async fn call_off(conn: &mut PgConnection, subject_id: Uuid, by: &str) -> Result<(), DbError> {
    let ids = repo::open_by_rule(conn, subject_id).await?;
    if ids.is_empty() {
        return Ok(());
    }
    for mut follow_up in repo::lock(conn, &ids).await?.into_iter().filter(|f| f.state.is_open()) {
        follow_up.state = FollowUpState::Cancelled;
        follow_up.closed_at = Some(Utc::now());
        follow_up.version += 1;
        repo::update(conn, &follow_up).await?;
        events::publish(conn, &follow_up, by).await?;
    }
    Ok(())
}

/// Follows an enrolment: raises what its start asks for, and calls it off when it ends.
pub(crate) async fn follow_enrolment(conn: &mut PgConnection, enrolment: &Enrolment, by: &str) -> Result<(), DbError> {
    match (enrolment.state, enrolment.started_on) {
        (EnrolmentState::Active, Some(first)) => raise_for_start(conn, SubjectKind::Enrolment, enrolment.enrolment_id, first, by).await,
        (EnrolmentState::Completed | EnrolmentState::Stopped | EnrolmentState::Void | EnrolmentState::Declined, _) => {
            call_off(conn, enrolment.enrolment_id, by).await
        }
        _ => Ok(()),
    }
}

/// Follows an item that came into another state. What an enrolment put in place is followed with the enrolment.
pub(crate) async fn follow_item(conn: &mut PgConnection, item: &Item, by: &str) -> Result<(), DbError> {
    match item.state {
        ItemState::InPlace if !repo::is_enrolled(conn, item.plan_item_id).await? => {
            raise_for_start(conn, SubjectKind::PlanItem, item.plan_item_id, today(), by).await
        }
        ItemState::Done | ItemState::DeclinedByFamily | ItemState::NotAvailable | ItemState::Withdrawn | ItemState::Replaced => {
            call_off(conn, item.plan_item_id, by).await
        }
        _ => Ok(()),
    }
}

async fn raise_for_start(conn: &mut PgConnection, subject: SubjectKind, id: Uuid, first: NaiveDate, by: &str) -> Result<(), DbError> {
    let Some(about) = repo::about(conn, subject, id).await? else { return Ok(()) };
    for rule in [Rule::TwoWeeks, Rule::SixWeeks, Rule::YearEnd] {
        raise_about(conn, rule, &about, &first.to_string(), first, by).await?;
    }
    Ok(())
}
