//! One session of a service, and when it may be logged.

use chrono::NaiveDate;
use uuid::Uuid;

pub use crate::codes::Attendance;
use crate::codes::EnrolmentState;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Chosen by the client.
    pub delivery_id: Uuid,
    /// Of which enrolment.
    pub enrolment_id: Uuid,
    /// When.
    pub delivered_on: NaiveDate,
    /// Planned minutes.
    pub planned_minutes: i16,
    /// Delivered minutes.
    pub delivered_minutes: i16,
    /// Whether the student was there.
    pub attendance: Attendance,
}

/// What of an enrolment decides whether a session of it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// State of the enrolment.
    pub state: EnrolmentState,
    /// First day.
    pub started_on: Option<NaiveDate>,
    /// Last day.
    pub ended_on: Option<NaiveDate>,
}

/// Why a session cannot be logged, and in which field; none where it can. One that is past may be logged later, as long
/// as it lies within the enrolment's days.
pub fn refusal(delivery: &Delivery, span: Span, today: NaiveDate) -> Option<(&'static str, String)> {
    if delivery.delivered_on > today {
        return Some(("delivered_on", "must not be in the future".to_owned()));
    }
    let away = !matches!(delivery.attendance, Attendance::Present | Attendance::Partial);
    if away && delivery.delivered_minutes > 0 {
        return Some(("delivered_minutes", format!("must be 0 where attendance is {}", delivery.attendance.as_str())));
    }
    let running = matches!(span.state, EnrolmentState::Active | EnrolmentState::Paused | EnrolmentState::Completed | EnrolmentState::Stopped);
    match span.started_on {
        Some(start) if running => {
            let end = span.ended_on.unwrap_or(today);
            (delivery.delivered_on < start || delivery.delivered_on > end)
                .then(|| ("delivered_on", format!("must be from {start} to {end}, the days of the enrolment")))
        }
        _ => Some(("enrolment_id", format!("the enrolment is {}; start it before sessions are logged", span.state.as_str()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_belong_within_the_days_of_a_started_enrolment() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let delivery = |on: &str, minutes, attendance| Delivery {
            delivery_id: Uuid::max(),
            enrolment_id: Uuid::max(),
            delivered_on: day(on),
            planned_minutes: 45,
            delivered_minutes: minutes,
            attendance,
        };
        let span = |state, ended: Option<&str>| Span { state, started_on: Some(day("2026-10-01")), ended_on: ended.map(day) };
        let today = day("2026-11-02");
        let field = |d: &Delivery, s| refusal(d, s, today).map(|(field, _)| field);
        let fine = delivery("2026-10-05", 40, Attendance::Present);
        assert_eq!(field(&fine, span(EnrolmentState::Active, None)), None);
        assert_eq!(field(&fine, span(EnrolmentState::Completed, Some("2026-10-05"))), None);
        assert_eq!(field(&fine, span(EnrolmentState::Stopped, Some("2026-10-02"))), Some("delivered_on"));
        assert_eq!(field(&fine, Span { state: EnrolmentState::Offered, started_on: None, ended_on: None }), Some("enrolment_id"));
        assert_eq!(field(&fine, span(EnrolmentState::Void, None)), Some("enrolment_id"));
        assert_eq!(field(&delivery("2026-09-30", 40, Attendance::Present), span(EnrolmentState::Active, None)), Some("delivered_on"));
        assert_eq!(field(&delivery("2026-11-03", 40, Attendance::Present), span(EnrolmentState::Active, None)), Some("delivered_on"));
        assert_eq!(field(&delivery("2026-10-05", 40, Attendance::AbsentExcused), span(EnrolmentState::Active, None)), Some("delivered_minutes"));
    }
}
