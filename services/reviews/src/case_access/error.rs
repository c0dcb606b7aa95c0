//! What can be wrong with case access.

use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, Kind};

use super::entity::WrongStep;
use crate::error::Refusal;

/// Refusals.
#[derive(Debug, thiserror::Error)]
pub enum CaseAccessError {
    /// The id is taken.
    #[error("a case access with this id is there already; choose a new case_access_id")]
    Exists,
    /// The caller is nobody in the roster.
    #[error("your account has no staff member in the roster, so nothing can be opened to you; ask the data clerk to link it")]
    NoStaff,
    /// It has ended.
    #[error(transparent)]
    Step(#[from] WrongStep),
    /// Any other.
    #[error(transparent)]
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for CaseAccessError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault for CaseAccessError {
    fn kind(&self) -> Kind {
        match self {
            Self::Exists => Kind::AlreadyExists,
            Self::NoStaff | Self::Step(_) => Kind::WrongState,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Exists => "CASE_ACCESS_EXISTS",
            Self::NoStaff => "STAFF_ID_NEEDED",
            Self::Step(WrongStep::Ended) => "CASE_ACCESS_ENDED",
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
            Self::NoStaff => vec![Violation { field: "caller".to_owned(), description: self.to_string() }],
            Self::Step(_) => vec![Violation { field: "case_access".to_owned(), description: self.to_string() }],
            _ => Vec::new(),
        }
    }
}
