//! What can be wrong with a concern.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};

use super::entity::WrongStep;
use crate::error::Refusal;
use crate::individual_review::error::IndividualReviewError;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum ConcernError {
    /// The id is taken.
    #[error("a concern with this id is there already; choose a new concern_id")]
    Exists,
    /// The state machine refuses.
    #[error(transparent)]
    Step(#[from] WrongStep),
    /// The individual review that triage opens.
    #[error(transparent)]
    IndividualReview(#[from] Box<IndividualReviewError>),
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for ConcernError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault for ConcernError {
    fn kind(&self) -> Kind {
        match self {
            Self::Exists => Kind::AlreadyExists,
            Self::Step(WrongStep::NoNote) => Kind::InvalidInput,
            Self::Step(_) => Kind::WrongState,
            Self::IndividualReview(error) => error.kind(),
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Exists => "CONCERN_EXISTS",
            Self::Step(WrongStep::State { .. }) => "WRONG_STATE",
            Self::Step(WrongStep::NoNote) => "INVALID_INPUT",
            Self::IndividualReview(error) => error.reason(),
            Self::Refused(refusal) => refusal.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Step(WrongStep::NoNote) => vec![Violation { field: "note".to_owned(), description: self.to_string() }],
            Self::IndividualReview(error) => error.violations(),
            Self::Refused(refusal) => refusal.violations(),
            _ => Vec::new(),
        }
    }
    fn preconditions(&self) -> Vec<Violation> {
        match self {
            Self::Step(WrongStep::State { .. }) => vec![Violation { field: "concern".to_owned(), description: self.to_string() }],
            Self::IndividualReview(error) => error.preconditions(),
            _ => Vec::new(),
        }
    }
}
