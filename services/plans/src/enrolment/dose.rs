//! What was planned until a day: the dose for each week that has begun, without the pauses (handbook 7.3, SV-3).

use chrono::NaiveDate;

/// Sessions a week, minutes a session, weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dose {
    /// Planned sessions a week.
    pub sessions_per_week: i16,
    /// Minutes a session.
    pub minutes_per_session: i16,
    /// Planned weeks.
    pub weeks: i16,
}

/// When an enrolment went on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// First day; none where it never started.
    pub started_on: Option<NaiveDate>,
    /// Last day.
    pub ended_on: Option<NaiveDate>,
    /// Since when it is paused; none where it is not.
    pub paused_on: Option<NaiveDate>,
    /// Days of pauses that are over.
    pub paused_days: i32,
}

/// Minutes planned from the first day until the last or, while it goes on, until `today`: a week counts once it begins, no
/// more than the planned weeks count, and time that it was paused does not.
pub fn planned_minutes(dose: Dose, course: Course, today: NaiveDate) -> i64 {
    let Some(start) = course.started_on else { return 0 };
    let until = course.ended_on.unwrap_or(today).min(today);
    let paused_now = course.paused_on.map_or(0, |since| days(since.max(start), until).max(0));
    let gone = days(start, until) + 1 - i64::from(course.paused_days) - paused_now;
    let begun = (gone.max(0) + 6) / 7;
    begun.min(dose.weeks.into()) * i64::from(dose.sessions_per_week) * i64::from(dose.minutes_per_session)
}

/// Days of a pause from its first day until it is over; its last day counts again.
pub fn pause_days(from: NaiveDate, to: NaiveDate) -> i32 {
    i32::try_from(days(from, to).max(0)).unwrap_or(i32::MAX)
}

fn days(from: NaiveDate, to: NaiveDate) -> i64 {
    to.signed_duration_since(from).num_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_counts_once_it_begins_and_pauses_do_not() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let dose = Dose { sessions_per_week: 2, minutes_per_session: 45, weeks: 3 };
        let start = Some(day("2026-10-05"));
        let going = Course { started_on: start, ..Course::default() };
        let table = [
            (Course::default(), "2026-10-05", 0, "never started"),
            (going, "2026-10-04", 0, "starts tomorrow"),
            (going, "2026-10-05", 1, "the first day"),
            (going, "2026-10-11", 1, "the end of the first week"),
            (going, "2026-10-12", 2, "the second week begins"),
            (going, "2026-12-31", 3, "no more than was planned"),
            (Course { ended_on: Some(day("2026-10-14")), ..going }, "2026-12-31", 2, "until it ended"),
            (Course { paused_days: 7, ..going }, "2026-10-19", 2, "a week's pause"),
            (Course { paused_on: Some(day("2026-10-12")), ..going }, "2026-12-31", 2, "paused on its eighth day, and still"),
            (Course { paused_on: Some(day("2026-10-05")), paused_days: 1, ..going }, "2026-12-31", 0, "paused from the start"),
        ];
        for (course, today, weeks, what) in table {
            assert_eq!(planned_minutes(dose, course, day(today)), weeks * 90, "{what}");
        }
        assert_eq!(pause_days(day("2026-10-05"), day("2026-10-12")), 7);
        assert_eq!(pause_days(day("2026-10-12"), day("2026-10-05")), 0);
    }
}
