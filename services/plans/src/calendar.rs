//! School years and school days. School days are weekdays for now; the same arithmetic is `plans.school_days` in SQL.

pub use chassis_clock::{day_of, today};
use chrono::{Datelike as _, NaiveDate};

/// The school year of a day, named after the year in which it ends. It begins on the first of July.
pub fn school_year(day: NaiveDate) -> i32 {
    if day.month() >= 7 { day.year() + 1 } else { day.year() }
}

/// School days after `from`, up to and including `to`; 0 where `to` is not later.
pub fn school_days(from: NaiveDate, to: NaiveDate) -> i32 {
    (weekdays(to) - weekdays(from)).max(0)
}

/// Whether school is held on a day.
pub fn is_school_day(day: NaiveDate) -> bool {
    day.weekday().num_days_from_monday() < 5
}

/// Weekdays of our era up to and including a day. Day 1 was a Monday.
fn weekdays(day: NaiveDate) -> i32 {
    let since = day.num_days_from_ce() - 1;
    since.div_euclid(7) * 5 + (since.rem_euclid(7) + 1).min(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn weekends_do_not_count() {
        assert_eq!(school_days(day("2026-11-20"), day("2026-11-23")), 1, "Friday to Monday");
        assert_eq!(school_days(day("2026-11-21"), day("2026-11-22")), 0, "within a weekend");
        assert_eq!(school_days(day("2026-11-16"), day("2026-12-14")), 20, "four weeks");
        assert_eq!(school_days(day("2026-12-14"), day("2026-11-16")), 0, "backwards");
    }

    #[test]
    fn the_school_year_starts_in_july() {
        assert_eq!(school_year(day("2026-06-30")), 2026);
        assert_eq!(school_year(day("2026-07-01")), 2027);
    }
}
