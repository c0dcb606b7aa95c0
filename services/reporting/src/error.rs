//! Why a question is not answered.

use chassis_access::AccessError;
use chassis_pg::DbError;
use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, InvalidInput, Kind};

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The registry has no such measure.
    #[error("there is no such measure; ListMeasures names those there are")]
    UnknownMeasure,
    /// The roster, which counts demographic groups.
    #[error("the roster does not answer, try again")]
    RosterAway,
    /// The caller may not ask.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The question is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for ReportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for ReportError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownMeasure => Kind::NotFound,
            Self::RosterAway => Kind::Unavailable,
            Self::Access(error) => error.kind(),
            Self::Invalid(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::UnknownMeasure => "UNKNOWN_MEASURE",
            Self::RosterAway => "ROSTER_UNAVAILABLE",
            Self::Access(error) => error.reason(),
            Self::Invalid(error) => error.reason(),
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
