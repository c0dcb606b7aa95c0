//! Individual reviews: opened, prepared, held, decided, looked at again.

pub mod entity;
pub mod error;
mod events;
mod grpc;
mod input;
pub(crate) mod repo;
pub mod step;
#[cfg(test)]
mod tests;
mod wire;

use chassis_access::{AccessError, Sensitivity};
use chassis_events::outbox;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::PageRequest;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::case_access::sight::{Listed, Place, Reach};
use crate::concern::clock;
use crate::error::Refusal;
use crate::words::{IndividualReviewState, Trigger};
use entity::IndividualReview;
use error::IndividualReviewError;
use step::Step;

/// Use cases of individual reviews.
#[derive(Clone, Debug)]
pub struct IndividualReviews {
    pool: PgPool,
}

/// What an individual review is opened from.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its id, if it becomes one.
    pub id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// Why.
    pub trigger: Trigger,
    /// Concern that it comes from.
    pub concern_id: Option<Uuid>,
    /// Of the whole.
    pub sensitivity: Sensitivity,
    /// Who.
    pub author: Uuid,
    /// School year.
    pub school_year: i32,
}

/// A step on an individual review.
#[derive(Clone, Debug)]
pub struct Change {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Individual review.
    pub id: Uuid,
    /// The version read.
    pub expected_version: i64,
    /// Who.
    pub author: Uuid,
}

/// Opens an individual review within the caller's transaction, or answers the open one that the student has.
pub async fn open(conn: &mut PgConnection, command: &Open, now: DateTime<Utc>) -> Result<IndividualReview, IndividualReviewError> {
    let review = IndividualReview {
        id: command.id,
        student_id: command.student_id,
        school_id: command.school_id,
        school_year: command.school_year,
        state: IndividualReviewState::Proposed,
        held_state: None,
        trigger: command.trigger,
        concern_id: command.concern_id,
        sensitivity: command.sensitivity,
        lead_id: None,
        team: Vec::new(),
        invitation: None,
        meets_on: None,
        held_on: None,
        family_voice: None,
        family_words: String::new(),
        findings: Vec::new(),
        decisions: Vec::new(),
        review_on: None,
        look_again_on: None,
        reason: String::new(),
        seconded_by: None,
        opened_by: command.author,
        opened_at: now,
        version: 1,
    };
    if repo::insert(conn, &review).await? {
        outbox::append(conn, &events::changed(&review, now)).await?;
        return Ok(review);
    }
    let protected = command.sensitivity == Sensitivity::Protected;
    repo::find_open(conn, command.student_id, protected).await?.ok_or(IndividualReviewError::Refused(Refusal::Stale))
}

impl IndividualReviews {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// One individual review; the caller is shown what they may see of it.
    pub async fn get(&self, id: Uuid) -> Result<Option<IndividualReview>, IndividualReviewError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::find(&mut conn, id).await?)
    }

    /// Those in reach; see [`repo::list`] for the order.
    pub async fn list(&self, reach: &Reach, open_only: bool, page: &PageRequest<Place>) -> Result<Vec<Listed<IndividualReview>>, IndividualReviewError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::list(&mut conn, reach, open_only, page).await?)
    }

    /// Opens one, or answers the open one.
    pub async fn open(&self, request: &idempotency::Request, command: &Open) -> Result<IndividualReview, IndividualReviewError> {
        let mut tx = self.pool.begin().await?;
        // A repeat finds the one that is open by now; where that was ended meanwhile, it opens another only by another request.
        if idempotency::claim(&mut tx, request).await? == Claim::Replay {
            let protected = command.sensitivity == Sensitivity::Protected;
            return repo::find_open(&mut tx, command.student_id, protected).await?.ok_or(IndividualReviewError::Refused(Refusal::Stale));
        }
        let review = open(&mut tx, command, clock::now()).await?;
        tx.commit().await?;
        Ok(review)
    }

    /// Takes a step: the one shape of every other write.
    pub async fn take(&self, change: &Change, step: &Step) -> Result<IndividualReview, IndividualReviewError> {
        let gone = || AccessError::Denied { action: change.request.method.to_owned() };
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            return Ok(repo::find(&mut tx, change.id).await?.ok_or_else(gone)?);
        }
        repo::lock(&mut tx, change.id).await?;
        let review = repo::find(&mut tx, change.id).await?.ok_or_else(gone)?;
        if review.version != change.expected_version {
            return Err(IndividualReviewError::Refused(Refusal::Stale));
        }
        let next = review.transition(step)?;
        repo::update(&mut tx, &next, change.author, step.verb()).await?;
        outbox::append(&mut tx, &events::changed(&next, clock::now())).await?;
        tx.commit().await?;
        Ok(next)
    }
}
