//! Concerns: raised on any day, answered within the clock, ended.

pub mod clock;
pub mod entity;
pub mod error;
mod events;
mod grpc;
pub(crate) mod repo;
#[cfg(test)]
mod tests;
mod urgent;

use chassis_access::AccessError;
use chassis_events::outbox;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::PageRequest;
use sqlx::PgPool;
use uuid::Uuid;

use crate::case_access::sight::{Listed, Place, Reach};
use crate::error::Refusal;
use crate::individual_review::entity::IndividualReview;
use crate::individual_review::{self, Open};
use crate::words::{Triage, Trigger};
use entity::{Concern, Step};
use error::ConcernError;
pub use urgent::{Whose, raise_for_urgent};

/// Use cases of concerns.
#[derive(Clone, Debug)]
pub struct Concerns {
    pool: PgPool,
}

/// A step on a concern.
#[derive(Clone, Debug)]
pub struct Change {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Concern.
    pub id: Uuid,
    /// The version read.
    pub expected_version: i64,
    /// Who.
    pub author: Uuid,
}

impl Concerns {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// One concern; the caller is shown what they may see of it.
    pub async fn get(&self, id: Uuid) -> Result<Option<Concern>, ConcernError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::find(&mut conn, id).await?)
    }

    /// Those in reach; see [`repo::list`] for the order.
    pub async fn list(&self, reach: &Reach, open_only: bool, page: &PageRequest<Place>) -> Result<Vec<Listed<Concern>>, ConcernError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::list(&mut conn, reach, open_only, page).await?)
    }

    /// Raises a concern. It is as guarded as the most guarded need that it is about.
    pub async fn raise(&self, request: &idempotency::Request, mut concern: Concern) -> Result<Concern, ConcernError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, request).await? == Claim::Replay {
            return repo::find(&mut tx, concern.id).await?.ok_or(ConcernError::Exists);
        }
        concern.sensitivity = concern.sensitivity.max(repo::sensitivity_of_needs(&mut tx, concern.student_id, &concern.need_ids).await?);
        if !repo::insert(&mut tx, &concern).await? {
            return Err(ConcernError::Exists);
        }
        outbox::append(&mut tx, &events::changed(&concern, concern.raised_at)).await?;
        tx.commit().await?;
        Ok(concern)
    }

    /// Answers a concern. Where the answer is an individual review, it is opened with it or not at all.
    pub async fn triage(&self, change: Change, decision: Triage, note: String) -> Result<(Concern, Option<IndividualReview>), ConcernError> {
        let (mut tx, concern) = match self.begin(&change).await? {
            Begun::Replay(concern) => {
                let review = match concern.individual_review_id {
                    Some(id) => self.review(id).await?,
                    None => None,
                };
                return Ok((concern, review));
            }
            Begun::Open(tx, concern) => (tx, concern),
        };
        let now = clock::now();
        let mut next = concern.transition(&Step::Triage { decision, note, by: change.author }, now)?;
        let mut review = None;
        if decision == Triage::IndividualReview {
            let opened = individual_review::open(&mut tx, &Open::for_concern(&concern, change.author), now).await.map_err(Box::new)?;
            next.individual_review_id = Some(opened.id);
            review = Some(opened);
        }
        repo::update(&mut tx, &next, change.author, "triaged").await?;
        outbox::append(&mut tx, &events::changed(&next, now)).await?;
        tx.commit().await?;
        Ok((next, review))
    }

    /// Ends a concern.
    pub async fn close(&self, change: Change, note: String) -> Result<Concern, ConcernError> {
        let (mut tx, concern) = match self.begin(&change).await? {
            Begun::Replay(concern) => return Ok(concern),
            Begun::Open(tx, concern) => (tx, concern),
        };
        let now = clock::now();
        let next = concern.transition(&Step::Close { note }, now)?;
        repo::update(&mut tx, &next, change.author, "closed").await?;
        outbox::append(&mut tx, &events::changed(&next, now)).await?;
        tx.commit().await?;
        Ok(next)
    }

    async fn review(&self, id: Uuid) -> Result<Option<IndividualReview>, ConcernError> {
        let mut conn = self.pool.acquire().await?;
        Ok(individual_review::repo::find(&mut conn, id).await?)
    }

    async fn begin(&self, change: &Change) -> Result<Begun, ConcernError> {
        let gone = || AccessError::Denied { action: change.request.method.to_owned() };
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            return Ok(Begun::Replay(repo::find(&mut tx, change.id).await?.ok_or_else(gone)?));
        }
        repo::lock(&mut tx, change.id).await?;
        let concern = repo::find(&mut tx, change.id).await?.ok_or_else(gone)?;
        if concern.version != change.expected_version {
            return Err(ConcernError::Refused(Refusal::Stale));
        }
        Ok(Begun::Open(tx, concern))
    }
}

enum Begun {
    Replay(Concern),
    Open(sqlx::Transaction<'static, sqlx::Postgres>, Concern),
}

impl Open {
    /// For a concern: as guarded as it, and restricted at the least.
    fn for_concern(concern: &Concern, author: Uuid) -> Self {
        Self {
            id: Uuid::now_v7(),
            student_id: concern.student_id,
            school_id: concern.school_id,
            trigger: Trigger::Concern,
            concern_id: Some(concern.id),
            sensitivity: concern.sensitivity.max(chassis_access::Sensitivity::Restricted),
            author,
            school_year: concern.school_year,
        }
    }
}
