//! The words of concerns.

use proto::reviews::v1::{ConcernSource, ConcernState, ConcernUrgency, TriageDecision};

use crate::words::Choices;

/// What triage can decide, in forms.
pub const DECISIONS: Choices = &[
    ("watch", "Keep an eye on it"),
    ("act_now", "Do something at once"),
    ("individual_review", "Open an individual review"),
    ("not_a_concern", "Not a concern"),
];

/// Who said so, in forms.
pub const SOURCES: Choices = &[("staff", "I or a colleague saw it"), ("family", "The family told us"), ("student", "The student told us")];

/// State.
pub fn state(state: ConcernState) -> &'static str {
    match state {
        ConcernState::Unspecified | ConcernState::Raised => "waits for an answer",
        ConcernState::Triaged => "answered",
        ConcernState::Closed => "closed",
    }
}

/// Style of a state.
pub fn tag(state: ConcernState) -> &'static str {
    match state {
        ConcernState::Unspecified | ConcernState::Raised => "warn",
        ConcernState::Triaged => "info",
        ConcernState::Closed => "ok",
    }
}

/// What triage decided.
pub fn decision(decision: TriageDecision) -> &'static str {
    match decision {
        TriageDecision::Unspecified => "",
        TriageDecision::Watch => "Keep an eye on it",
        TriageDecision::ActNow => "Something is done at once",
        TriageDecision::IndividualReview => "An individual review is opened",
        TriageDecision::NotAConcern => "Not a concern",
    }
}

/// The decision that a form names.
pub fn decision_of(value: &str) -> TriageDecision {
    TriageDecision::from_str_name(&format!("TRIAGE_DECISION_{}", value.to_uppercase())).unwrap_or(TriageDecision::Unspecified)
}

/// Who said so.
pub fn source(source: ConcernSource) -> &'static str {
    match source {
        ConcernSource::Unspecified | ConcernSource::Staff => "from staff",
        ConcernSource::Family => "from the family",
        ConcernSource::Student => "from the student",
    }
}

/// Who said so, from a form.
pub fn source_of(value: &str) -> ConcernSource {
    ConcernSource::from_str_name(&format!("CONCERN_SOURCE_{}", value.to_uppercase())).unwrap_or(ConcernSource::Staff)
}

/// Urgency, from a form.
pub fn urgency_of(value: &str) -> ConcernUrgency {
    if value == "urgent" { ConcernUrgency::Urgent } else { ConcernUrgency::Routine }
}
