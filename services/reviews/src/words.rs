//! The closed lists of the contract as the tables write them: one enum each, with its word and its protobuf value.

use chassis_access::Sensitivity;
use chassis_access::decide::DOMAINS;
use chassis_pg::DbError;
use proto::r#type::v1 as wire;

use crate::taxonomy::{self, Domain};
use crate::tier::rule::{Certainty, Tier};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $proto:ty { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// As tables write it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads what [`Self::word`] writes.
            pub fn read(word: &str) -> Result<Self, DbError> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(DbError::Inconsistent { table: "reviews", what: concat!("an unknown ", stringify!($name)) }),
                }
            }

            /// As the contract says it.
            pub fn wire(self) -> i32 {
                match self { $(Self::$variant => <$proto>::$variant as i32,)+ }
            }

            /// From the contract; none where unspecified or unknown.
            pub fn from_wire(value: i32) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.wire() == value)
            }
        }
    )+};
}

words! {
    /// Season of a cycle.
    Season = proto::reviews::v1::Season {
        /// Fall review.
        Fall = "fall",
        /// Spring re-tiering.
        Spring = "spring",
        /// Any other.
        Custom = "custom",
    }
    /// State of a class review.
    ClassReviewState = proto::reviews::v1::ClassReviewState {
        /// Planned.
        Scheduled = "scheduled",
        /// Under way.
        InProgress = "in_progress",
        /// Put aside.
        Paused = "paused",
        /// Handed in.
        AwaitingSignoff = "awaiting_signoff",
        /// Signed by both.
        Complete = "complete",
        /// Called off.
        Cancelled = "cancelled",
    }
    /// State of one student's review.
    StudentReviewState = proto::reviews::v1::StudentReviewState {
        /// Nothing written yet.
        Pending = "pending",
        /// Begun.
        InProgress = "in_progress",
        /// Done.
        Reviewed = "reviewed",
        /// Not reviewed, with a reason.
        NotReviewed = "not_reviewed",
        /// The student left the class.
        Left = "left",
        /// Done, and changed afterwards.
        Amended = "amended",
    }
    /// What an entry is.
    Polarity = proto::reviews::v1::Polarity {
        /// A strength.
        Strength = "strength",
        /// A need.
        Need = "need",
        /// An interest.
        Interest = "interest",
        /// Seen, and not yet a need.
        Observation = "observation",
    }
    /// Where an entry came from, if from another.
    Origin = proto::reviews::v1::EntryOrigin {
        /// Confirmed from an earlier review.
        Carried = "carried",
        /// A need that had another code.
        Reclassified = "reclassified",
        /// A need that was an observation.
        Promoted = "promoted",
    }
    /// Answers to an entry of an earlier review.
    PriorAnswer = proto::reviews::v1::PriorAnswer {
        /// As it was.
        StillTrue = "still_true",
        /// In another way.
        Changed = "changed",
        /// Not any more.
        NoLonger = "no_longer",
    }
    /// Who said so.
    Source = proto::reviews::v1::EntrySource {
        /// Teacher.
        Teacher = "teacher",
        /// Coordinator.
        Coordinator = "coordinator",
        /// Family.
        Family = "family",
        /// The student.
        Student = "student",
        /// Nurse.
        Nurse = "nurse",
        /// Counsellor.
        Counsellor = "counsellor",
        /// A record.
        Record = "record",
        /// A partner.
        Partner = "partner",
    }
    /// How soon a concern wants an answer.
    Urgency = proto::reviews::v1::ConcernUrgency {
        /// Within three school days.
        Routine = "routine",
        /// On the same school day.
        Urgent = "urgent",
    }
    /// State of a concern.
    ConcernState = proto::reviews::v1::ConcernState {
        /// Waits for an answer.
        Raised = "raised",
        /// Answered.
        Triaged = "triaged",
        /// Ended.
        Closed = "closed",
    }
    /// What triage decided.
    Triage = proto::reviews::v1::TriageDecision {
        /// Keep an eye on it.
        Watch = "watch",
        /// Something is done at once.
        ActNow = "act_now",
        /// An individual review.
        IndividualReview = "individual_review",
        /// Not a concern.
        NotAConcern = "not_a_concern",
    }
    /// Who raised a concern.
    ConcernSource = proto::reviews::v1::ConcernSource {
        /// Staff.
        Staff = "staff",
        /// The family.
        Family = "family",
        /// The student.
        Student = "student",
    }
    /// State of an individual review.
    IndividualReviewState = proto::reviews::v1::IndividualReviewState {
        /// Opened.
        Proposed = "proposed",
        /// Found not needed.
        NotNeeded = "not_needed",
        /// Lead and team are named.
        Preparing = "preparing",
        /// Has a date.
        Scheduled = "scheduled",
        /// The meeting was held.
        Held = "held",
        /// Decided.
        Decided = "decided",
        /// Being looked at again.
        UnderReview = "under_review",
        /// Ended.
        Closed = "closed",
        /// Put aside.
        OnHold = "on_hold",
    }
    /// Why an individual review was opened.
    Trigger = proto::reviews::v1::IndividualReviewTrigger {
        /// Tier 3.
        Tier3 = "tier_3",
        /// A code that calls for most support.
        FloorCode = "floor_code",
        /// A concern.
        Concern = "concern",
        /// The family asked.
        FamilyRequest = "family_request",
        /// The student came back.
        ReEntry = "re_entry",
        /// The plan does not move.
        StalledPlan = "stalled_plan",
    }
    /// How the family took part.
    FamilyVoice = proto::reviews::v1::FamilyVoice {
        /// Was there.
        Attended = "attended",
        /// Told us before or after.
        SentInput = "sent_input",
        /// Did not want to.
        Declined = "declined",
        /// Could not be reached.
        Unreachable = "unreachable",
    }
}

fn inconsistent(what: &'static str) -> DbError {
    DbError::Inconsistent { table: "reviews", what }
}

/// A domain as tables and policies write it.
pub fn domain_word(domain: Option<Domain>) -> &'static str {
    domain.and_then(|d| DOMAINS.get(d.index()).copied()).unwrap_or_default()
}

/// Reads what [`domain_word`] writes; empty is none.
pub fn read_domain(word: &str) -> Result<Option<Domain>, DbError> {
    if word.is_empty() {
        return Ok(None);
    }
    let domain = Domain::ALL.into_iter().find(|d| domain_word(Some(*d)) == word);
    domain.map(Some).ok_or_else(|| inconsistent("an unknown domain"))
}

/// A domain as the contract says it.
pub fn domain_wire(domain: Option<Domain>) -> i32 {
    let domain = match domain {
        None => wire::Domain::Unspecified,
        Some(Domain::Academics) => wire::Domain::Academics,
        Some(Domain::SocialEmotional) => wire::Domain::SocialEmotional,
        Some(Domain::Health) => wire::Domain::Health,
        Some(Domain::Family) => wire::Domain::Family,
    };
    domain.into()
}

/// A domain from the contract.
pub fn domain_from_wire(value: i32) -> Option<Domain> {
    Domain::ALL.into_iter().find(|d| domain_wire(Some(*d)) == value)
}

/// Reads a sensitivity.
pub fn read_sensitivity(word: &str) -> Result<Sensitivity, DbError> {
    [Sensitivity::General, Sensitivity::Restricted, Sensitivity::Protected]
        .into_iter()
        .find(|s| s.as_str() == word)
        .ok_or_else(|| inconsistent("an unknown sensitivity"))
}

/// A sensitivity as the contract says it.
pub fn sensitivity_wire(sensitivity: Sensitivity) -> i32 {
    match sensitivity {
        Sensitivity::General => wire::Sensitivity::General.into(),
        Sensitivity::Restricted => wire::Sensitivity::Restricted.into(),
        Sensitivity::Protected => wire::Sensitivity::Protected.into(),
    }
}

/// A sensitivity from the contract; general where unspecified.
pub fn sensitivity_from_wire(value: wire::Sensitivity) -> Sensitivity {
    match value {
        wire::Sensitivity::Unspecified | wire::Sensitivity::General => Sensitivity::General,
        wire::Sensitivity::Restricted => Sensitivity::Restricted,
        wire::Sensitivity::Protected => Sensitivity::Protected,
    }
}

/// The sensitivity that the code list gives a code.
pub fn sensitivity_of_code(sensitivity: taxonomy::Sensitivity) -> Sensitivity {
    match sensitivity {
        taxonomy::Sensitivity::General => Sensitivity::General,
        taxonomy::Sensitivity::Restricted => Sensitivity::Restricted,
        taxonomy::Sensitivity::Protected => Sensitivity::Protected,
    }
}

/// A certainty as tables write it.
pub fn certainty_word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Suspected => "suspected",
        Certainty::Observed => "observed",
        Certainty::Confirmed => "confirmed",
    }
}

/// Reads what [`certainty_word`] writes.
pub fn read_certainty(word: &str) -> Result<Certainty, DbError> {
    [Certainty::Suspected, Certainty::Observed, Certainty::Confirmed]
        .into_iter()
        .find(|c| certainty_word(*c) == word)
        .ok_or_else(|| inconsistent("an unknown certainty"))
}

/// A certainty as the contract says it.
pub fn certainty_wire(certainty: Certainty) -> i32 {
    match certainty {
        Certainty::Suspected => wire::Certainty::Suspected.into(),
        Certainty::Observed => wire::Certainty::Observed.into(),
        Certainty::Confirmed => wire::Certainty::Confirmed.into(),
    }
}

/// A certainty from the contract; observed where unspecified.
pub fn certainty_from_wire(value: wire::Certainty) -> Certainty {
    match value {
        wire::Certainty::Unspecified | wire::Certainty::Observed => Certainty::Observed,
        wire::Certainty::Suspected => Certainty::Suspected,
        wire::Certainty::Confirmed => Certainty::Confirmed,
    }
}

/// Reads a tier.
pub fn read_tier(word: &str) -> Result<Tier, DbError> {
    Tier::parse(word).ok_or_else(|| inconsistent("an unknown tier"))
}

/// A tier as the contract says it.
pub fn tier_wire(tier: Option<Tier>) -> i32 {
    let tier = match tier {
        None => wire::Tier::Unspecified,
        Some(Tier::One) => wire::Tier::Tier1,
        Some(Tier::TwoA) => wire::Tier::Tier2a,
        Some(Tier::TwoB) => wire::Tier::Tier2b,
        Some(Tier::Three) => wire::Tier::Tier3,
    };
    tier.into()
}

/// A tier from the contract; none where unspecified.
pub fn tier_from_wire(value: wire::Tier) -> Option<Tier> {
    match value {
        wire::Tier::Unspecified => None,
        wire::Tier::Tier1 => Some(Tier::One),
        wire::Tier::Tier2a => Some(Tier::TwoA),
        wire::Tier::Tier2b => Some(Tier::TwoB),
        wire::Tier::Tier3 => Some(Tier::Three),
    }
}

/// A time as the contract says it.
pub fn time_wire(time: chrono::DateTime<chrono::Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.timestamp(), nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back_as_it_went() {
        for domain in Domain::ALL {
            assert_eq!(read_domain(domain_word(Some(domain))).unwrap(), Some(domain));
            assert_eq!(domain_from_wire(domain_wire(Some(domain))), Some(domain));
        }
        for state in StudentReviewState::ALL {
            assert_eq!(StudentReviewState::read(state.word()).unwrap(), *state);
            assert_eq!(StudentReviewState::from_wire(state.wire()), Some(*state));
        }
        for certainty in [Certainty::Suspected, Certainty::Observed, Certainty::Confirmed] {
            assert_eq!(read_certainty(certainty_word(certainty)).unwrap(), certainty);
        }
        assert_eq!(Season::from_wire(0), None);
        assert!(Polarity::read("other").is_err());
    }
}
