//! A need and what becomes of it (handbook 5.8).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

pub use crate::codes::{Certainty, Domain, NeedState, Sensitivity, UnmetReason};
use crate::error::PlanError;
use crate::need::unmet;

impl NeedState {
    /// Whether somebody settled it, so that its items no longer move it.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Open | Self::BeingAddressed)
    }

    /// The state after somebody's judgement, or why it cannot be. `being_addressed` follows from items and is never judged;
    /// what is no longer a need must be opened again first.
    pub fn judge(self, judgement: Self) -> Result<Self, PlanError> {
        let refused = PlanError::WrongState { what: "need", state: self.as_str(), transition: judgement.as_str() };
        match (self, judgement) {
            (_, Self::BeingAddressed) | (Self::Open, Self::Open) => Err(refused),
            (Self::NoLonger, other) if other != Self::Open => Err(refused),
            (held, same) if held == same => Err(refused),
            (_, next) => Ok(next),
        }
    }
}

/// A need of a plan. Its id is the id of the review's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its id.
    pub need_id: Uuid,
    /// The plan it belongs to.
    pub plan_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// School of the plan.
    pub school_id: Uuid,
    /// School year of the plan.
    pub school_year: i32,
    /// Code.
    pub code: String,
    /// Domain.
    pub domain: Domain,
    /// 1 to 3.
    pub severity: i16,
    /// How sure.
    pub certainty: Certainty,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// State.
    pub state: NeedState,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What its items come to.
    pub has_item_in_place: bool,
    /// Whether it has items and all ended without happening.
    pub all_items_ended: bool,
    /// From the last item.
    pub last_reason: UnmetReason,
    /// For the next write.
    pub version: i64,
}

impl Need {
    /// Why it is unmet on a day; none where it is not.
    pub fn unmet(&self, as_of: NaiveDate, after_school_days: i32) -> Option<UnmetReason> {
        unmet::reason(
            unmet::Facts {
                state: self.state,
                has_item_in_place: self.has_item_in_place,
                all_items_ended: self.all_items_ended,
                last_reason: self.last_reason,
                recorded_on: chassis_clock::day_of(self.recorded_at),
            },
            as_of,
            after_school_days,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_judgement_of_every_state_is_as_the_table_says() {
        use NeedState as S;
        for from in S::ALL {
            for to in S::ALL {
                let allowed = match (from, to) {
                    (_, S::BeingAddressed) => false,
                    (S::NoLonger, to) => *to == S::Open,
                    (from, to) => from != to,
                };
                assert_eq!(from.judge(*to).is_ok(), allowed, "{} to {}", from.as_str(), to.as_str());
            }
        }
    }
}
