//! What can go wrong with an organisation.

use chassis_pg::DbError;
use chassis_pg::idempotency::ClaimError;
use chassis_rpc::{Fault, Kind};

/// See each.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// No such organisation.
    #[error("this organisation is not in the directory; PutPartner adds it")]
    NotFound,
    /// The id is taken.
    #[error("an organisation with this id exists; give its version as expected_version to change it")]
    Exists,
    /// Read again.
    #[error("somebody changed this meanwhile; read it again")]
    Stale,
    /// The agreement's id belongs elsewhere.
    #[error("an agreement with this id belongs to another organisation; choose a new UUID")]
    AgreementOfAnother,
    /// The request id.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for PartnerError {
    fn from(error: sqlx::Error) -> Self {
        let error = DbError::from(error);
        match error.constraint() {
            Some("partner_pkey") => Self::Exists,
            Some("agreement_partner_id_fkey") => Self::NotFound,
            _ => Self::Database(error),
        }
    }
}

impl Fault for PartnerError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Exists | Self::AgreementOfAnother => Kind::AlreadyExists,
            Self::Stale => Kind::Conflict,
            Self::Claim(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "PARTNER_NOT_FOUND",
            Self::Exists => "PARTNER_EXISTS",
            Self::Stale => "ETAG_MISMATCH",
            Self::AgreementOfAnother => "AGREEMENT_EXISTS",
            Self::Claim(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }
}
