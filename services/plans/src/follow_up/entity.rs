//! A follow-up, when it is due and how it moves (handbook 5.8).

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};
use uuid::Uuid;

use crate::calendar::school_year;
use crate::codes::coded;
pub use crate::codes::{FollowUpKind, FollowUpState, Sensitivity, SubjectKind};
use crate::error::PlanError;

coded! {
    /// What can be done with a follow-up.
    FollowUpTransition { Done = "done", Snooze = "snooze", Reassign = "reassign", Cancel = "cancel", Reopen = "reopen" }
}

coded! {
    /// The rule that raises one.
    Rule {
        TwoWeeks = "two_weeks",
        SixWeeks = "six_weeks",
        YearEnd = "year_end",
        Urgent = "urgent",
        NoShow = "no_show",
        IndividualReview = "individual_review",
        LowRating = "low_rating",
    }
}

/// What can come of one.
pub const RESULTS: [&str; 5] = ["going_well", "needs_change", "not_reached", "stopped", "done"];
/// Between two nudges.
pub const NUDGE_EVERY: TimeDelta = TimeDelta::weeks(1);

impl FollowUpState {
    /// Whether it is still to do.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Snoozed)
    }

    /// The state after a transition, or why it cannot be.
    pub fn transition(self, transition: FollowUpTransition) -> Result<Self, PlanError> {
        use FollowUpTransition as T;
        match (self, transition) {
            (Self::Open | Self::Snoozed, T::Done) => Ok(Self::Done),
            (Self::Open | Self::Snoozed, T::Snooze) => Ok(Self::Snoozed),
            (Self::Open | Self::Snoozed, T::Reassign) => Ok(self),
            (Self::Open | Self::Snoozed, T::Cancel) => Ok(Self::Cancelled),
            (Self::Snoozed | Self::Done | Self::Cancelled, T::Reopen) => Ok(Self::Open),
            _ => Err(PlanError::WrongState { what: "follow-up", state: self.as_str(), transition: transition.as_str() }),
        }
    }
}

impl Rule {
    /// When what it raises is due, counted from the day on which its cause began. Never on a weekend, and never before
    /// that day: the year's end is the fifteenth of May, and at once where that is past.
    pub fn due(self, from: NaiveDate) -> NaiveDate {
        let due = match self {
            Self::TwoWeeks => from + Days::new(14),
            Self::SixWeeks => from + Days::new(42),
            Self::Urgent | Self::LowRating => from + Days::new(7),
            Self::YearEnd => NaiveDate::from_ymd_opt(school_year(from), 5, 15).map_or(from, |end| end.max(from)),
            Self::NoShow | Self::IndividualReview => from,
        };
        weekday(due)
    }

    /// What it asks to do.
    pub fn kind(self) -> FollowUpKind {
        match self {
            Self::TwoWeeks | Self::NoShow => FollowUpKind::CheckAttendance,
            Self::SixWeeks | Self::LowRating => FollowUpKind::CheckGoal,
            Self::YearEnd => FollowUpKind::NextYearStart,
            Self::Urgent => FollowUpKind::ContactFamily,
            Self::IndividualReview => FollowUpKind::IndividualReview,
        }
    }
}

/// The day, or the Monday after it where it is on a weekend.
pub fn weekday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day + Days::new(2),
        Weekday::Sun => day + Days::new(1),
        _ => day,
    }
}

/// Something to look after, with the sensitivity of what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp {
    /// Its id.
    pub follow_up_id: Uuid,
    /// About whom.
    pub student_id: Uuid,
    /// School whose coordinator looks after it.
    pub school_id: Uuid,
    /// What it is about.
    pub subject: SubjectKind,
    /// Which.
    pub subject_id: Uuid,
    /// Needs behind that.
    pub need_ids: Vec<Uuid>,
    /// The organisation of the referral, where it is about one.
    pub partner_id: Option<Uuid>,
    /// What to do.
    pub kind: FollowUpKind,
    /// By when.
    pub due_on: NaiveDate,
    /// By whom; the school's coordinator where none.
    pub owner_id: Option<Uuid>,
    /// State as it was set.
    pub state: FollowUpState,
    /// What to know.
    pub note: String,
    /// What came of it.
    pub result: String,
    /// Words on that.
    pub result_note: String,
    /// Who raised it; none for a rule.
    pub raised_by: Option<Uuid>,
    /// `staff`, `partner` or the rule.
    pub raised_as: String,
    /// When.
    pub raised_at: DateTime<Utc>,
    /// Who closed it.
    pub closed_by: Option<Uuid>,
    /// When.
    pub closed_at: Option<DateTime<Utc>>,
    /// When the owner was last reminded.
    pub nudged_at: Option<DateTime<Utc>>,
    /// For the next write.
    pub version: i64,
    /// How sensitive what it is about is now.
    pub sensitivity: Sensitivity,
    /// Domains that must be cleared to see it.
    pub domains: Vec<String>,
}

impl FollowUp {
    /// The state on a day: one that was put off is open again on its new date.
    pub fn state_on(&self, day: NaiveDate) -> FollowUpState {
        if self.state == FollowUpState::Snoozed && self.due_on <= day { FollowUpState::Open } else { self.state }
    }

    /// Reminds the owner, or says from when that may be done again.
    pub fn nudge(&mut self, now: DateTime<Utc>) -> Result<(), PlanError> {
        if !self.state.is_open() {
            return Err(PlanError::WrongState { what: "follow-up", state: self.state.as_str(), transition: "nudge" });
        }
        match self.nudged_at.map(|at| at + NUDGE_EVERY).filter(|next| *next > now) {
            Some(next) => Err(PlanError::NudgedLately { next }),
            None => {
                self.nudged_at = Some(now);
                self.version += 1;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_transition_from_every_state_is_as_the_table_says() {
        use FollowUpState as S;
        use FollowUpTransition as T;
        let mut allowed = vec![(S::Snoozed, T::Reopen, S::Open), (S::Done, T::Reopen, S::Open), (S::Cancelled, T::Reopen, S::Open)];
        for from in [S::Open, S::Snoozed] {
            allowed.extend([(from, T::Done, S::Done), (from, T::Snooze, S::Snoozed), (from, T::Reassign, from), (from, T::Cancel, S::Cancelled)]);
        }
        for from in S::ALL {
            for transition in T::ALL {
                let expected = allowed.iter().find(|(f, t, _)| f == from && t == transition).map(|(_, _, to)| *to);
                assert_eq!(from.transition(*transition).ok(), expected, "{} {}", from.as_str(), transition.as_str());
            }
        }
    }

    #[test]
    fn due_dates_follow_the_handbook_and_weekends_move_to_monday() {
        for (rule, from, due) in [
            (Rule::TwoWeeks, "2026-10-07", "2026-10-21"),
            (Rule::TwoWeeks, "2026-10-10", "2026-10-26"),
            (Rule::SixWeeks, "2026-10-07", "2026-11-18"),
            (Rule::Urgent, "2026-10-07", "2026-10-14"),
            (Rule::Urgent, "2026-10-11", "2026-10-19"),
            (Rule::YearEnd, "2026-10-07", "2027-05-17"),
            (Rule::YearEnd, "2026-02-02", "2026-05-15"),
            (Rule::YearEnd, "2026-05-20", "2026-05-20"),
            (Rule::YearEnd, "2026-07-01", "2027-05-17"),
            (Rule::IndividualReview, "2026-10-10", "2026-10-12"),
        ] {
            assert_eq!(rule.due(day(from)), day(due), "{} from {from}", rule.as_str());
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_due_on_a_weekend_or_before_its_cause(offset in 0u64..40_000, rule in 0usize..Rule::ALL.len()) {
            let from = day("1990-01-01") + Days::new(offset);
            let due = Rule::ALL[rule].due(from);
            proptest::prop_assert!(due >= from && !matches!(due.weekday(), Weekday::Sat | Weekday::Sun));
        }
    }
}
