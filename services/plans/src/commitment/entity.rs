//! What one side promises the other.

use chrono::NaiveDate;
use uuid::Uuid;

pub use crate::codes::OwnerKind;

/// What may become of a promise.
pub const STATES: [&str; 4] = ["open", "kept", "changed", "dropped"];

/// A promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Its id.
    pub commitment_id: Uuid,
    /// Plan.
    pub plan_id: Uuid,
    /// Who promises.
    pub promised_by: OwnerKind,
    /// Who of the staff.
    pub staff_id: Option<Uuid>,
    /// What.
    pub promise: String,
    /// By when.
    pub due_on: Option<NaiveDate>,
    /// One of [`STATES`].
    pub state: String,
    /// For the next write.
    pub version: i64,
}
