//! What can go wrong with a referral.

use chassis_pg::DbError;
use chassis_pg::idempotency::ClaimError;
use chassis_rpc::{Fault, InvalidInput, Kind, Violation};

use super::transition::Refusal;
use crate::service::ServiceError;

/// See each.
#[derive(Debug, thiserror::Error)]
pub enum ReferralError {
    /// No such referral.
    #[error("this referral does not exist")]
    NotFound,
    /// The id is taken.
    #[error("a referral with this id exists; choose a new UUID")]
    Exists,
    /// Read again.
    #[error("somebody changed this meanwhile; read it again")]
    Stale,
    /// The service or its partner takes no referrals.
    #[error("this service takes no referrals now: it and its organisation must both be active")]
    ServiceNotActive,
    /// It may not be shared.
    #[error("this may not be shared now: {}", .0.join(", "))]
    NotCovered(Vec<&'static str>),
    /// The table says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Places.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A field.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The request id.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for ReferralError {
    fn from(error: sqlx::Error) -> Self {
        let error = DbError::from(error);
        if error.constraint() == Some("referral_pkey") { Self::Exists } else { Self::Database(error) }
    }
}

impl Fault for ReferralError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Exists => Kind::AlreadyExists,
            Self::Stale => Kind::Conflict,
            Self::ServiceNotActive | Self::NotCovered(_) => Kind::WrongState,
            Self::Refused(error) => error.kind(),
            Self::Service(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::Claim(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "REFERRAL_NOT_FOUND",
            Self::Exists => "REFERRAL_EXISTS",
            Self::Stale => "ETAG_MISMATCH",
            Self::ServiceNotActive => "SERVICE_NOT_ACTIVE",
            // The family comes first; the papers after.
            Self::NotCovered(missing) => match missing.first() {
                Some(&"SCOPE_NOT_COVERED" | &"CONSENT_MISSING") | None => "CONSENT_MISSING",
                Some(first) => first,
            },
            Self::Refused(error) => error.reason(),
            Self::Service(error) => error.reason(),
            Self::Invalid(error) => error.reason(),
            Self::Claim(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }
    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(error) => error.violations(),
            Self::Refused(error) => error.violations(),
            _ => Vec::new(),
        }
    }
    fn preconditions(&self) -> Vec<Violation> {
        let Self::NotCovered(missing) = self else { return Vec::new() };
        missing
            .iter()
            .map(|reason| {
                let description = match *reason {
                    "CONSENT_MISSING" => "no consent of this family for this partner holds today; record one with PutConsent",
                    "SCOPE_NOT_COVERED" => "a consent holds, but not for every scope that is to be shared; record one that does, or share less",
                    "AGREEMENT_MISSING" => "the partner has no data_sharing agreement that holds today; record one with PutAgreement",
                    _ => "partners of this sector receive data on a legal basis only; use the mode information_only",
                };
                Violation { field: (*reason).to_owned(), description: description.to_owned() }
            })
            .collect()
    }
}
