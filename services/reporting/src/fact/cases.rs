//! Concerns and individual student reviews.

use chassis_events::ApplyError;
use proto::reviews::v1::{
    ConcernChanged, ConcernState, ConcernUrgency, FamilyVoice, IndividualReviewChanged, IndividualReviewState, IndividualReviewTrigger, TriageDecision,
};
use proto::r#type::v1::Sensitivity;
use sqlx::PgConnection;

use super::field::{id, optional_day, optional_time, required_word, time, word};

pub(super) async fn concern(conn: &mut PgConnection, concern: &ConcernChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.concern_fact
             (concern_id, version, changed_time, student_id, school_id, school_year, state, urgency, triage, raise_time, due_time, triage_time, sensitivity)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict do nothing",
        id("concern_id", &concern.concern_id)?,
        concern.version,
        time("time", concern.time)?,
        id("student_id", &concern.student_id)?,
        id("school_id", &concern.school_id)?,
        concern.school_year,
        required_word("state", concern.state, ConcernState::as_str_name, "CONCERN_STATE_")?,
        word("urgency", concern.urgency, ConcernUrgency::as_str_name, "CONCERN_URGENCY_")?,
        word("triage", concern.triage, TriageDecision::as_str_name, "TRIAGE_DECISION_")?,
        time("raise_time", concern.raise_time)?,
        time("due_time", concern.due_time)?,
        optional_time("triage_time", concern.triage_time)?,
        word("sensitivity", concern.sensitivity, Sensitivity::as_str_name, "SENSITIVITY_")?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn individual_review(conn: &mut PgConnection, review: &IndividualReviewChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.individual_review_fact
             (individual_review_id, version, changed_time, student_id, school_id, school_year, state, trigger, family_voice, held_on, review_on,
              decisions, sensitivity)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict do nothing",
        id("individual_review_id", &review.individual_review_id)?,
        review.version,
        time("time", review.time)?,
        id("student_id", &review.student_id)?,
        id("school_id", &review.school_id)?,
        review.school_year,
        required_word("state", review.state, IndividualReviewState::as_str_name, "INDIVIDUAL_REVIEW_STATE_")?,
        word("trigger", review.trigger, IndividualReviewTrigger::as_str_name, "INDIVIDUAL_REVIEW_TRIGGER_")?,
        word("family_voice", review.family_voice, FamilyVoice::as_str_name, "FAMILY_VOICE_")?,
        optional_day("held_on", &review.held_on)?,
        optional_day("review_on", &review.review_on)?,
        i32::try_from(review.decisions.len()).unwrap_or(i32::MAX),
        word("sensitivity", review.sensitivity, Sensitivity::as_str_name, "SENSITIVITY_")?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
