//! Every measure, in the handbook's order. One entry says everything about a measure but its query's text.

use super::{Grouping, Measure, Of, Unit};

const SCHOOL: Grouping = Grouping { by: "school", of: Of::Group, always: &[] };
const GRADE: Grouping = Grouping { by: "grade", of: Of::Group, always: &[] };
const TIER: Grouping = Grouping { by: "tier", of: Of::Group, always: &[] };
const DOMAIN: Grouping = Grouping { by: "domain", of: Of::Group, always: &["academics", "social_emotional", "health", "family"] };
const CODE: Grouping = Grouping { by: "code", of: Of::Group, always: &[] };
const URGENCY: Grouping = Grouping { by: "urgency", of: Of::Group, always: &["urgent", "routine"] };
const AREA: Grouping = Grouping { by: "area", of: Of::Group, always: &["attendance", "behaviour", "coursework", "social_emotional"] };
// Groups of the roster: they are counted there, see `equity`.
const SEX: Grouping = Grouping { by: "sex", of: Of::Group, always: &[] };
const RACE: Grouping = Grouping { by: "race", of: Of::Group, always: &[] };
const SHARE_BY_DOMAIN: Grouping = Grouping { of: Of::Whole, ..DOMAIN };
const SHARE_BY_CODE: Grouping = Grouping { of: Of::Whole, ..CODE };
const SHARE_BY_REASON: Grouping = Grouping { by: "reason", of: Of::Whole, always: &[] };
const SHARE_BY_TIER: Grouping = Grouping { by: "tier", of: Of::Whole, always: &["Tier 1", "Tier 2a", "Tier 2b", "Tier 3"] };
const SHARE_BY_AGE: Grouping = Grouping { by: "age", of: Of::Whole, always: &["20 or less", "21 to 40", "41 to 60", "over 60"] };

const SHARE_BY_MOVEMENT: Grouping = Grouping { by: "movement", of: Of::Whole, always: &["down", "same", "up"] };
const SHARE_BY_VOICE: Grouping = Grouping { by: "voice", of: Of::Whole, always: &["attended", "sent_input", "declined", "unreachable"] };
const SHARE_BY_RESPONSE: Grouping =
    Grouping { by: "response", of: Of::Whole, always: &["agreed", "agreed_in_part", "asked_changes", "declined", "no_reply", "shared"] };

/// Adds up a measure's units: for each school and group, for each school, for each group, and for all. `$1` school or
/// null, `$2` school year, `$3` day, `$4` grouping or empty.
macro_rules! tally {
    ($file:literal) => {
        concat!("with unit as (\n", include_str!(concat!("sql/", $file)), ")\n", include_str!("sql/tally.sql"))
    };
}

/// The measure whose groups the roster counts.
pub const EQUITY: &str = "TR-4";

/// The measure of that id.
pub fn find(id: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|m| m.id == id)
}

/// All measures.
pub static MEASURES: &[Measure] = &[
    Measure {
        id: "RV-1",
        title: "Review coverage",
        numerator: "Students enrolled who were reviewed in the review season under way",
        denominator: "Students enrolled on the roster",
        definition: "Enrolment is that of the latest roster. A student at two schools counts once for each and once for the district. \
                     The season is the last of the year's regular ones to begin by the date.",
        groupings: &[SCHOOL, GRADE],
        unit: Unit::Students,
        all_tells: false,
        sql: tally!("rv_1.sql"),
    },
    Measure {
        id: "RV-3",
        title: "Strengths recorded",
        numerator: "Reviewed students with at least one strength",
        denominator: "Students reviewed in the review season under way",
        definition: "Counted at the school of the review.",
        groupings: &[SCHOOL, GRADE],
        unit: Unit::Students,
        all_tells: false,
        sql: tally!("rv_3.sql"),
    },
    Measure {
        id: "RV-4",
        title: "Four-domain completeness",
        numerator: "Reviewed students with all four domains answered or marked as no concern",
        denominator: "Students reviewed in the review season under way",
        definition: "Counted at the school of the review.",
        groupings: &[SCHOOL, GRADE],
        unit: Unit::Students,
        all_tells: false,
        sql: tally!("rv_4.sql"),
    },
    Measure {
        id: "RV-6",
        title: "Not reviewed",
        numerator: "Students enrolled who were marked as not reviewed in the review season under way",
        denominator: "Students enrolled on the roster",
        definition: "By reason, each group is a share of all students enrolled. A student reviewed in one class and not in another counts as reviewed.",
        groupings: &[SCHOOL, GRADE, SHARE_BY_REASON],
        unit: Unit::Students,
        all_tells: true,
        sql: tally!("rv_6.sql"),
    },
    Measure {
        id: "TR-1",
        title: "Tier distribution",
        numerator: "Students whose tier was decided; by tier, those whose current tier it is",
        denominator: "Students enrolled who have a tier",
        definition: "Current is the tier that took effect last by the date. By tier, each group is a share of all students with a tier.",
        groupings: &[SHARE_BY_TIER],
        unit: Unit::Students,
        all_tells: true,
        sql: tally!("tr_1.sql"),
    },
    Measure {
        id: "TR-2",
        title: "Tier movement",
        numerator: "Students whose tier moved down; by movement, those whose tier moved that way",
        denominator: "Students given a tier both in the fall and in the spring review of the school year",
        definition: "Down is towards less need. Of each season the tier that took effect last counts, at the school of the spring review. By tier: the \
                     tier of the fall. By movement, each group is a share of all students with both tiers.",
        groupings: &[SCHOOL, GRADE, TIER, SHARE_BY_MOVEMENT],
        unit: Unit::Students,
        all_tells: true,
        sql: tally!("tr_2.sql"),
    },
    Measure {
        id: "TR-3",
        title: "Tier override rate",
        numerator: "Tiers decided otherwise than suggested",
        denominator: "Tiers decided in the review season under way for which there was a suggestion",
        definition: "By reason, each group is a share of all tiers decided. Above a quarter, look into the rule or the practice.",
        groupings: &[SCHOOL, GRADE, TIER, SHARE_BY_REASON],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("tr_3.sql"),
    },
    Measure {
        id: EQUITY,
        title: "Tier equity check",
        numerator: "Students who have a tier; by group, those of the group whose current tier it is",
        denominator: "Students enrolled who have a tier; by group, those of the group",
        definition: "Of the whole district only, for those who lead it, and for review only: a difference asks a question and answers none. Groups are \
                     those of today's roster. By race: Hispanic or Latino of any race, then two or more races, then one race. Cells are named by group \
                     and tier.",
        groupings: &[SEX, RACE, GRADE],
        unit: Unit::Students,
        all_tells: true,
        sql: tally!("tr_1.sql"),
    },
    Measure {
        id: "CN-1",
        title: "Concern response",
        numerator: "Concerns that were triaged within their time",
        denominator: "Concerns raised in the school year",
        definition: "Urgent concerns the same school day, others within three school days. Not triaged is not in time, also while the time still runs. \
                     Protected concerns are left out.",
        groupings: &[SCHOOL, GRADE, URGENCY],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("cn_1.sql"),
    },
    Measure {
        id: "ISR-1",
        title: "Individual reviews done",
        numerator: "Students with an individual review held within 30 school days of the tier",
        denominator: "Students given tier 3 in the school year",
        definition: "Counted from the first time in the year, at the school of that decision; a review up to 30 school days before it counts too. \
                     School days are weekdays. Protected individual reviews are not seen.",
        groupings: &[SCHOOL, GRADE],
        unit: Unit::Students,
        all_tells: false,
        sql: tally!("isr_1.sql"),
    },
    Measure {
        id: "ISR-2",
        title: "Family voice in individual reviews",
        numerator: "Individual reviews that the family attended or sent its input to",
        denominator: "Individual reviews held in the school year",
        definition: "By voice, each group is a share of all reviews held. Protected individual reviews are left out.",
        groupings: &[SCHOOL, GRADE, SHARE_BY_VOICE],
        unit: Unit::Records,
        all_tells: true,
        sql: tally!("isr_2.sql"),
    },
    Measure {
        id: "ISR-3",
        title: "Individual reviews looked back on in time",
        numerator: "Decisions that were reviewed by their review date",
        denominator: "Decisions of individual reviews whose review date has passed",
        definition: "Decided again, the decisions count again, with the new date. Not reviewed is not in time. Protected individual reviews are left out.",
        groupings: &[SCHOOL, GRADE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("isr_3.sql"),
    },
    Measure {
        id: "ND-1",
        title: "Most frequent needs",
        numerator: "Reviewed students with an open need",
        denominator: "Students reviewed in the school year",
        definition: "Open: recorded this school year and neither met nor judged otherwise. By code and domain, each group is a share of all reviewed \
                     students, and a student may be in several. Protected needs are left out.",
        groupings: &[SCHOOL, GRADE, SHARE_BY_DOMAIN, SHARE_BY_CODE],
        unit: Unit::Students,
        all_tells: true,
        sql: tally!("nd_1.sql"),
    },
    Measure {
        id: "ND-2",
        title: "Unmet-need rate",
        numerator: "Needs that nobody meets",
        denominator: "Needs recorded in the school year that are still needs",
        definition: "Unmet: open or being addressed, and either nothing is in place more than 20 school days after the need was recorded, or all its \
                     plan items ended without happening. By reason, each group is a share of all needs. Protected needs are left out.",
        groupings: &[SCHOOL, GRADE, DOMAIN, CODE, SHARE_BY_REASON],
        unit: Unit::Records,
        all_tells: true,
        sql: tally!("nd_2.sql"),
    },
    Measure {
        id: "ND-3",
        title: "Students with unmet needs",
        numerator: "Students with at least one unmet need",
        denominator: "Students reviewed in the school year with at least one need",
        definition: "Unmet as in ND-2. By domain, a student counts in each domain in which they have a need. Protected needs are left out.",
        groupings: &[SCHOOL, GRADE, TIER, DOMAIN],
        unit: Unit::Students,
        all_tells: true,
        sql: tally!("nd_3.sql"),
    },
    Measure {
        id: "ND-4",
        title: "Reasons of unmet needs",
        numerator: "Unmet needs; by reason, those with that reason",
        denominator: "Unmet needs",
        definition: "Unmet as in ND-2. The reason comes from the need's last plan item; not_yet_arranged where it has none. Protected needs are left out.",
        groupings: &[SHARE_BY_REASON],
        unit: Unit::Records,
        all_tells: true,
        sql: tally!("nd_4.sql"),
    },
    Measure {
        id: "ND-5",
        title: "Age of unmet needs",
        numerator: "Unmet needs recorded more than 40 school days ago; by age, those of that age in school days",
        denominator: "Unmet needs",
        definition: "Unmet as in ND-2. Counts by age in place of a median, since unmet needs have no end yet. School days are weekdays. \
                     Protected needs are left out.",
        groupings: &[DOMAIN, SHARE_BY_REASON, SHARE_BY_AGE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("nd_5.sql"),
    },
    Measure {
        id: "PL-1",
        title: "Plan coverage",
        numerator: "Students enrolled with an active plan of the school year",
        denominator: "Students enrolled on the roster",
        definition: "Every student, not only those in high tiers. Drafts and plans under revision do not count. Enrolment is that of the latest roster.",
        groupings: &[SCHOOL, GRADE, TIER],
        unit: Unit::Students,
        all_tells: false,
        sql: tally!("pl_1.sql"),
    },
    Measure {
        id: "PL-2",
        title: "Plans with a family response",
        numerator: "Active plans to which the family answered",
        denominator: "Active plans of the school year that the family was first shown more than 10 days ago",
        definition: "An answer is to agree, to agree in part, to ask for changes or to decline; that no reply came is none. Days are calendar days. By \
                     response, each group is a share of all these plans; shared means that nothing is known yet.",
        groupings: &[SCHOOL, GRADE, TIER, SHARE_BY_RESPONSE],
        unit: Unit::Records,
        all_tells: true,
        sql: tally!("pl_2.sql"),
    },
    Measure {
        id: "PL-3",
        title: "Items in place",
        numerator: "Plan items in place or done",
        denominator: "Plan items of the school year that were not withdrawn",
        definition: "An item that was replaced counts as the one in its place. By code: the category of service. Items for protected needs are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("pl_3.sql"),
    },
    Measure {
        id: "PL-4",
        title: "Strength-built items",
        numerator: "Plan items that build on a strength or an interest",
        denominator: "Plan items of the school year",
        definition: "An item that was replaced counts as the one in its place. By code: the category of service. Items for protected needs are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("pl_4.sql"),
    },
    Measure {
        id: "GL-1",
        title: "Goal attainment by area",
        numerator: "Goals met or partly met",
        denominator: "Goals of the school year set at least six weeks before its end",
        definition: "The year ends on 30 June; earlier, the figure is how far it is by the date. Goals that were dropped stay in the denominator. By area: \
                     what the goal is measured by. Goals for protected needs are left out.",
        groupings: &[SCHOOL, GRADE, DOMAIN, AREA],
        unit: Unit::Records,
        all_tells: true,
        sql: tally!("gl_1.sql"),
    },
    Measure {
        id: "SV-3",
        title: "Delivered dose",
        numerator: "Minutes delivered",
        denominator: "Minutes planned up to the date",
        definition: "Sessions logged in the school year, each as it was last corrected. By code: the category of service. Sessions for protected needs are left \
                     out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("sv_3.sql"),
    },
    Measure {
        id: "SV-4",
        title: "Attendance at services",
        numerator: "Sessions at which the student was present, wholly or in part",
        denominator: "Sessions that were neither cancelled by the provider nor lost to a closed school",
        definition: "Sessions logged in the school year, each as it was last corrected. By code: the category of service. Sessions for protected needs are left \
                     out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("sv_4.sql"),
    },
    Measure {
        id: "RF-1",
        title: "Referrals made",
        numerator: "Referrals sent in the school year",
        denominator: "None: this is a count",
        definition: "Without those entered in error. By code: the category of service. Protected referrals are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Count,
        all_tells: false,
        sql: tally!("rf_1.sql"),
    },
    Measure {
        id: "RF-2",
        title: "Response in time",
        numerator: "Referrals to which the partner responded by the date set",
        denominator: "Referrals sent whose date to respond by has passed",
        definition: "A response is an acceptance, a decline, a place on the waiting list, a question to the family, or that they could not be reached; \
                     opening it is none. Not answered is not in time. Protected referrals are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("rf_2.sql"),
    },
    Measure {
        id: "RF-3",
        title: "Acceptance rate",
        numerator: "Referrals ever accepted",
        denominator: "Referrals that the partner accepted or declined",
        definition: "By code: the category of service. Protected referrals are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("rf_3.sql"),
    },
    Measure {
        id: "RF-4",
        title: "Start rate",
        numerator: "Referrals ever started",
        denominator: "Referrals ever accepted",
        definition: "By code: the category of service. Protected referrals are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("rf_4.sql"),
    },
    Measure {
        id: "RF-5",
        title: "Closed-loop rate",
        numerator: "Referrals closed with a known outcome",
        denominator: "Referrals sent at least 30 days before the date, neither withdrawn nor entered in error",
        definition: "Known: the need is met, partly met or not met. By code: the category of service. Protected referrals, whose loop only the family's \
                     own word closes, are left out of both numbers.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: false,
        sql: tally!("rf_5.sql"),
    },
    Measure {
        id: "RF-6",
        title: "Need-met rate",
        numerator: "Referrals closed with the need met or partly met",
        denominator: "Referrals closed with a known outcome",
        definition: "By code: the category of service. Protected referrals are left out.",
        groupings: &[SCHOOL, GRADE, CODE],
        unit: Unit::Records,
        all_tells: true,
        sql: tally!("rf_6.sql"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The page's table as it must be.
    fn table() -> String {
        let line = |m: &Measure| {
            let groupings: Vec<&str> = m.groupings.iter().map(|g| g.by).collect();
            format!("| {} | {} | {} | {} | {} | {} |\n", m.id, m.title, m.numerator, m.denominator, m.definition, groupings.join(", "))
        };
        MEASURES.iter().map(line).collect()
    }

    #[test]
    fn the_page_on_reports_says_what_the_registry_says() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/REPORTS.md")).unwrap();
        let held: String = page
            .lines()
            .skip_while(|line| !line.starts_with("| --- "))
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.to_owned() + "\n")
            .collect();
        assert!(held == table(), "the table in docs/REPORTS.md must be:\n{}", table());
    }

    #[test]
    fn every_measure_can_be_told_from_the_others_and_leaves_out_the_protected() {
        let ids: std::collections::BTreeSet<&str> = MEASURES.iter().map(|m| m.id).collect();
        assert_eq!(ids.len(), MEASURES.len());
        for measure in MEASURES.iter().filter(|m| ["ND-", "RF-", "CN-", "ISR-", "GL-", "SV-"].iter().any(|kind| m.id.starts_with(kind))) {
            assert!(measure.definition.to_lowercase().contains("protected"), "{} does not say what becomes of protected records", measure.id);
        }
    }
}
