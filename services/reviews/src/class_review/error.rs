//! What can be wrong with a class review.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};
use chrono::NaiveDate;

use super::entity::WrongStep;
use crate::error::Refusal;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum ClassReviewError {
    /// No such cycle.
    #[error("there is no such review cycle; ListReviewCycles names them")]
    NoCycle,
    /// The cycle is not open on the roster date.
    #[error("the cycle is open from {opens_on} to {closes_on}; give a roster_date within it, or another cycle")]
    CycleClosed {
        /// First day.
        opens_on: NaiveDate,
        /// Last day.
        closes_on: NaiveDate,
    },
    /// The roster has not told of the class's school yet.
    #[error("the class is not known here yet")]
    ClassUnknown,
    /// The caller has no part in signing.
    #[error("only the class's teacher, a coordinator of the school, or its principal with instead_of_teacher_reason can sign")]
    NoSigner,
    /// The state machine refuses.
    #[error(transparent)]
    Step(#[from] WrongStep),
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for ClassReviewError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault for ClassReviewError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoCycle => Kind::NotFound,
            Self::CycleClosed { .. } | Self::Step(_) => Kind::WrongState,
            Self::ClassUnknown => Kind::Unavailable,
            Self::NoSigner => Kind::Forbidden,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NoCycle => "CYCLE_NOT_FOUND",
            Self::CycleClosed { .. } => "CYCLE_CLOSED",
            Self::ClassUnknown => "CLASS_UNKNOWN",
            Self::NoSigner => "NO_SIGNER",
            Self::Step(WrongStep::State { .. }) => "WRONG_STATE",
            Self::Step(WrongStep::NoStudents) => "NO_STUDENTS",
            Self::Step(WrongStep::Open { .. }) => "STUDENTS_OPEN",
            Self::Step(WrongStep::Signed) => "ALREADY_SIGNED",
            Self::Step(WrongStep::SameSigner) => "SAME_SIGNER",
            Self::Step(WrongStep::NoReason { .. }) => "REASON_NEEDED",
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
            Self::Step(_) | Self::CycleClosed { .. } => vec![Violation { field: "class_review".to_owned(), description: self.to_string() }],
            _ => Vec::new(),
        }
    }
}
