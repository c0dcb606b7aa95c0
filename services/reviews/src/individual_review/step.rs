//! What may be done to an individual review, and why it may be refused.

use chrono::NaiveDate;
use uuid::Uuid;

use super::entity::{Decision, Finding, Invitation, MOST_DECISIONS, Member, Outcome};
use crate::words::{FamilyVoice, IndividualReviewState};

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is not needed.
    Decline {
        /// Why.
        reason: String,
        /// A second person who agrees.
        seconded_by: Uuid,
        /// Who declines.
        by: Uuid,
    },
    /// Names lead and team.
    Prepare {
        /// Case lead.
        lead_id: Uuid,
        /// Team.
        team: Vec<Member>,
    },
    /// Sets the date; again, another one.
    Schedule {
        /// Day of the meeting.
        meets_on: NaiveDate,
        /// Invitation, or why there is none.
        invitation: Invitation,
    },
    /// The meeting was held.
    Hold {
        /// Who of the team was there.
        attended: Vec<Uuid>,
        /// How the family took part.
        family_voice: FamilyVoice,
        /// What the family said.
        family_words: String,
    },
    /// Decided.
    Decide {
        /// By domain.
        findings: Vec<Finding>,
        /// Decisions.
        decisions: Vec<Decision>,
        /// When to look again.
        review_on: NaiveDate,
        /// What the family prefers; what it said before stays where empty.
        family_words: String,
        /// Who of the team agrees.
        agreed: Vec<Uuid>,
    },
    /// Looked at again.
    Review {
        /// How decisions went.
        outcomes: Vec<Outcome>,
        /// How it ended, to close it.
        close: Option<String>,
    },
    /// Put aside.
    Suspend {
        /// Why.
        reason: String,
        /// When to look again.
        look_again_on: NaiveDate,
    },
    /// Goes on where it was.
    Resume,
}

impl Step {
    /// What the caller wanted, in words.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Decline { .. } => "declined",
            Self::Prepare { .. } => "prepared",
            Self::Schedule { .. } => "scheduled",
            Self::Hold { .. } => "held",
            Self::Decide { .. } => "decided",
            Self::Review { close: None, .. } => "reviewed",
            Self::Review { close: Some(_), .. } => "closed",
            Self::Suspend { .. } => "suspended",
            Self::Resume => "resumed",
        }
    }
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongStep {
    /// The state does not allow it.
    #[error("an individual review that is {} cannot be {verb}", state.word())]
    State {
        /// Present state.
        state: IndividualReviewState,
        /// What was wanted.
        verb: &'static str,
    },
    /// A reason is needed.
    #[error("give the reason")]
    NoReason,
    /// Nobody else agreed.
    #[error("that a review is not needed takes a second person who agrees; name one other than yourself in seconded_by")]
    NoSecond,
    /// The team is too narrow.
    #[error("the team needs at least two roles besides the teacher")]
    TooFewRoles,
    /// The lead is not in the team.
    #[error("the case lead must be in the team")]
    LeadNotInTeam,
    /// Somebody who is not in the team.
    #[error("a named staff member is not in the team; PrepareIndividualReview changes it before the meeting")]
    NotInTeam,
    /// Neither invited nor a reason why not, or both.
    #[error("keep either the family's invitation with its channel, or the reason why there is none")]
    NoInvitation,
    /// An empty room.
    #[error("name at least one team member who was there")]
    NobodyThere,
    /// Findings or decisions are missing.
    #[error("deciding takes at least one finding and at least one decision")]
    NothingDecided,
    /// Too many.
    #[error("an individual review has at most {MOST_DECISIONS} decisions; close this one and open another")]
    TooManyDecisions,
    /// An outcome of something else.
    #[error("an outcome names a decision that is not of this review")]
    NoDecision,
    /// Not every decision has an outcome.
    #[error("give an outcome for every decision before it is closed")]
    OutcomesMissing,
}

impl WrongStep {
    /// The field that is wrong; none where the time for the step has not come.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::State { .. } | Self::OutcomesMissing | Self::TooManyDecisions => None,
            Self::NoReason => Some("reason"),
            Self::NoSecond => Some("seconded_by"),
            Self::TooFewRoles => Some("team"),
            Self::LeadNotInTeam => Some("lead_id"),
            Self::NotInTeam => Some("staff_ids"),
            Self::NoInvitation => Some("invitation"),
            Self::NobodyThere => Some("attended_staff_ids"),
            Self::NothingDecided => Some("decisions"),
            Self::NoDecision => Some("outcomes"),
        }
    }
}
