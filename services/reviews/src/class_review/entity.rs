//! The review of one class: its states, and what may follow which.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::words::{ClassReviewState, Season};

/// A class review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassReview {
    /// Id.
    pub id: Uuid,
    /// Cycle.
    pub cycle_id: Uuid,
    /// School year of the cycle.
    pub school_year: i32,
    /// Season of the cycle.
    pub season: Season,
    /// Class.
    pub class_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// State.
    pub state: ClassReviewState,
    /// Day whose roster was taken.
    pub roster_date: NaiveDate,
    /// Grows with each change.
    pub version: i64,
    /// When it was started.
    pub started_at: Option<DateTime<Utc>>,
    /// What was booked for it.
    pub booking: Booking,
    /// How often it was reopened; above 0, what is written is an amendment.
    pub reopen_count: i32,
    /// Why it was paused, reopened or cancelled last.
    pub reason: String,
    /// Who signed as teacher, or instead of the teacher.
    pub teacher_signed: Option<Signature>,
    /// Why somebody else signed for the teacher; empty otherwise.
    pub instead_of_teacher_reason: String,
    /// Who signed as coordinator.
    pub coordinator_signed: Option<Signature>,
    /// When both had signed.
    pub completed_at: Option<DateTime<Utc>>,
}

/// What was booked for a class review; empty where it was started without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// Day.
    pub on: Option<NaiveDate>,
    /// Minutes.
    pub minutes: i32,
    /// Teachers named. Any one of them signs for the team.
    pub teachers: Vec<Uuid>,
    /// Coordinator named.
    pub coordinator: Option<Uuid>,
}

/// A signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Staff id.
    pub by: Uuid,
    /// When.
    pub at: DateTime<Utc>,
}

/// How far a class review has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Students who have not left.
    pub students: i32,
    /// Of these, reviewed or not reviewed with a reason.
    pub done: i32,
    /// Where to resume.
    pub current_student: Option<Uuid>,
    /// Students who joined after the snapshot.
    pub added: i32,
    /// Students who left.
    pub left: i32,
    /// Seconds of work, longer gaps left out.
    pub active_seconds: i32,
}

/// A class review with how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The review.
    pub review: ClassReview,
    /// How far.
    pub progress: Progress,
}

/// What may be done to a class review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start with this many students on the snapshot.
    Start {
        /// How many.
        students: usize,
    },
    /// Put aside.
    Pause {
        /// Why; may be empty.
        reason: String,
    },
    /// Go on.
    Resume,
    /// Hand in.
    Submit {
        /// Students neither reviewed, nor not reviewed with a reason, nor left.
        open: i32,
    },
    /// Sign as teacher; with a reason, instead of the teacher.
    SignAsTeacher {
        /// Who.
        by: Uuid,
        /// Why not the teacher; empty where it is.
        instead: String,
    },
    /// Sign as coordinator.
    SignAsCoordinator {
        /// Who.
        by: Uuid,
    },
    /// Take completion back.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Call off.
    Cancel {
        /// Why.
        reason: String,
    },
}

impl Step {
    /// What the caller wanted, in words.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Start { .. } => "started",
            Self::Pause { .. } => "paused",
            Self::Resume => "resumed",
            Self::Submit { .. } => "submitted",
            Self::SignAsTeacher { .. } | Self::SignAsCoordinator { .. } => "signed",
            Self::Reopen { .. } => "reopened",
            Self::Cancel { .. } => "cancelled",
        }
    }
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongStep {
    /// The state does not allow it.
    #[error("a class review that is {} cannot be {verb}", state.word())]
    State {
        /// Present state.
        state: ClassReviewState,
        /// What was wanted.
        verb: &'static str,
    },
    /// No students.
    #[error("this class has no students on the roster date; give another roster_date or check the roster")]
    NoStudents,
    /// Students are open.
    #[error("{open} students are still open; review each, or mark them not reviewed with a reason")]
    Open {
        /// How many.
        open: i32,
    },
    /// Signed in this capacity.
    #[error("this is signed already in your capacity; the other signature is missing")]
    Signed,
    /// One person, two signatures.
    #[error("the same person cannot sign twice; a principal may sign instead of the teacher, with a reason")]
    SameSigner,
    /// A reason is needed.
    #[error("a class review can be {verb} only with a reason")]
    NoReason {
        /// What was wanted.
        verb: &'static str,
    },
}

impl ClassReview {
    /// What follows from a step: the one place where a class review's state changes.
    pub fn transition(&self, step: &Step, now: DateTime<Utc>) -> Result<Self, WrongStep> {
        use ClassReviewState::{AwaitingSignoff, Cancelled, Complete, InProgress, Paused, Scheduled};
        let mut next = Self { version: self.version + 1, ..self.clone() };
        match (self.state, step) {
            (Scheduled, Step::Start { students: 0 }) => return Err(WrongStep::NoStudents),
            (Scheduled, Step::Start { .. }) => {
                next.state = InProgress;
                next.started_at = Some(now);
            }
            (InProgress, Step::Pause { reason }) => {
                next.state = Paused;
                next.reason.clone_from(reason);
            }
            (Paused, Step::Resume) => next.state = InProgress,
            (InProgress, Step::Submit { open: 0 }) => next.state = AwaitingSignoff,
            (InProgress, Step::Submit { open }) => return Err(WrongStep::Open { open: *open }),
            (AwaitingSignoff, Step::SignAsTeacher { by, instead }) => {
                refuse_second(self.teacher_signed, self.coordinator_signed, *by)?;
                next.teacher_signed = Some(Signature { by: *by, at: now });
                next.instead_of_teacher_reason.clone_from(instead);
                next.complete_if_signed(now);
            }
            (AwaitingSignoff, Step::SignAsCoordinator { by }) => {
                refuse_second(self.coordinator_signed, self.teacher_signed, *by)?;
                next.coordinator_signed = Some(Signature { by: *by, at: now });
                next.complete_if_signed(now);
            }
            (Complete, Step::Reopen { reason }) | (Scheduled | InProgress | Paused | AwaitingSignoff, Step::Cancel { reason }) if reason.trim().is_empty() => {
                return Err(WrongStep::NoReason { verb: step.verb() });
            }
            (Complete, Step::Reopen { reason }) => {
                next.state = InProgress;
                next.reopen_count += 1;
                next.reason.clone_from(reason);
                next.teacher_signed = None;
                next.coordinator_signed = None;
                next.instead_of_teacher_reason = String::new();
                next.completed_at = None;
            }
            (Scheduled | InProgress | Paused | AwaitingSignoff, Step::Cancel { reason }) => {
                next.state = Cancelled;
                next.reason.clone_from(reason);
            }
            (state, step) => return Err(WrongStep::State { state, verb: step.verb() }),
        }
        Ok(next)
    }

    fn complete_if_signed(&mut self, now: DateTime<Utc>) {
        if self.teacher_signed.is_some() && self.coordinator_signed.is_some() {
            self.state = ClassReviewState::Complete;
            self.completed_at = Some(now);
        }
    }
}

fn refuse_second(mine: Option<Signature>, other: Option<Signature>, by: Uuid) -> Result<(), WrongStep> {
    if mine.is_some() {
        return Err(WrongStep::Signed);
    }
    if other.is_some_and(|signature| signature.by == by) {
        return Err(WrongStep::SameSigner);
    }
    Ok(())
}
