//! When an answer is due. Monday to Friday are school days; a school day ends at an hour that the district sets.

use chassis_clock::Tz;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, SubsecRound as _, Utc, Weekday};

use crate::words::Urgency;

/// School days until a concern that is not urgent is due.
const ROUTINE_DAYS: usize = 3;

/// The district's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    zone: Tz,
    day_ends_at: NaiveTime,
}

impl Clock {
    /// Of a place in this zone where a school day ends at this hour.
    pub fn new(zone: Tz, day_ends_at: NaiveTime) -> Self {
        Self { zone, day_ends_at }
    }

    /// The date there.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// When an answer is due to what was raised at this time.
    pub fn due(&self, urgency: Urgency, raised_at: DateTime<Utc>) -> DateTime<Utc> {
        let local = raised_at.with_timezone(&self.zone).naive_local();
        let today = local.date();
        let day = match urgency {
            Urgency::Urgent if is_school_day(today) && local.time() < self.day_ends_at => today,
            Urgency::Urgent => school_days_after(today, 1),
            Urgency::Routine => school_days_after(today, ROUTINE_DAYS),
        };
        chassis_clock::moment(self.zone, day, self.day_ends_at)
    }
}

fn is_school_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn school_days_after(day: NaiveDate, count: usize) -> NaiveDate {
    day.iter_days().skip(1).filter(|d| is_school_day(*d)).take(count).last().unwrap_or(day)
}

/// Now, to the microsecond, as the database keeps it: an answer says the same time now and when it is asked again.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// The school year of a day: the year in which it ends. It turns in July.
pub fn school_year(day: NaiveDate) -> i32 {
    if day.month() >= 7 { day.year() + 1 } else { day.year() }
}

/// Six weeks after a day.
pub fn six_weeks_after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(42)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn what_is_due_when() {
        let clock = Clock::new(Tz::America__New_York, NaiveTime::from_hms_opt(15, 30, 0).unwrap());
        // 2026-10-05 is a Monday; 15:30 there is 19:30 in UTC, and 20:30 in winter.
        let table = [
            ("2026-10-05T13:00:00Z", Urgency::Urgent, "2026-10-05T19:30:00Z"),
            ("2026-10-05T19:29:59Z", Urgency::Urgent, "2026-10-05T19:30:00Z"),
            ("2026-10-05T19:30:00Z", Urgency::Urgent, "2026-10-06T19:30:00Z"),
            ("2026-10-09T21:00:00Z", Urgency::Urgent, "2026-10-12T19:30:00Z"),
            ("2026-10-10T15:00:00Z", Urgency::Urgent, "2026-10-12T19:30:00Z"),
            // Sunday evening there is Monday in UTC.
            ("2026-10-12T03:00:00Z", Urgency::Urgent, "2026-10-12T19:30:00Z"),
            ("2026-10-05T13:00:00Z", Urgency::Routine, "2026-10-08T19:30:00Z"),
            ("2026-10-07T13:00:00Z", Urgency::Routine, "2026-10-12T19:30:00Z"),
            ("2026-10-10T15:00:00Z", Urgency::Routine, "2026-10-14T19:30:00Z"),
            // The clocks turn on the Sunday between.
            ("2026-10-30T19:30:00Z", Urgency::Urgent, "2026-11-02T20:30:00Z"),
        ];
        for (raised, urgency, due) in table {
            assert_eq!(clock.due(urgency, at(raised)), at(due), "{raised} {urgency:?}");
        }
        assert_eq!(clock.day(at("2026-10-12T03:00:00Z")), NaiveDate::from_ymd_opt(2026, 10, 11).unwrap());
    }

    #[test]
    fn the_school_year_turns_in_july() {
        let year = |month, day| school_year(NaiveDate::from_ymd_opt(2026, month, day).unwrap());
        assert_eq!((year(6, 30), year(7, 1), year(12, 31)), (2026, 2027, 2027));
    }
}
