//! What can go wrong with plans, needs, items, enrolments and deliveries. One list: a use case crosses them.

use chassis_access::AccessError;
use chassis_pg::DbError;
use chassis_pg::idempotency::ClaimError;
use chassis_rpc::fault::Violation;
use chassis_rpc::{Fault, InvalidInput, Kind};

/// Why a call on plans fails.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The student has no plan.
    #[error("this student has no plan for that school year; a plan appears when a class review of the student is completed")]
    NoPlan,
    /// The state does not allow it.
    #[error("`{transition}` is not possible while the {what} is {state}")]
    WrongState {
        /// What it is about.
        what: &'static str,
        /// Its state.
        state: &'static str,
        /// What was tried.
        transition: &'static str,
    },
    /// The family has not answered as the plan needs it.
    #[error("{0}")]
    FamilyAnswer(&'static str),
    /// The state follows from elsewhere.
    #[error("the state of this item follows from its enrolment or referral; move that instead")]
    Derived,
    /// Something that it depends on is not in place.
    #[error("it waits for items of the plan that are not in place yet ({}); arrange them first, or give override_reason to an enrolment", listed(.0))]
    Waits(Vec<uuid::Uuid>),
    /// Every place of the group is taken.
    #[error("every place of this group is taken; waitlist the student, or give the group more places")]
    GroupFull,
    /// A delivery that another one has taken the place of.
    #[error("this delivery was corrected before; correct the one that took its place")]
    Superseded,
    /// The owner of a follow-up was reminded within the week.
    #[error("the owner was reminded less than a week ago; the next reminder is possible from {}", next.with_timezone(&chassis_clock::zone()).format("%A %-d %B %Y, %H:%M"))]
    NudgedLately {
        /// From when it is possible again.
        next: chrono::DateTime<chrono::Utc>,
    },
    /// A student is handed over once at a time.
    #[error("this student is being handed over already; that transition is answered or withdrawn first")]
    InTransition,
    /// The id is taken.
    #[error("this {0} is there already; choose another id")]
    Exists(&'static str),
    /// Somebody else was faster.
    #[error("somebody changed this meanwhile; read it again")]
    Stale,
    /// The request is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The request id.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl PlanError {
    /// Of something that is not there, or not for this caller: the same words for both.
    pub fn unknown(action: &str) -> Self {
        Self::Access(AccessError::Denied { action: action.to_owned() })
    }

    /// A refusal for one field.
    pub fn field(field: &str, description: impl Into<String>) -> Self {
        Self::Invalid(InvalidInput::one(field, description))
    }
}

fn listed(ids: &[uuid::Uuid]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<sqlx::Error> for PlanError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for PlanError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoPlan => Kind::NotFound,
            Self::WrongState { .. }
            | Self::FamilyAnswer(_)
            | Self::NudgedLately { .. }
            | Self::InTransition
            | Self::Derived
            | Self::Waits(_)
            | Self::GroupFull
            | Self::Superseded => Kind::WrongState,
            Self::Exists(_) => Kind::AlreadyExists,
            Self::Stale => Kind::Conflict,
            Self::Invalid(error) => error.kind(),
            Self::Claim(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Database(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NoPlan => "PLAN_NOT_FOUND",
            Self::WrongState { .. } => "WRONG_STATE",
            Self::FamilyAnswer(_) => "FAMILY_ANSWER_MISSING",
            Self::Derived => "STATE_DERIVED",
            Self::NudgedLately { .. } => "NUDGED_LATELY",
            Self::InTransition => "IN_TRANSITION",
            Self::Waits(_) => "DEPENDENCY_NOT_IN_PLACE",
            Self::GroupFull => "GROUP_FULL",
            Self::Superseded => "DELIVERY_SUPERSEDED",
            Self::Exists(_) => "ALREADY_EXISTS",
            Self::Stale => "ETAG_MISMATCH",
            Self::Invalid(error) => error.reason(),
            Self::Claim(error) => error.reason(),
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

    fn preconditions(&self) -> Vec<Violation> {
        match self {
            Self::WrongState { what, .. } => vec![Violation { field: (*what).to_owned(), description: self.to_string() }],
            Self::FamilyAnswer(_) => vec![Violation { field: "family_response".to_owned(), description: self.to_string() }],
            Self::NudgedLately { .. } => vec![Violation { field: "follow-up".to_owned(), description: self.to_string() }],
            Self::InTransition => vec![Violation { field: "transition".to_owned(), description: self.to_string() }],
            Self::Derived => vec![Violation { field: "plan item".to_owned(), description: self.to_string() }],
            Self::Waits(items) => {
                items.iter().map(|id| Violation { field: format!("plan item {id}"), description: "is not in place yet".to_owned() }).collect()
            }
            Self::GroupFull => vec![Violation { field: "group".to_owned(), description: self.to_string() }],
            Self::Superseded => vec![Violation { field: "delivery".to_owned(), description: self.to_string() }],
            _ => Vec::new(),
        }
    }
}
