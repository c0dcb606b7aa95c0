//! Something that was given (handbook 5.6).

use chrono::NaiveDate;
use uuid::Uuid;

use crate::codes::{Sensitivity, coded};
use crate::need::entity::Need;

coded! {
    /// Who received it.
    Receiver { Student = "student", Family = "family", Household = "household" }
}

/// Tangible aid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aid {
    /// Its id.
    pub aid_id: Uuid,
    /// For whom.
    pub student_id: Uuid,
    /// School of the student when it was given.
    pub school_id: Uuid,
    /// Needs it answers.
    pub need_ids: Vec<Uuid>,
    /// Category of service.
    pub service_category: String,
    /// What.
    pub item: String,
    /// How many.
    pub quantity: i32,
    /// Value in cents, where known.
    pub value_cents: Option<i64>,
    /// When.
    pub given_on: NaiveDate,
    /// Who received it.
    pub received_by: Receiver,
}

/// Who may see aid: never more than may see its needs, whatever they were when it was given.
pub fn sensitivity<'n>(needs: impl Iterator<Item = &'n Need>) -> Sensitivity {
    needs.map(|n| n.sensitivity).max().unwrap_or(Sensitivity::General)
}
