//! What can be wrong with a student's review.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};

use super::entity::WrongStep;
use crate::error::Refusal;
use crate::words::ClassReviewState;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum StudentReviewError {
    /// The class review is not under way.
    #[error("the class review is {}; students are written only while it is in_progress", .0.word())]
    ClassReview(ClassReviewState),
    /// Not on the snapshot.
    #[error("this student is not on this class review; GetClassReview names those who are")]
    NoStudent,
    /// No such entry, or not for this caller.
    #[error("there is no such entry on this student's review; send a new one with expected_version 0")]
    NoEntry,
    /// Somebody else's.
    #[error("this entry was written by somebody else; its author, a coordinator or the support team can change it")]
    NotYours,
    /// Another entry took its place.
    #[error("another entry took this one's place; it is kept as it was")]
    Superseded,
    /// No such entry of an earlier review, or not for this caller.
    #[error("there is no such entry of an earlier review; ListPriorEntries names those there are")]
    NoPrior,
    /// Answered already.
    #[error("this entry of an earlier review is answered; take the answer back first")]
    PriorAnswered,
    /// Not what it is taken for.
    #[error("this entry is not {0}; read it again")]
    NotThat(&'static str),
    /// Nothing to attach a need to.
    #[error("the student has no review in this school year yet; start the class review, or raise a concern")]
    NoReviewYet,
    /// The state machine refuses.
    #[error(transparent)]
    Step(#[from] WrongStep),
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for StudentReviewError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl StudentReviewError {
    /// Somebody else was faster.
    pub fn stale() -> Self {
        Self::Refused(Refusal::Stale)
    }
}

impl Fault for StudentReviewError {
    fn kind(&self) -> Kind {
        match self {
            Self::ClassReview(_) | Self::Step(_) | Self::Superseded | Self::PriorAnswered | Self::NotThat(_) | Self::NoReviewYet => Kind::WrongState,
            Self::NoStudent | Self::NoEntry | Self::NoPrior => Kind::NotFound,
            Self::NotYours => Kind::Forbidden,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::ClassReview(_) => "WRONG_STATE",
            Self::Step(WrongStep::Gaps { .. }) => "REVIEW_INCOMPLETE",
            Self::Step(_) => "WRONG_STATE",
            Self::NoStudent => "STUDENT_NOT_ON_REVIEW",
            Self::NoEntry => "ENTRY_NOT_FOUND",
            Self::NotYours => "NOT_YOUR_ENTRY",
            Self::Superseded => "ENTRY_SUPERSEDED",
            Self::NoPrior => "PRIOR_ENTRY_NOT_FOUND",
            Self::PriorAnswered => "PRIOR_ANSWERED",
            Self::NotThat(_) => "WRONG_POLARITY",
            Self::NoReviewYet => "NO_REVIEW_YET",
            Self::Refused(refusal) => refusal.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Refused(refusal) => refusal.violations(),
            _ => Vec::new(),
        }
    }
    fn preconditions(&self) -> Vec<Violation> {
        match self {
            Self::Step(WrongStep::Gaps { gaps }) => gaps.clone(),
            Self::Step(_) | Self::NoReviewYet => vec![Violation { field: "student_review".to_owned(), description: self.to_string() }],
            Self::Superseded | Self::PriorAnswered | Self::NotThat(_) => vec![Violation { field: "entry".to_owned(), description: self.to_string() }],
            Self::ClassReview(_) => vec![Violation { field: "class_review".to_owned(), description: self.to_string() }],
            _ => Vec::new(),
        }
    }
}
