//! The words for states, tiers, domains and reasons: one place, so that every page says the same.

use proto::plans::v1 as plans;
use proto::reviews::v1 as reviews;
use proto::r#type::v1::{Certainty, Domain, Tier};

/// A domain as pages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainWords {
    /// The key that goes there, and the number beside the name.
    pub key: &'static str,
    /// Style class and name in forms.
    pub class: &'static str,
    /// Name.
    pub name: &'static str,
    /// The domain.
    pub domain: Domain,
}

/// The four domains, in their fixed order.
pub const DOMAINS: [DomainWords; 4] = [
    DomainWords { key: "1", class: "aca", name: "Academics", domain: Domain::Academics },
    DomainWords { key: "2", class: "seb", name: "Social, emotional, behavior", domain: Domain::SocialEmotional },
    DomainWords { key: "3", class: "hlt", name: "Physical health", domain: Domain::Health },
    DomainWords { key: "4", class: "fam", name: "Family", domain: Domain::Family },
];

/// The words of a domain; none where it is not given.
pub fn domain(domain: Domain) -> Option<DomainWords> {
    DOMAINS.into_iter().find(|known| known.domain == domain)
}

/// A tier as pages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierWords {
    /// `1`, `2a`, `2b` or `3`.
    pub key: &'static str,
    /// How much support that is.
    pub words: &'static str,
    /// The tier.
    pub tier: Tier,
}

/// A school year, named by the year it ends in: 2027 is "2026–27".
pub fn school_year(year: i32) -> String {
    format!("{}–{:02}", year - 1, year.rem_euclid(100))
}

/// The four tiers, least support first.
pub const TIERS: [TierWords; 4] = [
    TierWords { key: "1", words: "core support", tier: Tier::Tier1 },
    TierWords { key: "2a", words: "some support", tier: Tier::Tier2a },
    TierWords { key: "2b", words: "more support", tier: Tier::Tier2b },
    TierWords { key: "3", words: "most support", tier: Tier::Tier3 },
];

/// The words of a tier; none while it is open.
pub fn tier(tier: Tier) -> Option<TierWords> {
    TIERS.into_iter().find(|known| known.tier == tier)
}

/// The tier that a form names.
pub fn tier_of(key: &str) -> Tier {
    TIERS.into_iter().find(|known| known.key == key).map_or(Tier::Unspecified, |known| known.tier)
}

/// Choices of a form: value and words.
pub type Choices = &'static [(&'static str, &'static str)];

/// Why the assigned tier differs.
pub const TIER_REASONS: Choices = &[
    ("supports_in_place", "Supports are in place"),
    ("strengths_buffer", "Strengths are a buffer"),
    ("family_information", "Information from the family"),
    ("recent_change", "A recent change"),
    ("needs_overlap", "The needs overlap"),
    ("knowledge_limited", "We know too little yet"),
    ("other", "Another reason"),
];

/// Why a student is not reviewed.
pub const NOT_REVIEWED_REASONS: Choices = &[
    ("teacher_does_not_know_student", "The teacher does not know the student yet"),
    ("student_absent_long_term", "Away for a long time"),
    ("family_declined", "The family said no"),
    ("out_of_district_placement", "Placed outside the district"),
    ("time", "No time in this cycle"),
    ("other", "Another reason"),
];

/// Reasons that a partner gives when it cannot take a student, and those of the family.
pub const DECLINE_REASONS: Choices = &[
    ("no_capacity", "No room"),
    ("not_eligible_age", "Not the age we serve"),
    ("not_eligible_area", "Not the area we serve"),
    ("not_eligible_other", "Does not fit our conditions"),
    ("missing_documents", "Papers are missing"),
    ("service_ended", "The service has ended"),
    ("staffing", "Not enough staff"),
    ("safety", "Not safe to do"),
    ("no_longer_interested", "The family is no longer interested"),
    ("schedule", "The times do not work for the family"),
    ("transport", "No way to get there"),
    ("cost", "It costs too much"),
    ("language", "Not in the family's language"),
    ("trust", "The family does not feel at ease"),
    ("did_not_respond", "The family did not answer"),
];

/// Why the school withdraws a referral: the family's reasons, and its own slips.
pub const WITHDRAW_REASONS: Choices = &[
    ("no_longer_interested", "The family is no longer interested"),
    ("schedule", "The times do not work for the family"),
    ("transport", "No way to get there"),
    ("cost", "It costs too much"),
    ("language", "Not in the family's language"),
    ("trust", "The family does not feel at ease"),
    ("did_not_respond", "The family did not answer"),
    ("duplicate", "There is another referral for the same"),
    ("wrong_service", "The wrong service"),
    ("sent_in_error", "Sent by mistake"),
];

/// Why something ended before its time.
pub const STOP_REASONS: Choices = &[
    ("moved", "Moved away"),
    ("goal_met_early", "The goal was met early"),
    ("no_shows", "Did not come"),
    ("family_choice", "The family chose to stop"),
    ("provider_ended", "The provider ended it"),
    ("safety", "Safety"),
    ("cost", "Cost"),
    ("transport", "Transport"),
    ("schedule", "Schedule"),
    ("other", "Another reason"),
];

/// Outcomes of a referral.
pub const OUTCOMES: Choices = &[("need_met", "Need met"), ("need_partly_met", "Need partly met"), ("need_not_met", "Need not met"), ("unknown", "Not known")];

/// What a family may agree to share.
pub const SCOPES: Choices = &[
    ("identity", "name, grade and school"),
    ("contact", "how to reach the family"),
    ("plan_item", "what is asked for"),
    ("needs", "the needs behind it, unless restricted"),
    ("strengths", "strengths and interests"),
    ("attendance_summary", "attendance in short"),
];

/// The label of a value among choices; the value itself, readable, where it is not among them.
pub fn label(choices: Choices, value: &str) -> String {
    choices.iter().find(|(known, _)| *known == value).map_or_else(|| value.replace('_', " "), |(_, words)| (*words).to_owned())
}

/// How sure, in forms.
pub fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Suspected => "suspected",
        Certainty::Confirmed => "confirmed",
        Certainty::Observed | Certainty::Unspecified => "observed",
    }
}

/// How sure, from a form.
pub fn certainty_of(value: &str) -> Certainty {
    match value {
        "suspected" => Certainty::Suspected,
        "confirmed" => Certainty::Confirmed,
        _ => Certainty::Observed,
    }
}

/// Who said so.
pub fn source(source: reviews::EntrySource) -> &'static str {
    use reviews::EntrySource as S;
    match source {
        S::Unspecified => "",
        S::Teacher => "teacher",
        S::Coordinator => "coordinator",
        S::Family => "family",
        S::Student => "student",
        S::Nurse => "nurse",
        S::Counsellor => "counselor",
        S::Record => "a record",
        S::Partner => "partner",
    }
}

/// Who may have said or confirmed something, in forms.
pub const SOURCES: Choices = &[
    ("family", "family"),
    ("student", "student"),
    ("teacher", "teacher"),
    ("coordinator", "coordinator"),
    ("counsellor", "counselor"),
    ("nurse", "nurse"),
    ("record", "a record"),
    ("partner", "partner"),
];

/// Who said so, from a form.
pub fn source_of(value: &str) -> reviews::EntrySource {
    reviews::EntrySource::from_str_name(&format!("ENTRY_SOURCE_{}", value.to_uppercase())).unwrap_or_default()
}

/// Who said so, in forms.
pub fn source_key(source: reviews::EntrySource) -> &'static str {
    SOURCES.iter().find(|(key, _)| source_of(key) == source).map_or("", |(key, _)| key)
}

/// What a class review is called in its season.
pub fn review_of_season(season: reviews::Season) -> &'static str {
    match season {
        reviews::Season::Fall => "fall review",
        reviews::Season::Spring => "spring review",
        reviews::Season::Custom | reviews::Season::Unspecified => "review",
    }
}

/// State of a class review.
pub fn class_review_state(state: reviews::ClassReviewState) -> &'static str {
    use reviews::ClassReviewState as S;
    match state {
        S::Unspecified => "not started",
        S::Scheduled => "planned",
        S::InProgress => "under way",
        S::Paused => "put aside",
        S::AwaitingSignoff => "to sign",
        S::Complete => "complete",
        S::Cancelled => "called off",
    }
}

/// State of a plan.
pub fn plan_state(state: plans::PlanState) -> &'static str {
    use plans::PlanState as S;
    match state {
        S::Unspecified => "",
        S::Draft => "draft",
        S::Proposed => "shown to the family",
        S::Active => "in force",
        S::UnderRevision => "being changed",
        S::Paused => "put aside",
        S::Closed => "closed",
    }
}

/// State of a need.
pub fn need_state(state: plans::NeedState) -> &'static str {
    use plans::NeedState as S;
    match state {
        S::Unspecified | S::Open => "Open",
        S::BeingAddressed => "Being addressed",
        S::Met => "Met",
        S::PartlyMet => "Partly met",
        S::NotMet => "Not met",
        S::NoLonger => "No longer a need",
    }
}

/// Why a need is unmet.
pub fn unmet_reason(reason: plans::UnmetReason) -> &'static str {
    use plans::UnmetReason as R;
    match reason {
        R::Unspecified => "",
        R::NotYetArranged => "Not yet arranged",
        R::NoService => "No such service nearby",
        R::NoCapacity => "No room at the provider",
        R::NotEligible => "Not eligible",
        R::Transport => "Transport",
        R::Cost => "Cost",
        R::Schedule => "Schedule",
        R::Language => "Language",
        R::FamilyDeclined => "The family said not now",
        R::Other => "Another reason",
    }
}

/// Why a need is unmet, from reporting's lower case code.
pub fn unmet_reason_code(code: &str) -> String {
    plans::UnmetReason::from_str_name(&format!("UNMET_REASON_{}", code.to_uppercase()))
        .map(unmet_reason)
        .filter(|words| !words.is_empty())
        .map_or_else(|| sentence(&code.replace('_', " ")), str::to_owned)
}

/// Kinds of plan items, in forms.
pub const ITEM_KINDS: Choices = &[
    ("service", "Service inside the school"),
    ("referral", "Service of a partner"),
    ("school_support", "Small support by staff"),
    ("home_strategy", "Something done at home"),
    ("family_action", "Something the family does"),
    ("accommodation", "A change in teaching"),
    ("information_only", "Information given"),
];

/// The kind of item that a form names.
pub fn item_kind_of(value: &str) -> plans::PlanItemKind {
    plans::PlanItemKind::from_str_name(&format!("PLAN_ITEM_KIND_{}", value.to_uppercase())).unwrap_or(plans::PlanItemKind::Unspecified)
}

/// State of an item.
pub fn item_state(state: plans::PlanItemState) -> &'static str {
    use plans::PlanItemState as S;
    match state {
        S::Unspecified => "",
        S::Planned => "planned",
        S::Arranging => "being arranged",
        S::InPlace => "in place",
        S::Done => "done",
        S::DeclinedByFamily => "the family said not now",
        S::NotAvailable => "not to be had",
        S::Withdrawn => "withdrawn",
        S::Replaced => "replaced",
    }
}

/// State of an enrolment.
pub fn enrolment_state(state: plans::EnrolmentState) -> &'static str {
    use plans::EnrolmentState as S;
    match state {
        S::Unspecified => "",
        S::Offered => "offered",
        S::Accepted => "accepted",
        S::Declined => "declined",
        S::Waitlisted => "waiting for a place",
        S::Active => "attending",
        S::Paused => "paused",
        S::Completed => "completed",
        S::Stopped => "stopped",
        S::Void => "entered in error",
    }
}

/// Attendance of a session, in forms.
pub const ATTENDANCE: Choices = &[
    ("present", "Present"),
    ("partial", "Part of it"),
    ("absent_excused", "Away, excused"),
    ("absent_unexcused", "Away, not excused"),
    ("cancelled_by_provider", "The provider called it off"),
    ("school_closed", "School was closed"),
];

/// Who owns an item, in forms.
pub const OWNERS: Choices = &[("staff", "Staff"), ("partner", "Partner"), ("family", "Family"), ("student", "Student")];

/// Two letters of a name.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphabetic()));
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// Roles in words.
pub fn roles(roles: &[String]) -> String {
    let words: Vec<String> = roles.iter().map(|role| role.replace('_', " ")).collect();
    sentence(&words.join(", "))
}

/// With a capital letter in front.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A phrase within a sentence: small letter first.
pub fn within(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Why the caller sees a page, from the access basis of an answer.
pub fn basis(basis: &str) -> String {
    let why = match basis {
        "class_teacher" => "you teach this class",
        "school_coordinator" => "you are the coordinator of this school",
        "school_support" => "you are on the support team of this school",
        "school_leader" => "you lead this school",
        "school_staff" => "you work at this school",
        "program_manager" => "you manage the program at this school",
        "district_aggregate" => "you work for the district; numbers only, no student",
        "partner" => "it was sent to your organization",
        "own" => "it is your own",
        "staff" => "you work for the district",
        "" => return String::new(),
        other => return format!("You see this because of: {}.", other.replace('_', " ")),
    };
    format!("You see this because {why}.")
}

/// A CEDS grade code as people say it.
pub fn grade(code: &str) -> String {
    match code {
        "" => String::new(),
        "KG" => "Kindergarten".to_owned(),
        "PK" | "PR" => "Pre-K".to_owned(),
        other => format!("Grade {}", other.trim_start_matches('0')),
    }
}

/// A day as people write it.
pub fn day(iso: &str) -> String {
    chrono::NaiveDate::parse_from_str(iso, "%Y-%m-%d").map_or_else(|_| iso.to_owned(), |date| date.format("%-d %b %Y").to_string())
}

/// A time stamp by the district's clock.
pub fn local(time: Option<&prost_types::Timestamp>) -> Option<chrono::DateTime<chassis_clock::Tz>> {
    time.and_then(|time| chrono::DateTime::from_timestamp(time.seconds, 0)).map(|time| time.with_timezone(&chassis_clock::zone()))
}

/// The day of a time stamp.
pub fn day_of(time: Option<&prost_types::Timestamp>) -> String {
    local(time).map(|time| time.format("%-d %b %Y").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_has_words_and_no_praise() {
        for tier_words in TIERS {
            assert_eq!(tier(tier_words.tier), Some(tier_words));
            assert_eq!(tier_of(tier_words.key), tier_words.tier);
        }
        assert_eq!(tier_of("4"), Tier::Unspecified);
    }

    #[test]
    fn names_give_two_letters() {
        assert_eq!(initials("Mateo Delgado Ríos"), "MR");
        assert_eq!(initials("Östen"), "Ö");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn codes_become_words() {
        assert_eq!(unmet_reason_code("no_capacity"), "No room at the provider");
        assert_eq!(unmet_reason_code("something_new"), "Something new");
        assert_eq!(grade("04"), "Grade 4");
        assert_eq!(grade("KG"), "Kindergarten");
        assert_eq!(day("2026-10-22"), "22 Oct 2026");
        assert_eq!(item_kind_of("home_strategy"), plans::PlanItemKind::HomeStrategy);
    }
}
