//! Tiers: what a student's needs suggest, and what was decided. Decisions are only ever added.

pub mod error;
pub(crate) mod events;
mod grpc;
pub(crate) mod repo;
pub mod rule;
#[cfg(test)]
mod tests;

use chassis_access::{Caller, Clearance, Sensitivity};
use chassis_events::outbox;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::case_access::sight::View;
use crate::concern::clock;
use crate::error::Refusal;
use crate::student_review::entity::{StudentReview, suggest};
use crate::student_review::sight::Sight;
use crate::student_review::{self, Frame};
use crate::words::Season;
use crate::{concern, individual_review};
use error::TierError;
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
    /// The individual review or concern that it comes from.
    pub origin_id: Option<Uuid>,
    /// The request that decided it, outside class reviews.
    pub request_id: Option<Uuid>,
}

/// A tier decided outside a class review.
#[derive(Clone, Debug)]
pub struct Assign {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// School year.
    pub school_year: i32,
    /// What is decided.
    pub tier: Tier,
    /// `isr`, `concern` or `transfer_in`.
    pub source: String,
    /// Where it differs from the suggestion.
    pub reason: String,
    /// Words for `other`.
    pub reason_text: String,
    /// The individual review or concern that it comes from.
    pub origin_id: Option<Uuid>,
    /// Who decides.
    pub author: Uuid,
    /// What they see of the student's needs.
    pub sight: Sight,
}

/// A student's way through a school year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Student.
    pub student_id: Uuid,
    /// Latest of the fall review.
    pub fall: Tier,
    /// Latest of the spring review.
    pub spring: Tier,
}

/// Who moved, and how many: of all, also of those that the list has no room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Movements {
    /// Students with both tiers.
    pub each: Vec<Movement>,
    /// To less support.
    pub less: i32,
    /// To the same.
    pub same: i32,
    /// To more support.
    pub more: i32,
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
            origin_id: None,
            request_id: None,
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

    /// Decides a tier outside a class review. The suggestion is that of the needs of the latest one, as the caller sees
    /// them; what is kept and told of it leaves protected needs out, which it would tell of.
    pub async fn assign(&self, command: Assign) -> Result<Assignment, TierError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &command.request).await? == Claim::Replay {
            return repo::find_of_request(&mut tx, command.student_id, command.request.request_id).await?.ok_or(TierError::Refused(Refusal::Stale));
        }
        let entries = student_review::latest_entries(&mut tx, command.student_id).await?;
        let seen = || entries.iter().filter(|e| command.sight.sees(e));
        let suggested = suggest(seen()).tier;
        if suggested != command.tier && command.reason.is_empty() {
            return Err(TierError::NoReason { assigned: command.tier, suggested });
        }
        let now = clock::now();
        let assignment = Assignment {
            id: Uuid::now_v7(),
            student_id: command.student_id,
            school_id: command.school_id,
            school_year: command.school_year,
            cycle_id: None,
            class_review_id: None,
            tier: command.tier,
            suggested: suggest(seen().filter(|e| e.sensitivity != Sensitivity::Protected)).tier,
            rules_version: RULES_VERSION.to_owned(),
            source: command.source,
            reason: command.reason,
            reason_text: command.reason_text,
            effective_at: now,
            decided_by: command.author,
            origin_id: command.origin_id,
            request_id: Some(command.request.request_id),
        };
        repo::insert(&mut tx, &assignment).await?;
        outbox::append(&mut tx, &events::assigned(&assignment)).await?;
        tx.commit().await?;
        Ok(assignment)
    }

    /// Whether a caller sees the individual review or concern of the student that a tier is said to come from.
    pub async fn origin(&self, source: &str, id: Uuid, student_id: Uuid, caller: &Caller, clearance: &Clearance) -> Result<bool, TierError> {
        let mut conn = self.pool.acquire().await?;
        let view = match source {
            "isr" => individual_review::repo::find(&mut conn, id).await?.filter(|r| r.student_id == student_id).map(|r| r.view(caller, clearance)),
            "concern" => concern::repo::find(&mut conn, id).await?.filter(|c| c.student_id == student_id).map(|c| c.view(caller, clearance)),
            _ => None,
        };
        Ok(view.is_some_and(|view| view != View::Absent))
    }

    /// Who moved between the fall and the spring of a school year, of a school or of the classes' reviews.
    pub async fn movements(&self, school_year: i32, school_id: Option<Uuid>, class_id: Option<Uuid>) -> Result<Movements, TierError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::movements(&mut conn, school_year, school_id, class_id).await?)
    }
}
