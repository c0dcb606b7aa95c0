//! What a page offers between the years and between the reviews: plans of other years, the next one, a tier decided meanwhile.

use proto::plans::v1::{Plan, PlanState};

use crate::lookup::school_year_of;
use crate::words;

use super::view::Sources;

/// Links to the plans of other years; from an earlier one, back to the newest.
pub fn other_years(sources: &Sources, path: &str) -> Vec<(String, String)> {
    if sources.plan_year_asked {
        return vec![(path.to_owned(), "the newest plan".to_owned())];
    }
    let earlier = sources.earlier.iter().filter_map(|answer| answer.plan.as_ref());
    earlier.map(|plan| (format!("{path}?year={}", plan.school_year), words::school_year(plan.school_year))).collect()
}

/// The year that a plan can be taken into: from March on, and as long as it is of a year that has passed.
pub fn next_year(plan: &Plan, today: &str) -> String {
    let ends = matches!(plan.state(), PlanState::Active | PlanState::UnderRevision | PlanState::Closed);
    let this_year = school_year_of(today);
    let spring = today.get(5..7).is_some_and(|month| ("03"..="06").contains(&month));
    let due = plan.school_year < this_year || (plan.school_year == this_year && spring);
    if ends && due && plan.school_year > 0 { words::school_year(plan.school_year + 1) } else { String::new() }
}

/// What a tier can come from outside a class review: an individual review, a concern, another school.
pub fn tier_sources(sources: &Sources) -> Vec<(String, String)> {
    let reviews = sources
        .individual
        .iter()
        .map(|one| (format!("isr:{}", one.individual_review_id), format!("The individual review of {}", words::day_of(one.open_time.as_ref()))));
    let concerns =
        sources.concerns.iter().map(|one| (format!("concern:{}", one.concern_id), format!("The concern of {}", words::day_of(one.raise_time.as_ref()))));
    reviews.chain(concerns).chain([("transfer_in:".to_owned(), "The student came from another school".to_owned())]).collect()
}

/// The end of the school year that a day lies in: consents end there unless the family says otherwise.
pub fn year_end(today: &str) -> String {
    format!("{}-06-30", school_year_of(today))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_taken_on_from_march_and_later_years_catch_up() {
        let plan = |state: PlanState| Plan { state: state.into(), school_year: 2027, ..Default::default() };
        for (state, today, next) in [
            (PlanState::Active, "2027-02-28", ""),
            (PlanState::Active, "2027-03-01", "2027–28"),
            (PlanState::Closed, "2027-06-30", "2027–28"),
            (PlanState::UnderRevision, "2027-09-10", "2027–28"),
            (PlanState::Draft, "2027-05-01", ""),
            (PlanState::Active, "2026-08-01", ""),
        ] {
            assert_eq!(next_year(&plan(state), today), next, "{state:?} on {today}");
        }
        assert_eq!(next_year(&Plan::default(), "2027-05-01"), "", "no plan");
    }

    #[test]
    fn consents_end_with_the_school_year() {
        assert_eq!(year_end("2026-10-22"), "2027-06-30");
        assert_eq!(year_end("2027-03-01"), "2027-06-30");
    }
}
