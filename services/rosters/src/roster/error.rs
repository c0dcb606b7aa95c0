//! Why a part of the roster cannot be shown.

use chassis_access::AccessError;
use chassis_pg::DbError;
use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, InvalidInput, Kind};

/// Why a part of the roster cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// Fields.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// Access, or not there: the two look the same.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for RosterError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for RosterError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.reason(),
            Self::Access(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(error) => error.violations(),
            _ => Vec::new(),
        }
    }
}
