//! What begins and ends elsewhere in the plan and has follow-ups by rule. Each is called in the transaction of its cause.

use chassis_pg::DbError;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Rule, Sensitivity, SubjectKind};
use super::repo::{self, About};
use super::rule::{call_off, raise_about, raise_by_rule};
use crate::calendar::today;
use crate::codes::Band;
use crate::plan_item::entity::Item;

/// An item was added: what is urgent is looked at after a week.
pub(crate) async fn added(conn: &mut PgConnection, item: &Item, by: &str) -> Result<(), DbError> {
    if item.arrangement.band == Some(Band::Crisis) || item.arrangement.priority == 1 {
        raise_by_rule(conn, Rule::Urgent, SubjectKind::PlanItem, item.plan_item_id, "added", today(), by).await?;
    }
    Ok(())
}

/// A run of absences was noticed.
pub(crate) async fn no_shows(conn: &mut PgConnection, enrolment_id: Uuid, since: NaiveDate) -> Result<(), DbError> {
    raise_by_rule(conn, Rule::NoShow, SubjectKind::Enrolment, enrolment_id, &since.to_string(), today(), Rule::NoShow.as_str()).await?;
    Ok(())
}

/// An individual review is to be looked at again; none where it is over.
pub(crate) async fn individual_review(
    conn: &mut PgConnection,
    (review, student, school): (Uuid, Uuid, Uuid),
    floor: Sensitivity,
    again: Option<NaiveDate>,
    by: &str,
) -> Result<(), DbError> {
    let Some(on) = again else { return call_off(conn, review, by).await };
    let about = About {
        subject: SubjectKind::IndividualReview,
        subject_id: review,
        student_id: student,
        school_id: school,
        plan_item_id: None,
        need_ids: Vec::new(),
        partner_id: None,
        floor,
        domains: Vec::new(),
    };
    // A new day takes the place of the one before.
    if repo::is_new(conn, review, &on.to_string()).await? {
        call_off(conn, review, by).await?;
        raise_about(conn, Rule::IndividualReview, &about, &on.to_string(), on, by).await?;
    }
    Ok(())
}
