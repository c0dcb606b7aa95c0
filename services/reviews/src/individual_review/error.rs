//! What can be wrong with an individual review.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};

use super::step::WrongStep;
use crate::error::Refusal;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum IndividualReviewError {
    /// The concern is not there, or not for this caller, or of another student.
    #[error("there is no such concern of this student")]
    NoConcern,
    /// The state machine refuses.
    #[error(transparent)]
    Step(#[from] WrongStep),
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for IndividualReviewError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault for IndividualReviewError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoConcern => Kind::NotFound,
            Self::Step(step) if step.field().is_some() => Kind::InvalidInput,
            Self::Step(_) => Kind::WrongState,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NoConcern => "CONCERN_NOT_FOUND",
            Self::Step(WrongStep::OutcomesMissing) => "OUTCOMES_MISSING",
            Self::Step(step) if step.field().is_some() => "INVALID_INPUT",
            Self::Step(_) => "WRONG_STATE",
            Self::Refused(refusal) => refusal.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Step(step) => step.field().map(|field| Violation { field: field.to_owned(), description: self.to_string() }).into_iter().collect(),
            Self::Refused(refusal) => refusal.violations(),
            Self::NoConcern => Vec::new(),
        }
    }
    fn preconditions(&self) -> Vec<Violation> {
        match self {
            Self::Step(step) if step.field().is_none() => vec![Violation { field: "individual_review".to_owned(), description: self.to_string() }],
            _ => Vec::new(),
        }
    }
}
