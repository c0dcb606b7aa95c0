//! Why an import cannot be run or shown. What is wrong with a package is no error but a finding.

use chassis_access::AccessError;
use chassis_pg::DbError;
use chassis_rpc::{Fault, InvalidInput, Kind};

/// Why an import cannot be run or shown.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// One at a time.
    #[error("another import is running; wait for its end and try again")]
    Busy,
    /// No such run.
    #[error("there is no such import run")]
    NotFound,
    /// The upload.
    #[error("{0}")]
    Upload(&'static str),
    /// The request id was used for another upload.
    #[error("request_id was used before for another upload; choose a new one")]
    Reused,
    /// The temporary file.
    #[error("the upload cannot be kept on this machine")]
    Disk(#[from] std::io::Error),
    /// The reader ended without an answer.
    #[error("the reader of the package ended early")]
    Reader,
    /// Fields.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// Access.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for ImportError {
    fn kind(&self) -> Kind {
        match self {
            Self::Busy => Kind::WrongState,
            Self::NotFound => Kind::NotFound,
            Self::Upload(_) | Self::Reused => Kind::InvalidInput,
            Self::Disk(_) | Self::Reader => Kind::Internal,
            Self::Invalid(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Busy => "IMPORT_RUNNING",
            Self::NotFound => "IMPORT_RUN_NOT_FOUND",
            Self::Upload(_) => "UPLOAD_INVALID",
            Self::Reused => "REQUEST_ID_REUSED",
            Self::Disk(_) | Self::Reader => "INTERNAL",
            Self::Invalid(error) => error.reason(),
            Self::Access(error) => error.reason(),
            Self::Database(error) => error.reason(),
        }
    }
    fn violations(&self) -> Vec<chassis_rpc::fault::Violation> {
        match self {
            Self::Invalid(error) => error.violations(),
            _ => Vec::new(),
        }
    }
}
