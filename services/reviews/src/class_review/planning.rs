//! Booking a class review, before it is started.

use chassis_events::outbox;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::InvalidInput;
use chrono::{NaiveDate, Utc};
use uuid::Uuid;

use super::entity::{Booking, ClassReview, Overview};
use super::error::ClassReviewError;
use super::{ClassReviews, Start, events, repo};
use crate::cycle;
use crate::error::Refusal;

/// What is booked.
#[derive(Clone, Debug)]
pub struct Schedule {
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
    /// Students of the class now.
    pub students: usize,
    /// Day.
    pub on: NaiveDate,
    /// Minutes.
    pub minutes: i32,
    /// Teachers, who must teach the class.
    pub teachers: Vec<Uuid>,
    /// Coordinator, who must be one at the school.
    pub coordinator: Uuid,
    /// The coordinator is the caller, whose token says so.
    pub coordinates: bool,
}

impl ClassReviews {
    /// Books a review; answers the existing one where the class has one in this cycle.
    pub async fn schedule(&self, command: Schedule) -> Result<Overview, ClassReviewError> {
        let gone = || ClassReviewError::Refused(Refusal::Stale);
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &command.request).await? == Claim::Replay {
            return repo::find_of_class(&mut tx, command.cycle_id, command.class_id).await?.ok_or_else(gone);
        }
        let cycle = cycle::repo::find(&mut tx, command.cycle_id).await?.ok_or(ClassReviewError::NoCycle)?;
        if !(cycle.opens_on..=cycle.closes_on).contains(&command.on) {
            return Err(ClassReviewError::CycleClosed { opens_on: cycle.opens_on, closes_on: cycle.closes_on });
        }
        if command.students == 0 {
            return Err(super::entity::WrongStep::NoStudents.into());
        }
        let teaching = repo::related(&mut tx, &command.teachers, "teaches", command.class_id).await?;
        if command.teachers.iter().any(|teacher| !teaching.contains(teacher)) {
            return Err(InvalidInput::one("teacher_ids", "must all teach the class").into());
        }
        if !command.coordinates && repo::related(&mut tx, &[command.coordinator], "coordinator", command.school_id).await?.is_empty() {
            return Err(InvalidInput::one("coordinator_id", "must be a coordinator of the school").into());
        }
        let start = Start {
            request: command.request,
            author: command.author,
            cycle_id: command.cycle_id,
            class_id: command.class_id,
            school_id: command.school_id,
            roster_date: command.on,
            snapshot: super::Snapshot::default(),
        };
        let booking = Booking { on: Some(command.on), minutes: command.minutes, teachers: command.teachers, coordinator: Some(command.coordinator) };
        let review = ClassReview { version: 1, booking, ..start.unstarted(&cycle) };
        if repo::insert(&mut tx, &review, command.author).await? {
            outbox::append(&mut tx, &events::changed(&review, Utc::now())).await?;
        }
        let answer = repo::find_of_class(&mut tx, command.cycle_id, command.class_id).await?.ok_or_else(gone)?;
        tx.commit().await?;
        Ok(answer)
    }
}
