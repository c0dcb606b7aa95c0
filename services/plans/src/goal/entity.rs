//! A goal and its life (handbook 5.5).

use chassis_access::Clearance;
use chrono::NaiveDate;
use uuid::Uuid;

use crate::codes::coded;
pub use crate::codes::{Domain, GoalMeasure, GoalState, Sensitivity};
use crate::error::PlanError;
use crate::need::entity::Need;

coded! {
    /// What can be done with a goal.
    GoalTransition {
        Meet = "meet",
        PartlyMeet = "partly_meet",
        Miss = "miss",
        Drop = "drop",
        Reopen = "reopen",
    }
}

impl GoalState {
    /// The state after a transition, or why it cannot be.
    pub fn transition(self, transition: GoalTransition) -> Result<Self, PlanError> {
        use GoalTransition as T;
        match (self, transition) {
            (Self::Open, T::Meet) => Ok(Self::Met),
            (Self::Open, T::PartlyMeet) => Ok(Self::PartlyMet),
            (Self::Open, T::Miss) => Ok(Self::NotMet),
            (Self::Open, T::Drop) => Ok(Self::Dropped),
            (Self::Met | Self::PartlyMet | Self::NotMet | Self::Dropped, T::Reopen) => Ok(Self::Open),
            _ => Err(PlanError::WrongState { what: "goal", state: self.as_str(), transition: transition.as_str() }),
        }
    }
}

/// How far a goal is on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Its id.
    pub progress_id: Uuid,
    /// When.
    pub observed_on: NaiveDate,
    /// On the goal's scale.
    pub value: f64,
    /// In words.
    pub note: String,
    /// Who saw it.
    pub recorded_by: Uuid,
}

/// A goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Its id.
    pub goal_id: Uuid,
    /// Plan.
    pub plan_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// School of the plan.
    pub school_id: Uuid,
    /// School year of the plan.
    pub school_year: i32,
    /// Needs it is about.
    pub need_ids: Vec<Uuid>,
    /// Part of the child's life.
    pub domain: Domain,
    /// In words.
    pub description: String,
    /// What it is measured by.
    pub measure: GoalMeasure,
    /// Where the student starts.
    pub baseline: f64,
    /// Where the student is to be.
    pub target: f64,
    /// Points of the scale 0 to 4, else plain numbers.
    pub on_scale: bool,
    /// Unit of plain numbers.
    pub unit: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Day by which.
    pub target_on: NaiveDate,
    /// State.
    pub state: GoalState,
    /// Never below its needs'.
    pub sensitivity: Sensitivity,
    /// For the next write.
    pub version: i64,
    /// Oldest first.
    pub progress: Vec<Progress>,
}

impl Goal {
    /// Whether a caller who sees these needs may see it: only with all that it is about.
    pub fn visible(&self, seen: &[Need], clearance: &Clearance) -> bool {
        (self.sensitivity != Sensitivity::Protected || clearance.protected()) && self.need_ids.iter().all(|id| seen.iter().any(|n| n.need_id == *id))
    }

    /// Whether a number fits the goal.
    pub fn fits(&self, value: f64) -> bool {
        value.is_finite() && if self.on_scale { (0.0..=4.0).contains(&value) } else { value.abs() <= 1_000_000.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_from_every_state_is_as_the_table_says() {
        use GoalState as S;
        use GoalTransition as T;
        let mut allowed =
            vec![(S::Open, T::Meet, S::Met), (S::Open, T::PartlyMeet, S::PartlyMet), (S::Open, T::Miss, S::NotMet), (S::Open, T::Drop, S::Dropped)];
        allowed.extend([S::Met, S::PartlyMet, S::NotMet, S::Dropped].map(|from| (from, T::Reopen, S::Open)));
        for from in S::ALL {
            for transition in T::ALL {
                let expected = allowed.iter().find(|(f, t, _)| f == from && t == transition).map(|(_, _, to)| *to);
                assert_eq!(from.transition(*transition).ok(), expected, "{} {}", from.as_str(), transition.as_str());
            }
        }
    }
}
