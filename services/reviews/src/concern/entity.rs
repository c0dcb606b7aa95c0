//! A concern: who said what, by when it is answered, and how.

use chassis_access::Sensitivity;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::taxonomy::Domain;
use crate::words::{ConcernSource, ConcernState, Triage, Urgency};

/// A concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// Id.
    pub id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// School year.
    pub school_year: i32,
    /// State.
    pub state: ConcernState,
    /// How soon.
    pub urgency: Urgency,
    /// Who said so.
    pub source: ConcernSource,
    /// Domain, where one is named.
    pub domain: Option<Domain>,
    /// Code of the need that it may be; may be empty.
    pub code: String,
    /// Words. They leave this service only in answers to those who may see the concern.
    pub words: String,
    /// At least the code's, and that of the needs it is about.
    pub sensitivity: Sensitivity,
    /// Needs that it is about.
    pub need_ids: Vec<Uuid>,
    /// The suspected need for which it was raised by itself.
    pub urgent_need_id: Option<Uuid>,
    /// Who raised it; nil for people outside the roster.
    pub raised_by: Uuid,
    /// When.
    pub raised_at: DateTime<Utc>,
    /// When an answer is due.
    pub due_at: DateTime<Utc>,
    /// The answer.
    pub answer: Option<Answer>,
    /// The individual review that was opened for it.
    pub individual_review_id: Option<Uuid>,
    /// How it ended.
    pub close_note: String,
    /// Grows with each change.
    pub version: i64,
}

/// What triage said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Decision.
    pub triage: Triage,
    /// Words.
    pub note: String,
    /// Who.
    pub by: Uuid,
    /// When.
    pub at: DateTime<Utc>,
}

/// What may be done to a concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Answer it.
    Triage {
        /// Decision.
        decision: Triage,
        /// Words; needed for `not_a_concern`.
        note: String,
        /// Who.
        by: Uuid,
    },
    /// End it.
    Close {
        /// How it ended.
        note: String,
    },
}

impl Step {
    /// What the caller wanted, in words.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Triage { .. } => "triaged",
            Self::Close { .. } => "closed",
        }
    }
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongStep {
    /// The state does not allow it.
    #[error("a concern that is {} cannot be {verb}", state.word())]
    State {
        /// Present state.
        state: ConcernState,
        /// What was wanted.
        verb: &'static str,
    },
    /// Words are needed.
    #[error("say in note why this is not a concern, or how it ended")]
    NoNote,
}

impl Concern {
    /// What follows from a step: the one place where a concern's state changes.
    pub fn transition(&self, step: &Step, now: DateTime<Utc>) -> Result<Self, WrongStep> {
        use ConcernState::{Closed, Raised, Triaged};
        let mut next = Self { version: self.version + 1, ..self.clone() };
        match (self.state, step) {
            (Raised, Step::Triage { decision: Triage::NotAConcern, note, .. }) | (Triaged, Step::Close { note }) if note.trim().is_empty() => {
                return Err(WrongStep::NoNote);
            }
            (Raised, Step::Triage { decision, note, by }) => {
                next.state = Triaged;
                next.answer = Some(Answer { triage: *decision, note: note.clone(), by: *by, at: now });
            }
            (Triaged, Step::Close { note }) => {
                next.state = Closed;
                next.close_note.clone_from(note);
            }
            (state, step) => return Err(WrongStep::State { state, verb: step.verb() }),
        }
        Ok(next)
    }
}
