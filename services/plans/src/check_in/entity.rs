//! A regular check-in between a member of staff and the family or the student, and how many were due.

use chrono::{Datelike as _, Days, NaiveDate};
use uuid::Uuid;

/// A regular check-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// Its id.
    pub check_in_id: Uuid,
    /// Plan.
    pub plan_id: Uuid,
    /// Who of the staff.
    pub staff_id: Uuid,
    /// `family` or `student`.
    pub with_whom: String,
    /// Every 1, 2 or 4 weeks.
    pub every_weeks: i16,
    /// ISO weekday.
    pub weekday: i16,
    /// What about.
    pub about: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day; none while it goes on.
    pub ends_on: Option<NaiveDate>,
    /// For the next write.
    pub version: i64,
    /// How many happened.
    pub happened: i64,
    /// Newest first.
    pub notes: Vec<Note>,
}

/// One check-in, or one that was missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub note_id: Uuid,
    /// When.
    pub on_date: NaiveDate,
    /// It happened.
    pub happened: bool,
    /// What staff told.
    pub from_staff: String,
    /// What the family or student told.
    pub from_family: String,
    /// Who wrote it down.
    pub recorded_by: Uuid,
}

impl CheckIn {
    /// How many were due from the first day up to and including a day.
    pub fn due_until(&self, day: NaiveDate) -> i32 {
        let last = self.ends_on.map_or(day, |end| end.min(day));
        let ahead = (i64::from(self.weekday) - i64::from(self.starts_on.weekday().number_from_monday())).rem_euclid(7);
        let first = self.starts_on + Days::new(ahead.unsigned_abs());
        if last < first {
            return 0;
        }
        i32::try_from((last - first).num_days() / (7 * i64::from(self.every_weeks.max(1))) + 1).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_ins_are_due_on_their_weekday_from_the_first_day_on() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let weekly = |weekday, every_weeks, ends_on: Option<&str>| CheckIn {
            check_in_id: Uuid::nil(),
            plan_id: Uuid::nil(),
            staff_id: Uuid::nil(),
            with_whom: "family".to_owned(),
            every_weeks,
            weekday,
            about: String::new(),
            // A Wednesday.
            starts_on: day("2026-11-04"),
            ends_on: ends_on.map(day),
            version: 1,
            happened: 0,
            notes: Vec::new(),
        };
        for (weekday, every, ends, until, due) in [
            (5, 1, None, "2026-11-05", 0),
            (5, 1, None, "2026-11-06", 1),
            (5, 1, None, "2026-11-27", 4),
            (3, 1, None, "2026-11-04", 1),
            (1, 1, None, "2026-11-09", 1),
            (5, 2, None, "2026-11-27", 2),
            (5, 4, None, "2026-12-04", 2),
            (5, 1, Some("2026-11-13"), "2026-12-31", 2),
            (5, 1, None, "2026-10-01", 0),
        ] {
            assert_eq!(weekly(weekday, every, ends).due_until(day(until)), due, "{weekday} every {every} until {until}");
        }
    }
}
