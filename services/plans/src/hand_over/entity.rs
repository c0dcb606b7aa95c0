//! A student who moves to another school, and how the hand-over moves (handbook S0-17).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

pub use crate::codes::TransitionState;
use crate::codes::coded;
use crate::error::PlanError;

coded! {
    /// What can be done with a hand-over.
    Move { Accept = "accept", Return = "return", Offer = "offer", Withdraw = "withdraw" }
}

/// What is handed over.
pub const KINDS: [&str; 4] = ["school", "grade", "into_district", "out_of_district"];
/// The checklist, in its order.
pub const STEPS: [&str; 6] = ["records_sent", "family_told", "family_met_new_school", "call_between_coordinators", "services_told", "first_day_adult_named"];

impl Move {
    /// Whether it is the receiving side's.
    pub fn is_receiving(self) -> bool {
        matches!(self, Self::Accept | Self::Return)
    }
}

impl TransitionState {
    /// The state after a move, or why it cannot be.
    pub fn after(self, by: Move) -> Result<Self, PlanError> {
        match (self, by) {
            (Self::Offered, Move::Accept) => Ok(Self::Accepted),
            (Self::Offered, Move::Return) => Ok(Self::Returned),
            (Self::Returned, Move::Offer) => Ok(Self::Offered),
            (Self::Offered | Self::Returned, Move::Withdraw) => Ok(Self::Withdrawn),
            _ => Err(PlanError::WrongState { what: "transition", state: self.as_str(), transition: by.as_str() }),
        }
    }
}

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Its id.
    pub transition_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// School that gives; none from outside the district.
    pub from_school_id: Option<Uuid>,
    /// School that receives; none out of the district.
    pub to_school_id: Option<Uuid>,
    /// One of [`KINDS`].
    pub kind: String,
    /// First day there.
    pub first_day_on: NaiveDate,
    /// State.
    pub state: TransitionState,
    /// What to know.
    pub note: String,
    /// What the receiving side answered.
    pub answer_note: String,
    /// Who offered it.
    pub offered_by: Uuid,
    /// Who accepted it.
    pub accepted_by: Option<Uuid>,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
    /// When it was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// For the next write.
    pub version: i64,
    /// Steps in their order, with the day on which each was done.
    pub checklist: Vec<(String, Option<NaiveDate>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_from_every_state_is_as_the_table_says() {
        use TransitionState as S;
        let allowed = [
            (S::Offered, Move::Accept, S::Accepted),
            (S::Offered, Move::Return, S::Returned),
            (S::Returned, Move::Offer, S::Offered),
            (S::Offered, Move::Withdraw, S::Withdrawn),
            (S::Returned, Move::Withdraw, S::Withdrawn),
        ];
        for from in S::ALL {
            for by in Move::ALL {
                let expected = allowed.iter().find(|(f, m, _)| f == from && m == by).map(|(_, _, to)| *to);
                assert_eq!(from.after(*by).ok(), expected, "{} {}", from.as_str(), by.as_str());
            }
        }
    }
}
