//! One session of a service, and when it may be logged.

use chrono::NaiveDate;
use uuid::Uuid;

pub use crate::codes::{Attendance, DeliveryMode};
use crate::codes::{EnrolmentState, coded};

coded! {
    /// Where a delivery came from.
    Source { Staff = "staff", Partner = "partner", File = "file" }
}

impl Attendance {
    /// Whether the student did not come although there was a session: a no-show.
    pub fn is_absence(self) -> bool {
        matches!(self, Self::AbsentExcused | Self::AbsentUnexcused)
    }
    /// Whether there was no session at all.
    pub fn is_called_off(self) -> bool {
        matches!(self, Self::CancelledByProvider | Self::SchoolClosed)
    }
}

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
    /// How it was done.
    pub mode: Option<DeliveryMode>,
    /// In words; readers of the item.
    pub note: String,
    /// 0 to 4 towards the goal.
    pub goal_progress: Option<i16>,
    /// Where it came from.
    pub source: Source,
    /// The group whose attendance it was.
    pub group_id: Option<Uuid>,
    /// Takes back the one that it supersedes; counts for nothing.
    pub void: bool,
    /// The one that it corrects.
    pub supersedes_id: Option<Uuid>,
    /// The one that corrects it; none while it stands.
    pub superseded_by: Option<Uuid>,
}

impl Delivery {
    /// A session of which nothing more is said.
    pub fn plain(delivery_id: Uuid, enrolment_id: Uuid, delivered_on: NaiveDate, minutes: (i16, i16), attendance: Attendance) -> Self {
        Self {
            delivery_id,
            enrolment_id,
            delivered_on,
            planned_minutes: minutes.0,
            delivered_minutes: minutes.1,
            attendance,
            mode: None,
            note: String::new(),
            goal_progress: None,
            source: Source::Staff,
            group_id: None,
            void: false,
            supersedes_id: None,
            superseded_by: None,
        }
    }

    /// The same, taken back. The day stays: it says where the one that it supersedes was.
    pub fn taken_back(&self, delivery_id: Uuid) -> Self {
        let minutes = (0, 0);
        Self { void: true, supersedes_id: Some(self.delivery_id), ..Self::plain(delivery_id, self.enrolment_id, self.delivered_on, minutes, self.attendance) }
    }

    /// Whether two say the same of a session, whatever their ids.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |d: &Self| (d.delivered_on, d.planned_minutes, d.delivered_minutes, d.attendance, d.note.clone(), d.void);
        said(self) == said(other)
    }
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
        let delivery = |on: &str, minutes, attendance| Delivery::plain(Uuid::max(), Uuid::max(), day(on), (45, minutes), attendance);
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
