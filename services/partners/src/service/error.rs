//! What can go wrong with a service.

use chassis_pg::DbError;
use chassis_pg::idempotency::ClaimError;
use chassis_rpc::{Fault, Kind};

/// See each.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No such service.
    #[error("this service is not in the directory")]
    NotFound,
    /// No such organisation.
    #[error("this organisation is not in the directory; PutPartner adds it")]
    NoPartner,
    /// The id is taken.
    #[error("a service with this id exists; give its version as expected_version to change it")]
    Exists,
    /// It belongs to another organisation.
    #[error("this service belongs to another organisation; services do not change hands")]
    OfAnother,
    /// Read again.
    #[error("somebody changed this meanwhile; read it again")]
    Stale,
    /// Full.
    #[error("no place is left; put the student on the waiting list")]
    NoCapacity,
    /// The request id.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for ServiceError {
    fn from(error: sqlx::Error) -> Self {
        let error = DbError::from(error);
        match error.constraint() {
            Some("service_pkey") => Self::Exists,
            Some("service_partner_id_fkey") => Self::NoPartner,
            _ => Self::Database(error),
        }
    }
}

impl Fault for ServiceError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::NoPartner => Kind::NotFound,
            Self::Exists | Self::OfAnother => Kind::AlreadyExists,
            Self::Stale => Kind::Conflict,
            Self::NoCapacity => Kind::Exhausted,
            Self::Claim(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "SERVICE_NOT_FOUND",
            Self::NoPartner => "PARTNER_NOT_FOUND",
            Self::Exists | Self::OfAnother => "SERVICE_EXISTS",
            Self::Stale => "ETAG_MISMATCH",
            Self::NoCapacity => "NO_CAPACITY",
            Self::Claim(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }
}
