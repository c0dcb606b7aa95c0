//! The words of a referral: states, modes, sides, transitions, outcomes.

use proto::partners::v1 as pb;

/// Where a referral stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the contract documents each state")]
pub enum State {
    Draft,
    Sent,
    Received,
    NeedsFamilyAction,
    Waitlisted,
    Accepted,
    Declined,
    UnableToContact,
    Started,
    Attending,
    Paused,
    Completed,
    StoppedEarly,
    Withdrawn,
    Closed,
    Void,
}

impl State {
    /// Every state, in the contract's order.
    pub const ALL: [Self; 16] = [
        Self::Draft,
        Self::Sent,
        Self::Received,
        Self::NeedsFamilyAction,
        Self::Waitlisted,
        Self::Accepted,
        Self::Declined,
        Self::UnableToContact,
        Self::Started,
        Self::Attending,
        Self::Paused,
        Self::Completed,
        Self::StoppedEarly,
        Self::Withdrawn,
        Self::Closed,
        Self::Void,
    ];

    /// As tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::NeedsFamilyAction => "needs_family_action",
            Self::Waitlisted => "waitlisted",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::UnableToContact => "unable_to_contact",
            Self::Started => "started",
            Self::Attending => "attending",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::StoppedEarly => "stopped_early",
            Self::Withdrawn => "withdrawn",
            Self::Closed => "closed",
            Self::Void => "void",
        }
    }

    /// From a table.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// As the contract numbers it.
    pub fn proto(self) -> pb::ReferralState {
        // The contract's names are ours in capitals behind a prefix; a test sees to it.
        pb::ReferralState::from_str_name(&format!("REFERRAL_STATE_{}", self.as_str().to_uppercase())).unwrap_or_default()
    }

    /// From the contract.
    pub fn from_proto(state: pb::ReferralState) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.proto() == state)
    }

    /// With the partner, and not ended.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::Sent | Self::Received | Self::NeedsFamilyAction | Self::Waitlisted | Self::Accepted | Self::Started | Self::Attending | Self::Paused
        )
    }

    /// Ended, and the requester has not said what came of it.
    pub fn awaits_judgement(self) -> bool {
        matches!(self, Self::Completed | Self::StoppedEarly | Self::Declined | Self::UnableToContact | Self::Withdrawn)
    }

    /// Nothing can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Void)
    }

    /// One of the service's places is taken.
    pub fn holds_place(self) -> bool {
        matches!(self, Self::Accepted | Self::Started | Self::Attending | Self::Paused)
    }
}

/// How much is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The partner receives the shared scopes and answers here.
    Normal,
    /// Nothing is shared; only those on the case see the referral.
    Protected,
    /// The family goes by itself; nothing is shared.
    InformationOnly,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Protected, Self::InformationOnly];

    /// As tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Protected => "protected",
            Self::InformationOnly => "information_only",
        }
    }

    /// From a table.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == text)
    }

    /// As the contract numbers it.
    pub fn proto(self) -> pb::ReferralMode {
        match self {
            Self::Normal => pb::ReferralMode::Normal,
            Self::Protected => pb::ReferralMode::Protected,
            Self::InformationOnly => pb::ReferralMode::InformationOnly,
        }
    }

    /// From the contract; not given is normal.
    pub fn from_proto(mode: pb::ReferralMode) -> Self {
        match mode {
            pb::ReferralMode::Protected => Self::Protected,
            pb::ReferralMode::InformationOnly => Self::InformationOnly,
            _ => Self::Normal,
        }
    }
}

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Routine.
    Routine,
    /// Soon.
    Soon,
    /// The same day.
    UrgentSameDay,
}

impl Urgency {
    /// As tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Soon => "soon",
            Self::UrgentSameDay => "urgent_same_day",
        }
    }

    /// From a table.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Routine, Self::Soon, Self::UrgentSameDay].into_iter().find(|u| u.as_str() == text)
    }

    /// As the contract numbers it.
    pub fn proto(self) -> pb::Urgency {
        match self {
            Self::Routine => pb::Urgency::Routine,
            Self::Soon => pb::Urgency::Soon,
            Self::UrgentSameDay => pb::Urgency::UrgentSameDay,
        }
    }

    /// From the contract; not given is routine.
    pub fn from_proto(urgency: pb::Urgency) -> Self {
        match urgency {
            pb::Urgency::Soon => Self::Soon,
            pb::Urgency::UrgentSameDay => Self::UrgentSameDay,
            _ => Self::Routine,
        }
    }

    /// Weekdays within which the partner answers.
    pub fn answer_days(self) -> u32 {
        if self == Self::UrgentSameDay { 1 } else { 5 }
    }
}

/// Who moves a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The school.
    Requester,
    /// The organisation it is addressed to.
    Partner,
    /// A rule, such as a consent that was taken back.
    System,
}

impl Side {
    /// Every side.
    pub const ALL: [Self; 3] = [Self::Requester, Self::Partner, Self::System];

    /// As tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Partner => "partner",
            Self::System => "system",
        }
    }
}

/// A way from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table in transition.rs says what each does")]
pub enum Transition {
    Send,
    Open,
    NeedInfo,
    InfoGiven,
    Waitlist,
    Seat,
    Accept,
    Decline,
    Unable,
    Start,
    Attend,
    Pause,
    Resume,
    Complete,
    Stop,
    Withdraw,
    Lapse,
    Judge,
    Void,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 19] = [
        Self::Send,
        Self::Open,
        Self::NeedInfo,
        Self::InfoGiven,
        Self::Waitlist,
        Self::Seat,
        Self::Accept,
        Self::Decline,
        Self::Unable,
        Self::Start,
        Self::Attend,
        Self::Pause,
        Self::Resume,
        Self::Complete,
        Self::Stop,
        Self::Withdraw,
        Self::Lapse,
        Self::Judge,
        Self::Void,
    ];

    /// As the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Open => "open",
            Self::NeedInfo => "need_info",
            Self::InfoGiven => "info_given",
            Self::Waitlist => "waitlist",
            Self::Seat => "seat",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Unable => "unable",
            Self::Start => "start",
            Self::Attend => "attend",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Complete => "complete",
            Self::Stop => "stop",
            Self::Withdraw => "withdraw",
            Self::Lapse => "lapse",
            Self::Judge => "judge",
            Self::Void => "void",
        }
    }

    /// From the contract.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == text)
    }
}

/// What came of a referral, as tables write it; empty before it was judged.
pub fn outcome_text(outcome: pb::Outcome) -> &'static str {
    match outcome {
        pb::Outcome::Unspecified => "",
        pb::Outcome::NeedMet => "need_met",
        pb::Outcome::NeedPartlyMet => "need_partly_met",
        pb::Outcome::NeedNotMet => "need_not_met",
        pb::Outcome::Unknown => "unknown",
    }
}

/// From a table.
pub fn outcome_read(text: &str) -> Option<pb::Outcome> {
    use pb::Outcome::{NeedMet, NeedNotMet, NeedPartlyMet, Unknown, Unspecified};
    [Unspecified, NeedMet, NeedPartlyMet, NeedNotMet, Unknown].into_iter().find(|o| outcome_text(*o) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_number_in_the_contract() {
        for state in State::ALL {
            assert_ne!(state.proto(), pb::ReferralState::Unspecified, "{state:?}");
            assert_eq!(State::read(state.as_str()), Some(state));
            assert_eq!(State::from_proto(state.proto()), Some(state));
            // Each state but the draft is in exactly one of the three published sets.
            let sets = [state.is_open(), state.awaits_judgement(), state.is_final()].into_iter().filter(|s| *s).count();
            assert_eq!(sets, usize::from(state != State::Draft), "{state:?}");
        }
    }
}
