//! What can go wrong with a consent.

use chassis_pg::DbError;
use chassis_pg::idempotency::ClaimError;
use chassis_rpc::{Fault, Kind};

use crate::referral::ReferralError;

/// See each.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// No such consent.
    #[error("this consent does not exist")]
    NotFound,
    /// The partner is not in the directory.
    #[error("this partner is not in the directory; PutPartner adds it")]
    NoPartner,
    /// Another consent has the id.
    #[error("a consent with this id was recorded before; consents are not changed: revoke it and record a new one")]
    Exists,
    /// Ending what relied on it failed.
    #[error(transparent)]
    Referral(#[from] Box<ReferralError>),
    /// The request id.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ReferralError> for ConsentError {
    fn from(error: ReferralError) -> Self {
        Self::Referral(Box::new(error))
    }
}

impl From<sqlx::Error> for ConsentError {
    fn from(error: sqlx::Error) -> Self {
        let error = DbError::from(error);
        match error.constraint() {
            Some("consent_pkey") => Self::Exists,
            Some("consent_partner_id_fkey") => Self::NoPartner,
            _ => Self::Database(error),
        }
    }
}

impl Fault for ConsentError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::NoPartner => Kind::InvalidInput,
            Self::Exists => Kind::AlreadyExists,
            Self::Referral(error) => error.kind(),
            Self::Claim(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "CONSENT_NOT_FOUND",
            Self::NoPartner => "PARTNER_NOT_FOUND",
            Self::Exists => "CONSENT_EXISTS",
            Self::Referral(error) => error.reason(),
            Self::Claim(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }
}
