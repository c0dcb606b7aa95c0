//! What can be wrong with a cycle.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};

use crate::error::Refusal;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// One fall and one spring a year.
    #[error("this school year has a cycle of this season already; list the cycles and use it, or open a custom one")]
    Exists,
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for CycleError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault for CycleError {
    fn kind(&self) -> Kind {
        match self {
            Self::Exists => Kind::AlreadyExists,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Exists => "CYCLE_EXISTS",
            Self::Refused(refusal) => refusal.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Exists => Vec::new(),
            Self::Refused(refusal) => refusal.violations(),
        }
    }
}
