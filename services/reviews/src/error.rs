//! Refusals that every aggregate here has in the same words. Each aggregate adds its own in its `error.rs`.

use chassis_access::AccessError;
use chassis_pg::DbError;
use chassis_pg::idempotency::ClaimError;
use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, InvalidInput, Kind};

/// What may go wrong in any use case.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Somebody else was faster.
    #[error("somebody changed this since you read it; read it again and repeat your change with the new version")]
    Stale,
    /// The request id.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Access.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The request.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Stale => Kind::Conflict,
            Self::Claim(error) => error.kind(),
            Self::Database(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Stale => "ETAG_MISMATCH",
            Self::Claim(error) => error.reason(),
            Self::Database(error) => error.reason(),
            Self::Access(error) => error.reason(),
            Self::Invalid(error) => error.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(error) => error.violations(),
            _ => Vec::new(),
        }
    }
}
