//! The unmet need (handbook 5.12), as a pure rule. `plans.unmet_reason` is the same in SQL.

use chrono::NaiveDate;

use crate::calendar::school_days;
use crate::codes::{NeedState, UnmetReason};

/// What the rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// State of the need.
    pub state: NeedState,
    /// Whether any item is in place or done.
    pub has_item_in_place: bool,
    /// Whether it has items and all of them ended without happening.
    pub all_items_ended: bool,
    /// From the last item.
    pub last_reason: UnmetReason,
    /// When it was recorded.
    pub recorded_on: NaiveDate,
}

/// Why a need is unmet on a day; none where it is not. Unmet is an open need all of whose items ended without happening,
/// or with nothing in place more than so many school days after it was recorded.
pub fn reason(facts: Facts, as_of: NaiveDate, after_school_days: i32) -> Option<UnmetReason> {
    if facts.state.is_settled() || facts.recorded_on > as_of {
        return None;
    }
    let late = !facts.has_item_in_place && school_days(facts.recorded_on, as_of) > after_school_days;
    (facts.all_items_ended || late).then_some(facts.last_reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            state: NeedState::Open,
            has_item_in_place: false,
            all_items_ended: false,
            last_reason: UnmetReason::NotYetArranged,
            recorded_on: "2026-09-07".parse().unwrap(),
        }
    }

    #[test]
    fn a_need_with_nothing_in_place_is_unmet_from_the_twenty_first_school_day() {
        assert_eq!(reason(facts(), "2026-10-05".parse().unwrap(), 20), None, "the twentieth");
        assert_eq!(reason(facts(), "2026-10-06".parse().unwrap(), 20), Some(UnmetReason::NotYetArranged));
        assert_eq!(reason(Facts { has_item_in_place: true, ..facts() }, "2026-12-01".parse().unwrap(), 20), None);
    }

    #[test]
    fn a_need_whose_items_all_ended_is_unmet_at_once_and_for_the_last_items_reason() {
        let ended = Facts { all_items_ended: true, last_reason: UnmetReason::NoCapacity, ..facts() };
        assert_eq!(reason(ended, "2026-09-08".parse().unwrap(), 20), Some(UnmetReason::NoCapacity));
        assert_eq!(reason(ended, "2026-09-01".parse().unwrap(), 20), None, "before it was recorded");
    }

    #[test]
    fn a_settled_need_is_never_unmet() {
        for state in [NeedState::Met, NeedState::PartlyMet, NeedState::NotMet, NeedState::NoLonger] {
            assert_eq!(reason(Facts { state, all_items_ended: true, ..facts() }, "2027-01-01".parse().unwrap(), 20), None);
        }
    }
}
