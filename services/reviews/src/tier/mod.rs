//! Tiers: what a student's needs suggest, and what was decided. Decisions are only ever added.

pub(crate) mod events;
mod grpc;
pub(crate) mod repo;
pub mod rule;

use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::student_review::Frame;
use crate::student_review::entity::StudentReview;
use crate::words::Season;
use rule::{RULES_VERSION, Tier};

/// A tier that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Id.
    pub id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// School year.
    pub school_year: i32,
    /// Cycle; none for other sources.
    pub cycle_id: Option<Uuid>,
    /// Class review; none for other sources.
    pub class_review_id: Option<Uuid>,
    /// What was decided.
    pub tier: Tier,
    /// What the rule said.
    pub suggested: Tier,
    /// Which rule.
    pub rules_version: String,
    /// `fall_wcr` and so on.
    pub source: String,
    /// Where it differs.
    pub reason: String,
    /// Words for `other`.
    pub reason_text: String,
    /// From when it counts.
    pub effective_at: DateTime<Utc>,
    /// Who decided.
    pub decided_by: Uuid,
}

impl Assignment {
    /// The decision of a completed student review.
    pub fn of_review(frame: &Frame, review: &StudentReview, tier: Tier, suggested: Tier, decided_by: Uuid, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            student_id: review.student_id,
            school_id: frame.school_id,
            school_year: frame.school_year,
            cycle_id: Some(frame.cycle_id),
            class_review_id: Some(frame.class_review_id),
            tier,
            suggested,
            rules_version: RULES_VERSION.to_owned(),
            source: source(frame.season).to_owned(),
            reason: review.tier_reason.clone(),
            reason_text: review.tier_reason_text.clone(),
            effective_at: now,
            decided_by,
        }
    }
}

/// What a whole class review of a season is called as the source of a tier.
fn source(season: Season) -> &'static str {
    match season {
        Season::Fall => "fall_wcr",
        Season::Spring => "spring_wcr",
        Season::Custom => "custom_wcr",
    }
}

/// Use cases of tiers.
#[derive(Clone, Debug)]
pub struct Tiers {
    pool: PgPool,
}

impl Tiers {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Every tier a student has had, newest first; the first is the current one.
    pub async fn of_student(&self, student_id: Uuid) -> Result<Vec<Assignment>, DbError> {
        let mut conn = self.pool.acquire().await?;
        repo::of_student(&mut conn, student_id).await
    }
}
