//! What can be wrong with a tier.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};

use super::rule::Tier;
use crate::error::Refusal;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum TierError {
    /// It differs without a reason.
    #[error("the assigned tier {} differs from the suggested tier {}; give reason", assigned.as_str(), suggested.as_str())]
    NoReason {
        /// What was decided.
        assigned: Tier,
        /// What the rule says.
        suggested: Tier,
    },
    /// The individual review or concern is not there, or not for this caller, or of another student.
    #[error("there is no such individual review or concern of this student")]
    NoOrigin,
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for TierError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault for TierError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoReason { .. } => Kind::InvalidInput,
            Self::NoOrigin => Kind::NotFound,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NoReason { .. } => "REASON_NEEDED",
            Self::NoOrigin => "ORIGIN_NOT_FOUND",
            Self::Refused(refusal) => refusal.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::NoReason { .. } => vec![Violation { field: "reason".to_owned(), description: self.to_string() }],
            Self::NoOrigin => Vec::new(),
            Self::Refused(refusal) => refusal.violations(),
        }
    }
}
