//! The words of individual reviews.

use proto::reviews::v1::{FamilyVoice, IndividualReviewState, IndividualReviewTrigger};

use crate::words::Choices;

/// Roles in a team, in forms.
pub const ROLES: Choices = &[
    ("teacher", "Teacher"),
    ("coordinator", "Coordinator"),
    ("counsellor", "Counselor"),
    ("nurse", "Nurse"),
    ("psychologist", "Psychologist"),
    ("social_worker", "Social worker"),
    ("principal", "Principal"),
    ("specialist", "Specialist"),
    ("other", "Other"),
];

/// How a family is invited, in forms.
pub const CHANNELS: Choices = &[("call", "Call"), ("text", "Text"), ("email", "Email"), ("letter", "Letter"), ("in_person", "In person")];

/// Why a family is not invited, in forms.
pub const NOT_INVITED: Choices =
    &[("safety", "Inviting is not safe"), ("cannot_reach_after_3", "Not reached after three tries"), ("court_order", "A court order")];

/// How the family took part, in forms.
pub const VOICES: Choices =
    &[("attended", "Was there"), ("sent_input", "Told us before or after"), ("declined", "Did not want to"), ("unreachable", "Could not be reached")];

/// How a decision went, in forms.
pub const OUTCOMES: Choices =
    &[("helped", "It helped"), ("partly_helped", "It helped in part"), ("did_not_help", "It did not help"), ("done", "Done"), ("not_done", "Not done")];

/// Why one is opened, in forms.
pub const TRIGGERS: Choices = &[
    ("tier_3", "Most support was decided"),
    ("floor_code", "A need that calls for most support"),
    ("family_request", "The family asked"),
    ("re_entry", "The student came back"),
    ("stalled_plan", "The plan does not move"),
];

/// State.
pub fn state(state: IndividualReviewState) -> &'static str {
    use IndividualReviewState as S;
    match state {
        S::Unspecified => "",
        S::Proposed => "proposed",
        S::NotNeeded => "not needed",
        S::Preparing => "team named",
        S::Scheduled => "has a date",
        S::Held => "meeting held",
        S::Decided => "decided",
        S::UnderReview => "being looked at again",
        S::Closed => "closed",
        S::OnHold => "on hold",
    }
}

/// What comes next.
pub fn next_step(state: IndividualReviewState) -> &'static str {
    use IndividualReviewState as S;
    match state {
        S::Unspecified | S::NotNeeded | S::Closed => "nothing more to do",
        S::Proposed => "name the team",
        S::Preparing => "set the date and invite the family",
        S::Scheduled => "hold the meeting",
        S::Held => "write down what was decided",
        S::Decided => "look again at what was decided",
        S::UnderReview => "decide again or close",
        S::OnHold => "on hold",
    }
}

/// Why it was opened.
pub fn trigger(trigger: IndividualReviewTrigger) -> &'static str {
    use IndividualReviewTrigger as T;
    match trigger {
        T::Unspecified => "",
        T::Tier3 => "most support was decided",
        T::FloorCode => "a need that calls for most support",
        T::Concern => "a concern",
        T::FamilyRequest => "the family asked",
        T::ReEntry => "the student came back",
        T::StalledPlan => "the plan does not move",
    }
}

/// Why it is opened, from a form.
pub fn trigger_of(value: &str) -> IndividualReviewTrigger {
    IndividualReviewTrigger::from_str_name(&format!("INDIVIDUAL_REVIEW_TRIGGER_{}", value.to_uppercase())).unwrap_or(IndividualReviewTrigger::Unspecified)
}

/// How the family took part.
pub fn voice(voice: FamilyVoice) -> &'static str {
    match voice {
        FamilyVoice::Unspecified => "",
        FamilyVoice::Attended => "The family was there",
        FamilyVoice::SentInput => "The family told us before or after",
        FamilyVoice::Declined => "The family did not want to take part",
        FamilyVoice::Unreachable => "The family could not be reached",
    }
}

/// How the family took part, from a form.
pub fn voice_of(value: &str) -> FamilyVoice {
    FamilyVoice::from_str_name(&format!("FAMILY_VOICE_{}", value.to_uppercase())).unwrap_or(FamilyVoice::Unspecified)
}
