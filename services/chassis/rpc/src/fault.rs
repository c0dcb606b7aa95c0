//! The closed list of error kinds and its one mapping to `google.rpc.Status`.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What kind of failure a caller is told of. Closed: a new kind needs a reason and a line in `docs/API-DESIGN.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is wrong by itself; repeating it does not help.
    InvalidInput,
    /// Nobody we know is calling.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// It is not there, or not for this caller.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// It is there, but not in a state that allows this.
    WrongState,
    /// Somebody else was faster; read again.
    Conflict,
    /// A limit is reached.
    Exhausted,
    /// Something we need is away; try again.
    Unavailable,
    /// Our fault. The text stays in our log.
    Internal,
}

impl Kind {
    /// The gRPC code of this kind.
    pub fn code(self) -> Code {
        match self {
            Self::InvalidInput => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::NotFound => Code::NotFound,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::WrongState => Code::FailedPrecondition,
            Self::Conflict => Code::Aborted,
            Self::Exhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::Internal => Code::Internal,
        }
    }

    /// Label for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::WrongState => "wrong_state",
            Self::Conflict => "conflict",
            Self::Exhausted => "exhausted",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// One thing that is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, e.g. `entry.severity`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub description: String,
}

/// An error that a client may hear of. `Display` is what the client reads, so it holds no personal data and no
/// internals; for [`Kind::Internal`] and [`Kind::Unavailable`] it is only logged.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// The kind.
    fn kind(&self) -> Kind;
    /// Stable UPPER_SNAKE reason, documented in `docs/API-DESIGN.md`.
    fn reason(&self) -> &'static str;
    /// Fields that are wrong.
    fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }
    /// Preconditions that failed: what, and how to mend it.
    fn preconditions(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// Domain of every `ErrorInfo`.
pub const ERROR_DOMAIN: &str = "wraparound";

/// Turns a fault into the status that goes over the wire. Internal text is logged here, once, and not sent.
pub fn status<F: Fault>(fault: F) -> Status {
    let kind = fault.kind();
    let message = match kind {
        Kind::Internal => {
            tracing::error!(reason = fault.reason(), error = &fault as &dyn std::error::Error, "request failed");
            "internal error".to_owned()
        }
        Kind::Unavailable => {
            tracing::warn!(reason = fault.reason(), error = &fault as &dyn std::error::Error, "request cannot be served now");
            "temporarily unavailable, try again".to_owned()
        }
        _ => fault.to_string(),
    };
    let mut details = ErrorDetails::new();
    details.set_error_info(fault.reason(), ERROR_DOMAIN, std::collections::HashMap::new());
    for violation in fault.violations() {
        details.add_bad_request_violation(violation.field, violation.description);
    }
    for precondition in fault.preconditions() {
        details.add_precondition_failure_violation(fault.reason(), precondition.field, precondition.description);
    }
    if matches!(kind, Kind::Unavailable | Kind::Exhausted) {
        details.set_retry_info(Some(Duration::from_secs(1)));
    }
    Status::with_error_details(kind.code(), message, details)
}

/// The stable reason of a status that came from one of our services.
pub fn reason_of(status: &Status) -> Option<String> {
    status.get_error_details().error_info().map(|info| info.reason.clone())
}

/// Lets `?` turn any fault into a status in `grpc.rs`.
pub trait OrStatus<T> {
    /// Maps the error with [`status`].
    fn or_status(self) -> Result<T, Status>;
}

impl<T, F: Fault> OrStatus<T> for Result<T, F> {
    fn or_status(self) -> Result<T, Status> {
        self.map_err(status)
    }
}
