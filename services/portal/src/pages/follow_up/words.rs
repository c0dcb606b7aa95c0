//! The words of follow-ups.

use proto::plans::v1::{FollowUpKind, FollowUpState, SubjectKind};

use crate::words::Choices;

/// Kinds, in forms.
pub const KINDS: Choices = &[
    ("contact_family", "Contact the family"),
    ("contact_partner", "Contact the partner"),
    ("check_attendance", "Check attendance at the service"),
    ("check_goal", "Check the goal"),
    ("re_offer", "Offer again"),
    ("next_year_start", "Start next year"),
];

/// What came of it, in forms.
pub const RESULTS: Choices = &[
    ("done", "Done"),
    ("going_well", "It is going well"),
    ("needs_change", "Something has to change"),
    ("not_reached", "Nobody was reached"),
    ("stopped", "It has stopped"),
];

/// What to do.
pub fn kind(kind: FollowUpKind) -> &'static str {
    use FollowUpKind as K;
    match kind {
        K::Unspecified => "Follow up",
        K::ContactFamily => "Contact the family",
        K::ContactPartner => "Contact the partner",
        K::CheckAttendance => "Check attendance at the service",
        K::CheckGoal => "Check the goal",
        K::ReOffer => "Offer again",
        K::NextYearStart => "Start next year",
        K::IndividualReview => "Look at the student review again",
    }
}

/// The kind that a form names.
pub fn kind_of(value: &str) -> FollowUpKind {
    FollowUpKind::from_str_name(&format!("FOLLOW_UP_KIND_{}", value.to_uppercase())).unwrap_or(FollowUpKind::Unspecified)
}

/// What it is about, from a form.
pub fn subject_of(value: &str) -> SubjectKind {
    SubjectKind::from_str_name(&format!("SUBJECT_KIND_{}", value.to_uppercase())).unwrap_or(SubjectKind::Family)
}

/// State.
pub fn state(state: FollowUpState) -> &'static str {
    match state {
        FollowUpState::Unspecified | FollowUpState::Open => "to do",
        FollowUpState::Done => "done",
        FollowUpState::Snoozed => "put off",
        FollowUpState::Cancelled => "not needed",
    }
}

/// Who or what raised it.
pub fn raised_as(value: &str) -> &'static str {
    match value {
        "two_weeks" => "two weeks after the start",
        "six_weeks" => "six weeks after the start",
        "year_end" => "before the year ends",
        "urgent" => "a week after something urgent",
        "no_show" => "missed several times in a row",
        "individual_review" => "a student review is due",
        "partner" => "raised by the partner",
        "staff" => "raised by a colleague",
        _ => "",
    }
}
