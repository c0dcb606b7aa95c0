//! A plan and its life (handbook 5.5).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::codes::coded;
pub use crate::codes::{FamilyResponse, PlanState, Tier};
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

/// Whether a plan may come into force: one with little support once the family was shown it, one with more once they agreed. A
/// plan of more support that they never answered may begin with what stays inside the school.
pub fn may_begin(tier: Option<Tier>, response: Option<FamilyResponse>, leaves_school: bool) -> Result<(), PlanError> {
    use FamilyResponse as R;
    let light = matches!(tier, None | Some(Tier::Tier1 | Tier::Tier2a));
    match response {
        Some(R::Agreed | R::AgreedInPart) => Ok(()),
        Some(R::Shared) if light => Ok(()),
        Some(R::NoReply) if light || !leaves_school => Ok(()),
        None => Err(PlanError::FamilyAnswer("the plan was not shared with the family yet; record their answer first")),
        Some(R::Shared) => Err(PlanError::FamilyAnswer("a plan of tier 2b or 3 begins once the family has agreed; record their answer first")),
        Some(R::NoReply) => {
            Err(PlanError::FamilyAnswer("the family has not answered and an item leaves the school; withdraw that item, or ask the family again"))
        }
        Some(R::AskedChanges) => Err(PlanError::FamilyAnswer("the family asked for changes; make them and record their new answer")),
        Some(R::Declined) => Err(PlanError::FamilyAnswer("the family said no; close the plan, or record a new answer")),
    }
}

/// An adult whom the student can go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAdult {
    /// Roster id, where it is staff.
    pub staff_id: Option<Uuid>,
    /// Who it is, where it is not.
    pub relation: String,
    /// When and where.
    pub note: String,
}

/// What stands at the head of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Who leads it.
    pub lead_id: Option<Uuid>,
    /// Who contributes.
    pub contributor_ids: Vec<Uuid>,
    /// Adults whom the student can go to.
    pub trusted_adults: Vec<TrustedAdult>,
    /// The family's own words.
    pub family_words: String,
    /// Whose words.
    pub family_words_by: String,
    /// When to look at it next.
    pub next_look_on: Option<NaiveDate>,
    /// Languages in which the family takes part.
    pub languages: Vec<String>,
    /// What the family answered last.
    pub family_response: Option<FamilyResponse>,
    /// When.
    pub family_responded_on: Option<NaiveDate>,
    /// The plan of the year before.
    pub carried_from_plan_id: Option<Uuid>,
}

/// What the family answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyAnswer {
    /// The answer.
    pub response: FamilyResponse,
    /// When.
    pub answered_on: NaiveDate,
    /// How.
    pub channel: String,
    /// BCP 47.
    pub language: String,
    /// With an interpreter.
    pub interpreter: bool,
    /// Their words.
    pub words: String,
    /// Who heard it.
    pub recorded_by: Uuid,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
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
    fn a_plan_begins_with_the_answer_that_its_tier_needs() {
        use FamilyResponse as R;
        for tier in [None, Some(Tier::Tier1), Some(Tier::Tier2a), Some(Tier::Tier2b), Some(Tier::Tier3)] {
            let light = matches!(tier, None | Some(Tier::Tier1 | Tier::Tier2a));
            for (response, leaves, wanted) in [
                (None, false, false),
                (Some(R::Shared), true, light),
                (Some(R::Agreed), true, true),
                (Some(R::AgreedInPart), true, true),
                (Some(R::NoReply), false, true),
                (Some(R::NoReply), true, light),
                (Some(R::AskedChanges), false, false),
                (Some(R::Declined), false, false),
            ] {
                assert_eq!(may_begin(tier, response, leaves).is_ok(), wanted, "{tier:?} {response:?} {leaves}");
            }
        }
    }

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
