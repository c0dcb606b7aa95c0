//! A student in a service, and how that goes on (handbook 5.6).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::dose::{self, Course, Dose};
use crate::codes::coded;
pub use crate::codes::{EnrolmentState, ItemState, UnmetReason};
use crate::error::PlanError;
use crate::plan_item::entity::Source;

coded! {
    /// What can be done with an enrolment.
    EnrolmentTransition {
        Accept = "accept",
        Decline = "decline",
        Waitlist = "waitlist",
        Seat = "seat",
        Start = "start",
        Pause = "pause",
        Resume = "resume",
        Complete = "complete",
        Stop = "stop",
        Void = "void",
    }
}

/// Why a service stops or pauses.
pub const STOP_REASONS: [&str; 10] =
    ["moved", "goal_met_early", "no_shows", "family_choice", "provider_ended", "safety", "cost", "transport", "schedule", "other"];
/// Why a family declines.
pub const DECLINE_REASONS: [&str; 7] = ["no_longer_interested", "schedule", "transport", "cost", "language", "trust", "did_not_respond"];
/// How a completed service came out.
pub const OUTCOMES: [&str; 4] = ["need_met", "need_partly_met", "need_not_met", "unknown"];

impl EnrolmentState {
    /// The state after a transition, or why it cannot be.
    pub fn transition(self, transition: EnrolmentTransition) -> Result<Self, PlanError> {
        use EnrolmentTransition as T;
        match (self, transition) {
            (Self::Offered, T::Accept) | (Self::Waitlisted, T::Seat) => Ok(Self::Accepted),
            (Self::Offered, T::Decline) => Ok(Self::Declined),
            (Self::Offered | Self::Accepted, T::Waitlist) => Ok(Self::Waitlisted),
            (Self::Accepted, T::Start) | (Self::Paused, T::Resume) => Ok(Self::Active),
            (Self::Active, T::Pause) => Ok(Self::Paused),
            (Self::Active, T::Complete) => Ok(Self::Completed),
            (Self::Active | Self::Paused, T::Stop) => Ok(Self::Stopped),
            (Self::Offered | Self::Accepted | Self::Waitlisted | Self::Active | Self::Paused, T::Void) => Ok(Self::Void),
            _ => Err(PlanError::WrongState { what: "enrolment", state: self.as_str(), transition: transition.as_str() }),
        }
    }
}

/// What an enrolment says of its item; none where it was entered in error.
pub fn source(state: EnrolmentState, reason: &str, at: DateTime<Utc>) -> Option<Source> {
    let unhappened = |state, reason| (state, Some(reason));
    let (state, reason) = match (state, reason) {
        (EnrolmentState::Void, _) => return None,
        (EnrolmentState::Offered | EnrolmentState::Accepted | EnrolmentState::Waitlisted, _) => (ItemState::Arranging, None),
        (EnrolmentState::Active | EnrolmentState::Paused, _) => (ItemState::InPlace, None),
        (EnrolmentState::Completed, _) | (EnrolmentState::Stopped, "goal_met_early") => (ItemState::Done, None),
        (EnrolmentState::Declined, reason) => unhappened(ItemState::DeclinedByFamily, hindrance(reason).unwrap_or(UnmetReason::FamilyDeclined)),
        (EnrolmentState::Stopped, "family_choice") => unhappened(ItemState::DeclinedByFamily, UnmetReason::FamilyDeclined),
        (EnrolmentState::Stopped, "moved") => unhappened(ItemState::Withdrawn, UnmetReason::Other),
        (EnrolmentState::Stopped, "provider_ended") => unhappened(ItemState::NotAvailable, UnmetReason::NoService),
        (EnrolmentState::Stopped, reason) => unhappened(ItemState::NotAvailable, hindrance(reason).unwrap_or(UnmetReason::Other)),
    };
    Some(Source { state, reason, at, referral_id: None })
}

fn hindrance(reason: &str) -> Option<UnmetReason> {
    matches!(reason, "transport" | "cost" | "schedule" | "language").then(|| UnmetReason::from_code(reason)).flatten()
}

/// A student in a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub enrolment_id: Uuid,
    /// The item it is for.
    pub plan_item_id: Uuid,
    /// Who.
    pub student_id: Uuid,
    /// The service; none for a school's own group.
    pub service_id: Option<Uuid>,
    /// State.
    pub state: EnrolmentState,
    /// Planned sessions a week.
    pub sessions_per_week: i16,
    /// Minutes a session.
    pub minutes_per_session: i16,
    /// Planned weeks.
    pub weeks: i16,
    /// First day.
    pub started_on: Option<NaiveDate>,
    /// Last day.
    pub ended_on: Option<NaiveDate>,
    /// The group; none for a service that is not one.
    pub group_id: Option<Uuid>,
    /// The day on which it is to start, where known.
    pub starts_on: Option<NaiveDate>,
    /// Since when it waits for a place.
    pub waitlisted_at: Option<DateTime<Utc>>,
    /// Since when it is paused.
    pub paused_on: Option<NaiveDate>,
    /// Days of pauses that are over.
    pub paused_days: i32,
    /// Reason code of the last step.
    pub reason: String,
    /// What came of it, once completed.
    pub outcome: String,
    /// Why it started although what it depends on was not in place.
    pub override_reason: String,
    /// Needs of its item.
    pub need_ids: Vec<Uuid>,
    /// Place in the queue; 0 where it does not wait.
    pub waitlist_position: i64,
    /// Absences in a row at the end.
    pub absences_in_row: i64,
    /// Minutes delivered so far.
    pub delivered_minutes: i64,
    /// Deliveries so far.
    pub delivery_count: i64,
    /// For the next write.
    pub version: i64,
}

impl Enrolment {
    /// Minutes planned until a day.
    pub fn planned_minutes(&self, today: NaiveDate) -> i64 {
        let dose = Dose { sessions_per_week: self.sessions_per_week, minutes_per_session: self.minutes_per_session, weeks: self.weeks };
        let course = Course { started_on: self.started_on, ended_on: self.ended_on, paused_on: self.paused_on, paused_days: self.paused_days };
        dose::planned_minutes(dose, course, today)
    }

    /// Moves it: state, days, pauses and queue together.
    pub fn step(&mut self, transition: EnrolmentTransition, day: NaiveDate, now: DateTime<Utc>) -> Result<(), PlanError> {
        use EnrolmentTransition as T;
        let next = self.state.transition(transition)?;
        let today = chassis_clock::day_of(now);
        (self.started_on, self.ended_on) = self.span_after(transition, day, today)?;
        // A pause is over with its last day, or with the last day of all.
        if let Some(since) = self.paused_on.filter(|_| transition != T::Pause) {
            self.paused_days += dose::pause_days(since, self.ended_on.unwrap_or(today));
        }
        self.paused_on = (transition == T::Pause).then_some(today);
        self.waitlisted_at = (transition == T::Waitlist).then_some(now);
        self.state = next;
        self.version += 1;
        Ok(())
    }

    /// First and last day after a transition on `day`, or why the day cannot be.
    pub fn span_after(&self, transition: EnrolmentTransition, day: NaiveDate, today: NaiveDate) -> Result<(Option<NaiveDate>, Option<NaiveDate>), PlanError> {
        use EnrolmentTransition as T;
        if matches!(transition, T::Start | T::Complete | T::Stop) && day > today {
            return Err(PlanError::field("on_date", "must not be in the future"));
        }
        match transition {
            T::Start => Ok((Some(day), None)),
            T::Complete | T::Stop => match self.started_on {
                Some(start) if day < start => Err(PlanError::field("on_date", format!("must not be before the first day, {start}"))),
                start => Ok((start, Some(day))),
            },
            _ => Ok((self.started_on, self.ended_on)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_from_every_state_is_as_the_table_says() {
        use EnrolmentState as S;
        use EnrolmentTransition as T;
        let mut allowed = vec![
            (S::Offered, T::Accept, S::Accepted),
            (S::Offered, T::Decline, S::Declined),
            (S::Offered, T::Waitlist, S::Waitlisted),
            (S::Accepted, T::Waitlist, S::Waitlisted),
            (S::Waitlisted, T::Seat, S::Accepted),
            (S::Accepted, T::Start, S::Active),
            (S::Active, T::Pause, S::Paused),
            (S::Paused, T::Resume, S::Active),
            (S::Active, T::Complete, S::Completed),
            (S::Active, T::Stop, S::Stopped),
            (S::Paused, T::Stop, S::Stopped),
        ];
        allowed.extend([S::Offered, S::Accepted, S::Waitlisted, S::Active, S::Paused].map(|from| (from, T::Void, S::Void)));
        for from in S::ALL {
            for transition in T::ALL {
                let expected = allowed.iter().find(|(f, t, _)| f == from && t == transition).map(|(_, _, to)| *to);
                assert_eq!(from.transition(*transition).ok(), expected, "{} {}", from.as_str(), transition.as_str());
            }
        }
    }

    #[test]
    fn a_step_moves_state_days_pauses_and_queue_together_or_nothing() {
        let now = Utc::now();
        let today = chassis_clock::day_of(now);
        let (start, pause) = (today - chrono::Days::new(20), today - chrono::Days::new(5));
        for state in EnrolmentState::ALL {
            for transition in EnrolmentTransition::ALL {
                let before = Enrolment {
                    state: *state,
                    started_on: Some(start),
                    paused_on: (*state == EnrolmentState::Paused).then_some(pause),
                    waitlisted_at: (*state == EnrolmentState::Waitlisted).then_some(now),
                    ..crate::enrolment::offered(Uuid::max(), Uuid::max(), None, (2, 45, 10))
                };
                let mut after = before.clone();
                let what = format!("{} {}", state.as_str(), transition.as_str());
                match (after.step(*transition, today, now), state.transition(*transition)) {
                    (Ok(()), Ok(next)) => assert_eq!((after.state, after.version), (next, 2), "{what}"),
                    (Err(_), Err(_)) => {
                        assert_eq!(after, before, "{what}");
                        continue;
                    }
                    _ => panic!("{what}"),
                }
                assert_eq!(after.paused_on, (after.state == EnrolmentState::Paused).then_some(today), "{what}");
                assert_eq!(after.paused_days, if *state == EnrolmentState::Paused { 5 } else { 0 }, "{what}");
                assert_eq!(after.waitlisted_at.is_some(), after.state == EnrolmentState::Waitlisted, "{what}");
                let ended = matches!(after.state, EnrolmentState::Completed | EnrolmentState::Stopped);
                assert_eq!(after.ended_on, ended.then_some(today), "{what}");
            }
        }
    }

    #[test]
    fn every_stop_and_decline_reason_leads_somewhere() {
        let at = Utc::now();
        for reason in STOP_REASONS {
            let stopped = source(EnrolmentState::Stopped, reason, at).unwrap();
            assert_eq!(stopped.state.is_unhappened(), stopped.reason.is_some(), "{reason}");
        }
        for reason in DECLINE_REASONS {
            assert_eq!(source(EnrolmentState::Declined, reason, at).unwrap().state, ItemState::DeclinedByFamily, "{reason}");
        }
        assert_eq!(source(EnrolmentState::Stopped, "transport", at).unwrap().reason, Some(UnmetReason::Transport));
        assert_eq!(source(EnrolmentState::Void, "", at), None);
    }
}
