//! Class reviews: started from a snapshot of the roster, handed in, signed by two.

pub mod entity;
pub mod error;
mod events;
mod grpc;
pub(crate) mod membership;
pub mod places;
mod planning;
mod planning_grpc;
pub(crate) mod repo;
#[cfg(test)]
mod tests;

use chassis_access::{AccessError, Scope};
use chassis_events::outbox;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::PageRequest;
use chrono::{NaiveDate, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::cycle;
use crate::cycle::entity::Cycle;
use crate::error::Refusal;
use crate::words::ClassReviewState;
use entity::{Booking, ClassReview, Overview, Step};
use error::ClassReviewError;
pub use membership::Refreshed;
pub use planning::Schedule;

/// Use cases of class reviews.
#[derive(Clone, Debug)]
pub struct ClassReviews {
    pool: PgPool,
}

/// Who was in the class on a day: ids and grades.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// In the roster's order.
    pub students: Vec<(Uuid, String)>,
}

/// What a class review is started from.
#[derive(Clone, Debug)]
pub struct Start {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Who.
    pub author: Uuid,
    /// Cycle.
    pub cycle_id: Uuid,
    /// Class.
    pub class_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// Day of the roster.
    pub roster_date: NaiveDate,
    /// The class on that day.
    pub snapshot: Snapshot,
}

impl Start {
    fn unstarted(&self, cycle: &Cycle) -> ClassReview {
        ClassReview {
            id: Uuid::now_v7(),
            cycle_id: cycle.id,
            school_year: cycle.school_year,
            season: cycle.season,
            class_id: self.class_id,
            school_id: self.school_id,
            state: ClassReviewState::Scheduled,
            roster_date: self.roster_date,
            version: 0,
            started_at: None,
            booking: Booking::default(),
            reopen_count: 0,
            reason: String::new(),
            teacher_signed: None,
            instead_of_teacher_reason: String::new(),
            coordinator_signed: None,
            completed_at: None,
        }
    }
}

/// A step on a class review.
#[derive(Clone, Debug)]
pub struct Change {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Class review.
    pub id: Uuid,
    /// The version read.
    pub expected_version: i64,
}

/// In which capacities a caller may sign.
#[derive(Clone, Debug, Default)]
pub struct Signer {
    /// Who.
    pub by: Uuid,
    /// Teaches the class.
    pub teacher: bool,
    /// Coordinates at the school.
    pub coordinator: bool,
    /// Leads the school.
    pub principal: bool,
    /// Why the principal signs instead of the teacher; empty otherwise.
    pub instead: String,
}

impl Signer {
    /// The step that this person takes. Who both teaches and coordinates signs as teacher first.
    pub fn step(&self, review: &ClassReview) -> Result<Step, ClassReviewError> {
        if self.principal && !self.instead.is_empty() {
            return Ok(Step::SignAsTeacher { by: self.by, instead: self.instead.clone() });
        }
        if self.teacher && (!self.coordinator || review.teacher_signed.is_none()) {
            return Ok(Step::SignAsTeacher { by: self.by, instead: String::new() });
        }
        if self.coordinator {
            return Ok(Step::SignAsCoordinator { by: self.by });
        }
        Err(ClassReviewError::NoSigner)
    }
}

impl ClassReviews {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The review that a class has in a cycle.
    pub async fn existing(&self, cycle_id: Uuid, class_id: Uuid) -> Result<Option<Overview>, ClassReviewError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::find_of_class(&mut conn, cycle_id, class_id).await?)
    }

    /// Starts a review from its snapshot; answers the existing one where the class has one in this cycle.
    pub async fn start(&self, command: Start) -> Result<Overview, ClassReviewError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &command.request).await? == Claim::Replay {
            return repo::find_of_class(&mut tx, command.cycle_id, command.class_id).await?.ok_or(ClassReviewError::Refused(Refusal::Stale));
        }
        let cycle = cycle::repo::find(&mut tx, command.cycle_id).await?.ok_or(ClassReviewError::NoCycle)?;
        if !(cycle.opens_on..=cycle.closes_on).contains(&command.roster_date) {
            return Err(ClassReviewError::CycleClosed { opens_on: cycle.opens_on, closes_on: cycle.closes_on });
        }
        let now = Utc::now();
        let step = Step::Start { students: command.snapshot.students.len() };
        if let Some(known) = repo::find_of_class(&mut tx, cycle.id, command.class_id).await? {
            repo::lock(&mut tx, known.review.id).await?;
        }
        let known = repo::find_of_class(&mut tx, cycle.id, command.class_id).await?;
        let begun = match known.map(|o| o.review).filter(|r| r.state == ClassReviewState::Scheduled) {
            Some(booked) => {
                let booked = ClassReview { roster_date: command.roster_date, ..booked };
                let review = booked.transition(&step, now)?;
                repo::update(&mut tx, &review).await?;
                Some(review)
            }
            None => {
                let review = command.unstarted(&cycle).transition(&step, now)?;
                repo::insert(&mut tx, &review, command.author).await?.then_some(review)
            }
        };
        if let Some(review) = begun {
            repo::insert_students(&mut tx, review.id, &command.snapshot).await?;
            outbox::append_all(&mut tx, &events::started(&review, &command.snapshot, now)).await?;
        }
        // Another request may have been faster with the same class: then its review is the answer.
        let answer = repo::find_of_class(&mut tx, command.cycle_id, command.class_id).await?.ok_or(ClassReviewError::Refused(Refusal::Stale))?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Hands a review in.
    pub async fn submit(&self, change: Change) -> Result<Overview, ClassReviewError> {
        self.change(change, |now| Ok(Step::Submit { open: now.progress.students - now.progress.done })).await
    }

    /// Signs a review.
    pub async fn sign(&self, change: Change, signer: Signer) -> Result<Overview, ClassReviewError> {
        self.change(change, |now| signer.step(&now.review)).await
    }

    /// Pauses, resumes, reopens or cancels a review.
    pub async fn step(&self, change: Change, step: Step) -> Result<Overview, ClassReviewError> {
        self.change(change, |_| Ok(step)).await
    }

    /// Teachers who were named when a review was booked.
    pub async fn teachers_named(&self, id: Uuid) -> Result<Vec<Uuid>, ClassReviewError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::teachers_named(&mut conn, id).await?)
    }

    async fn change(&self, change: Change, step: impl FnOnce(&Overview) -> Result<Step, ClassReviewError> + Send) -> Result<Overview, ClassReviewError> {
        let gone = || AccessError::Denied { action: change.request.method.to_owned() };
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            return Ok(repo::find(&mut tx, change.id).await?.ok_or_else(gone)?);
        }
        repo::lock(&mut tx, change.id).await?;
        let mut overview = repo::find(&mut tx, change.id).await?.ok_or_else(gone)?;
        if overview.review.version != change.expected_version {
            return Err(ClassReviewError::Refused(Refusal::Stale));
        }
        let now = Utc::now();
        let next = overview.review.transition(&step(&overview)?, now)?;
        repo::update(&mut tx, &next).await?;
        outbox::append(&mut tx, &events::changed(&next, now)).await?;
        tx.commit().await?;
        overview.review = next;
        Ok(overview)
    }

    /// Newest first.
    pub async fn list(&self, cycle_id: Option<Uuid>, scope: &Scope, page: &PageRequest<Uuid>) -> Result<Vec<Overview>, ClassReviewError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::list(&mut conn, cycle_id, scope, page).await?)
    }
}
