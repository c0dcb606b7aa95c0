//! A school's own group, its schedule, and what being in it comes to.

use chrono::{Datelike as _, NaiveDate};
use uuid::Uuid;

use crate::calendar::is_school_day;
use crate::codes::Attendance;
use crate::enrolment::entity::Enrolment;
use crate::error::PlanError;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub group_id: Uuid,
    /// Where.
    pub school_id: Uuid,
    /// Year in which the school year ends.
    pub school_year: i32,
    /// As staff call it.
    pub name: String,
    /// Category of service.
    pub service_category: String,
    /// Who leads it.
    pub leader_id: Uuid,
    /// ISO weekdays, 1 Monday to 7, in order and each once.
    pub weekdays: Vec<i16>,
    /// `HH:MM` or empty.
    pub starts_at: String,
    /// Minutes a session.
    pub minutes_per_session: i16,
    /// First day.
    pub first_on: NaiveDate,
    /// Last day.
    pub last_on: NaiveDate,
    /// Places.
    pub capacity: i16,
    /// Absences in a row that raise a follow-up; 0 leaves it to the district.
    pub no_show_limit: i16,
    /// Members whose enrolment goes on and may be seen.
    pub member_count: i64,
    /// For the next write.
    pub version: i64,
}

impl Group {
    /// Days of sessions until a day, newest first, at most `most`. School days are weekdays, whatever the schedule says.
    pub fn sessions_until(&self, today: NaiveDate, most: usize) -> Vec<NaiveDate> {
        let mut days = Vec::new();
        let mut day = self.last_on.min(today);
        while day >= self.first_on && days.len() < most {
            if self.meets_on(day) {
                days.push(day);
            }
            let Some(before) = day.pred_opt() else { break };
            day = before;
        }
        days
    }

    /// Whether the schedule has a session on a day.
    pub fn meets_on(&self, day: NaiveDate) -> bool {
        let weekday = i16::try_from(day.weekday().number_from_monday()).unwrap_or(0);
        is_school_day(day) && self.weekdays.contains(&weekday) && day >= self.first_on && day <= self.last_on
    }

    /// Gives an enrolment the group's dose where it has none of its own.
    pub fn fill_dose(&self, enrolment: &mut Enrolment, today: NaiveDate) -> Result<(), PlanError> {
        if self.last_on < today {
            return Err(PlanError::field("group_id", format!("is over since {}; choose one that goes on", self.last_on)));
        }
        let from = enrolment.starts_on.unwrap_or(today).max(self.first_on);
        if from > self.last_on {
            return Err(PlanError::field("starts_on", format!("must not be after the group's last day, {}", self.last_on)));
        }
        let fill = |value: &mut i16, of_group: i64| {
            if *value == 0 {
                *value = i16::try_from(of_group).unwrap_or(i16::MAX);
            }
        };
        let weeks = (self.last_on.signed_duration_since(from).num_days() / 7 + 1).clamp(1, 60);
        fill(&mut enrolment.sessions_per_week, i64::try_from(self.weekdays.len()).unwrap_or(7));
        fill(&mut enrolment.minutes_per_session, self.minutes_per_session.into());
        fill(&mut enrolment.weeks, weeks);
        Ok(())
    }
}

/// Share of sessions that a member came to; none where there was none. Those that were called off do not count.
pub fn attendance_rate(sessions: &[Attendance]) -> Option<f64> {
    let held: Vec<bool> = sessions.iter().filter(|a| !a.is_called_off()).map(|a| !a.is_absence()).collect();
    let share = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (!held.is_empty()).then(|| share(held.iter().filter(|came| **came).count()) / share(held.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn group(weekdays: &[i16]) -> Group {
        Group {
            group_id: Uuid::max(),
            school_id: Uuid::max(),
            school_year: 2027,
            name: "Lunch bunch".to_owned(),
            service_category: "SE-GRP".to_owned(),
            leader_id: Uuid::max(),
            weekdays: weekdays.to_vec(),
            starts_at: String::new(),
            minutes_per_session: 30,
            first_on: day("2026-10-05"),
            last_on: day("2026-12-18"),
            capacity: 6,
            no_show_limit: 0,
            member_count: 0,
            version: 1,
        }
    }

    #[test]
    fn sessions_are_the_school_days_of_the_schedule_until_today() {
        let sessions = |weekdays: &[i16], today: &str| group(weekdays).sessions_until(day(today), 3);
        assert_eq!(sessions(&[2, 4], "2026-10-14"), [day("2026-10-13"), day("2026-10-08"), day("2026-10-06")]);
        assert_eq!(sessions(&[1], "2026-10-05"), [day("2026-10-05")]);
        assert!(sessions(&[1], "2026-10-04").is_empty(), "before the first day");
        assert!(sessions(&[6, 7], "2026-11-30").is_empty(), "never on a weekend");
        assert_eq!(sessions(&[5], "2027-03-01")[0], day("2026-12-18"), "none after the last day");
    }

    #[test]
    fn a_member_gets_the_groups_dose_unless_they_have_their_own() {
        let enrolled = |dose, starts_on: Option<&str>, today: &str| {
            let mut e = Enrolment { starts_on: starts_on.map(day), ..crate::enrolment::offered(Uuid::max(), Uuid::max(), None, dose) };
            group(&[2, 4]).fill_dose(&mut e, day(today)).map(|()| (e.sessions_per_week, e.minutes_per_session, e.weeks)).ok()
        };
        assert_eq!(enrolled((0, 0, 0), None, "2026-09-01"), Some((2, 30, 11)));
        assert_eq!(enrolled((0, 0, 0), None, "2026-12-14"), Some((2, 30, 1)));
        assert_eq!(enrolled((0, 0, 0), Some("2026-12-07"), "2026-10-06"), Some((2, 30, 2)));
        assert_eq!(enrolled((1, 0, 5), None, "2026-09-01"), Some((1, 30, 5)));
        assert_eq!(enrolled((0, 0, 0), None, "2026-12-19"), None, "it is over");
        assert_eq!(enrolled((0, 0, 0), Some("2026-12-19"), "2026-12-01"), None, "it would be over");
    }

    #[test]
    fn the_attendance_rate_leaves_out_what_was_called_off() {
        use Attendance as A;
        assert_eq!(attendance_rate(&[]), None);
        assert_eq!(attendance_rate(&[A::SchoolClosed]), None);
        assert_eq!(attendance_rate(&[A::Present, A::Partial, A::AbsentExcused, A::AbsentUnexcused, A::CancelledByProvider]), Some(0.5));
    }
}
