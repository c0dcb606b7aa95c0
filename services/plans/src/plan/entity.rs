//! A plan and its life (handbook 5.5).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::codes::coded;
pub use crate::codes::{PlanState, Tier};
use crate::error::PlanError;

coded! {
    /// What can be done with a plan.
    PlanTransition {
        Propose = "propose",
        Activate = "activate",
        Revise = "revise",
        Pause = "pause",
        Resume = "resume",
        Close = "close",
    }
}

coded! {
    /// Why a plan is closed.
    CloseReason {
        YearEnd = "year_end",
        MovedSchool = "moved_school",
        LeftDistrict = "left_district",
        Graduated = "graduated",
        FamilyWithdrew = "family_withdrew",
    }
}

impl PlanState {
    /// The state after a transition, or why it cannot be.
    pub fn transition(self, transition: PlanTransition) -> Result<Self, PlanError> {
        use PlanTransition as T;
        match (self, transition) {
            (Self::Draft, T::Propose) => Ok(Self::Proposed),
            (Self::Proposed | Self::UnderRevision, T::Activate) | (Self::Paused, T::Resume) => Ok(Self::Active),
            (Self::Active, T::Revise) => Ok(Self::UnderRevision),
            (Self::Active | Self::UnderRevision, T::Pause) => Ok(Self::Paused),
            (Self::Draft | Self::Proposed | Self::Active | Self::UnderRevision | Self::Paused, T::Close) => Ok(Self::Closed),
            _ => Err(PlanError::WrongState { what: "plan", state: self.as_str(), transition: transition.as_str() }),
        }
    }
}

/// A plan: one a student and school year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub plan_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// Where the student was reviewed last.
    pub school_id: Uuid,
    /// Year in which the school year ends.
    pub school_year: i32,
    /// State.
    pub state: PlanState,
    /// Tier when it was made.
    pub tier: Option<Tier>,
    /// Strengths to build on.
    pub strength_codes: Vec<String>,
    /// Interests.
    pub interest_codes: Vec<String>,
    /// Why it was closed; empty while open.
    pub close_reason: String,
    /// For the next write.
    pub version: i64,
    /// When the draft appeared.
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_from_every_state_is_as_the_table_says() {
        use PlanState as S;
        use PlanTransition as T;
        let allowed = [
            (S::Draft, T::Propose, S::Proposed),
            (S::Proposed, T::Activate, S::Active),
            (S::Active, T::Revise, S::UnderRevision),
            (S::UnderRevision, T::Activate, S::Active),
            (S::Active, T::Pause, S::Paused),
            (S::UnderRevision, T::Pause, S::Paused),
            (S::Paused, T::Resume, S::Active),
            (S::Draft, T::Close, S::Closed),
            (S::Proposed, T::Close, S::Closed),
            (S::Active, T::Close, S::Closed),
            (S::UnderRevision, T::Close, S::Closed),
            (S::Paused, T::Close, S::Closed),
        ];
        for from in S::ALL {
            for transition in T::ALL {
                let expected = allowed.iter().find(|(f, t, _)| f == from && t == transition).map(|(_, _, to)| *to);
                assert_eq!(from.transition(*transition).ok(), expected, "{} {}", from.as_str(), transition.as_str());
            }
        }
    }
}
