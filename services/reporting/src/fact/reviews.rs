//! Class reviews, students' reviews and tiers.

use chassis_events::ApplyError;
use proto::reviews::v1::{ClassReviewChanged, ClassReviewState, Polarity, Season, StudentReviewChanged, StudentReviewState, TierAssigned};
use proto::r#type::v1::Tier;
use sqlx::PgConnection;

use super::field::{id, id_or_nil, required_word, time, word};

pub(super) async fn class_review(conn: &mut PgConnection, review: &ClassReviewChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.class_review_fact
             (class_review_id, version, changed_time, review_cycle_id, class_id, school_id, school_year, season, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict do nothing",
        id("class_review_id", &review.class_review_id)?,
        review.version,
        time("time", review.time)?,
        id("review_cycle_id", &review.review_cycle_id)?,
        id("class_id", &review.class_id)?,
        id("school_id", &review.school_id)?,
        review.school_year,
        word("season", review.season, Season::as_str_name, "SEASON_")?,
        required_word("state", review.state, ClassReviewState::as_str_name, "CLASS_REVIEW_STATE_")?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn student_review(conn: &mut PgConnection, review: &StudentReviewChanged) -> Result<(), ApplyError> {
    let count = |polarity: Polarity| i32::try_from(review.entries.iter().filter(|e| e.polarity == polarity as i32).count()).unwrap_or(i32::MAX);
    sqlx::query!(
        "insert into reporting.student_review_fact
             (class_review_id, student_id, version, changed_time, review_cycle_id, class_id, school_id, school_year, season, state,
              not_reviewed_reason, grade, strengths, needs, answered_domains)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict do nothing",
        id("class_review_id", &review.class_review_id)?,
        id("student_id", &review.student_id)?,
        review.version,
        time("time", review.time)?,
        id("review_cycle_id", &review.review_cycle_id)?,
        id("class_id", &review.class_id)?,
        id("school_id", &review.school_id)?,
        review.school_year,
        word("season", review.season, Season::as_str_name, "SEASON_")?,
        required_word("state", review.state, StudentReviewState::as_str_name, "STUDENT_REVIEW_STATE_")?,
        review.not_reviewed_reason,
        review.grade,
        count(Polarity::Strength),
        count(Polarity::Need),
        review.answered_domains,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn tier(conn: &mut PgConnection, tier: &TierAssigned) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.tier_fact
             (tier_assignment_id, student_id, school_id, school_year, review_cycle_id, tier, suggested_tier, reason, effective_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict do nothing",
        id("tier_assignment_id", &tier.tier_assignment_id)?,
        id("student_id", &tier.student_id)?,
        id("school_id", &tier.school_id)?,
        tier.school_year,
        id_or_nil("review_cycle_id", &tier.review_cycle_id)?,
        required_word("tier", tier.tier, Tier::as_str_name, "TIER_")?,
        word("suggested_tier", tier.suggested_tier, Tier::as_str_name, "TIER_")?,
        tier.reason,
        time("effective_time", tier.effective_time)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
