//! A referral and what moving it does: pure. Its state is private; only [`Referral::apply`] changes it.

use chassis_pg::DbError;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, SubsecRound as _, Utc, Weekday};
use proto::partners::v1::Outcome;
use uuid::Uuid;

use super::repo::Row;
use super::state::{Mode, Side, State, Transition, Urgency, outcome_read, outcome_text};
use super::transition::{Reason, Refusal, transition};
use crate::disclosure::Disclosed;

/// A referral.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Referral {
    pub referral_id: Uuid,
    pub student_id: Uuid,
    pub school_id: Uuid,
    pub need_ids: Vec<Uuid>,
    pub need_codes: Vec<String>,
    pub plan_item_id: Option<Uuid>,
    pub partner_id: Uuid,
    pub service_id: Uuid,
    pub service_category: String,
    pub urgency: Urgency,
    pub mode: Mode,
    pub shared_scopes: Vec<String>,
    pub first_step_owner: String,
    pub requested_by: Uuid,
    pub respond_by: Option<NaiveDate>,
    pub reason: String,
    pub reason_side: String,
    pub outcome: Outcome,
    pub consent_id: Option<Uuid>,
    pub disclosure_id: Option<Uuid>,
    /// What was shared is out of the partner's view again.
    pub recalled: bool,
    /// The consent it was sent by holds today; true where it was not sent by one.
    pub consent_holds: bool,
    pub sent_at: Option<DateTime<Utc>>,
    pub opened_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
    state: State,
    holds_place: bool,
    waits: bool,
}

/// What a draft is made of.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Draft {
    pub referral_id: Uuid,
    pub student_id: Uuid,
    pub school_id: Uuid,
    pub need_ids: Vec<Uuid>,
    pub need_codes: Vec<String>,
    pub plan_item_id: Option<Uuid>,
    pub service_id: Uuid,
    pub urgency: Urgency,
    pub mode: Mode,
    pub shared_scopes: Vec<String>,
    pub first_step_owner: String,
    pub requested_by: Uuid,
}

/// Proof that nothing leaves with a referral. Only modes that share nothing give one.
#[derive(Debug)]
pub struct NothingShared(());

impl Mode {
    /// The proof that nothing is shared, in modes where that is so.
    pub fn nothing_shared(self) -> Option<NothingShared> {
        (self != Self::Normal).then_some(NothingShared(()))
    }
}

/// What sending needs: the line in the ledger, or the proof that there is nothing to write there.
#[derive(Debug)]
pub enum Sharing {
    /// It is in the ledger.
    Disclosed(Disclosed),
    /// Nothing leaves.
    Nothing(NothingShared),
}

/// What is to happen to a referral.
#[derive(Debug)]
pub enum Command {
    /// It is sent.
    Send(Sharing),
    /// The requester says what came of it.
    Judge(Outcome),
    /// All else.
    Move(Transition, Option<Reason>),
}

impl Command {
    /// Its row in the table.
    pub fn transition(&self) -> Transition {
        match self {
            Self::Send(_) => Transition::Send,
            Self::Judge(_) => Transition::Judge,
            Self::Move(transition, _) => *transition,
        }
    }
}

/// A step of a referral.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Step {
    pub at: DateTime<Utc>,
    pub transition: String,
    pub state: State,
    pub side: String,
    pub reason: String,
}

/// How a service's places change with a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// -1, 0 or 1.
    pub taken: i32,
    /// -1, 0 or 1.
    pub waitlisted: i32,
}

/// A referral that has moved, with all that must be written with it. Nothing but the rules here makes one, and the
/// repository stores nothing else.
#[derive(Debug)]
#[must_use]
pub struct Changed {
    referral: Referral,
    step: Step,
    places: Places,
    recalls: bool,
}

impl Changed {
    /// The referral after the step.
    pub fn referral(&self) -> &Referral {
        &self.referral
    }
    /// The step.
    pub fn step(&self) -> &Step {
        &self.step
    }
    /// What it does to the places.
    pub fn places(&self) -> Places {
        self.places
    }
    /// Whether the ledger must say that it was recalled.
    pub fn recalls(&self) -> bool {
        self.recalls
    }
    /// The referral after the step.
    pub fn into_referral(self) -> Referral {
        self.referral
    }
}

/// The day `days` weekdays after another.
pub fn weekdays_after(day: NaiveDate, days: u32) -> NaiveDate {
    let mut day = day;
    let mut left = days;
    while left > 0 {
        day = day.checked_add_days(Days::new(1)).unwrap_or(day);
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
    }
    day
}

impl Referral {
    /// A draft.
    pub fn create(draft: Draft, partner_id: Uuid, service_category: String, now: DateTime<Utc>) -> Changed {
        let now = now.trunc_subsecs(6);
        let referral = Self {
            referral_id: draft.referral_id,
            student_id: draft.student_id,
            school_id: draft.school_id,
            need_ids: draft.need_ids,
            need_codes: draft.need_codes,
            plan_item_id: draft.plan_item_id,
            partner_id,
            service_id: draft.service_id,
            service_category,
            urgency: draft.urgency,
            mode: draft.mode,
            shared_scopes: draft.shared_scopes,
            first_step_owner: draft.first_step_owner,
            requested_by: draft.requested_by,
            respond_by: None,
            reason: String::new(),
            reason_side: String::new(),
            outcome: Outcome::Unspecified,
            consent_id: None,
            disclosure_id: None,
            recalled: false,
            consent_holds: true,
            sent_at: None,
            opened_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
            state: State::Draft,
            holds_place: false,
            waits: false,
        };
        let step = Step { at: now, transition: "create".to_owned(), state: State::Draft, side: Side::Requester.as_str().to_owned(), reason: String::new() };
        Changed { referral, step, places: Places::default(), recalls: false }
    }

    /// From the table.
    pub(super) fn read(row: Row) -> Result<Self, DbError> {
        let wrong = |what| DbError::Inconsistent { table: "partners.referral", what };
        Ok(Self {
            state: State::read(&row.state).ok_or(wrong("an unknown state"))?,
            urgency: Urgency::read(&row.urgency).ok_or(wrong("an unknown urgency"))?,
            mode: Mode::read(&row.mode).ok_or(wrong("an unknown mode"))?,
            outcome: outcome_read(&row.outcome).ok_or(wrong("an unknown outcome"))?,
            referral_id: row.referral_id,
            student_id: row.student_id,
            school_id: row.school_id,
            need_ids: row.need_ids,
            need_codes: row.need_codes,
            plan_item_id: row.plan_item_id,
            partner_id: row.partner_id,
            service_id: row.service_id,
            service_category: row.service_category,
            shared_scopes: row.shared_scopes,
            first_step_owner: row.first_step_owner,
            requested_by: row.requested_by,
            respond_by: row.respond_by,
            reason: row.reason,
            reason_side: row.reason_side,
            consent_id: row.consent_id,
            disclosure_id: row.disclosure_id,
            recalled: row.recalled,
            consent_holds: row.consent_holds,
            sent_at: row.sent_at,
            opened_at: row.opened_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            holds_place: row.holds_place,
            waits: row.waits,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether it has one of the service's places.
    pub fn holds_place(&self) -> bool {
        self.holds_place
    }

    /// Whether it waits for one.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// Whether the partner knows of it at all.
    pub fn is_partners(&self) -> bool {
        self.mode == Mode::Normal && self.sent_at.is_some()
    }

    /// Whether the partner may see a scope of the student's record now.
    pub fn shares(&self, scope: &str) -> bool {
        self.is_partners() && self.disclosure_id.is_some() && !self.recalled && self.consent_holds && self.shared_scopes.iter().any(|s| s == scope)
    }

    /// Whether a transition is open to a side, before anything is done for it.
    pub fn check(&self, asked: Transition, side: Side, reason: Option<&Reason>) -> Result<State, Refusal> {
        transition(self.state, self.mode, side, asked, reason)
    }

    /// Moves it.
    pub fn apply(mut self, side: Side, command: Command, now: DateTime<Utc>) -> Result<Changed, Refusal> {
        let asked = command.transition();
        let reason = if let Command::Move(_, reason) = &command { reason.clone() } else { None };
        let next = self.check(asked, side, reason.as_ref())?;
        match command {
            Command::Send(Sharing::Disclosed(proof)) => {
                if proof.referral_id() != self.referral_id || proof.scopes() != self.shared_scopes {
                    return Err(Refusal::OtherDisclosure);
                }
                self.disclosure_id = Some(proof.disclosure_id());
                self.consent_id = Some(proof.consent_id());
            }
            Command::Send(Sharing::Nothing(_)) if self.mode == Mode::Normal => return Err(Refusal::OtherDisclosure),
            Command::Send(Sharing::Nothing(_)) => {}
            Command::Judge(outcome) => self.outcome = outcome,
            // These two need what only their own commands carry.
            Command::Move(Transition::Send | Transition::Judge, _) => return Err(Refusal::WrongState { state: self.state, transition: asked }),
            Command::Move(..) => {}
        }
        if asked == Transition::Send {
            self.sent_at = Some(now.trunc_subsecs(6));
            self.respond_by = Some(weekdays_after(chassis_clock::day_of(now), self.urgency.answer_days()));
        }
        if asked == Transition::Open {
            self.opened_at = self.opened_at.or(Some(now.trunc_subsecs(6)));
        }
        // A pause is a step, not the end; its reason stays with the step.
        if (next.awaits_judgement() || next == State::Void)
            && let Some(reason) = &reason
        {
            self.reason.clone_from(&reason.code);
            self.reason_side.clone_from(&reason.side);
        }
        let recalls = matches!(next, State::Withdrawn | State::Void);
        Ok(self.moved(next, asked.as_str(), side, reason.map(|r| r.code).unwrap_or_default(), recalls, now))
    }

    /// Takes what was shared out of the partner's view, whatever the state: the consent is gone.
    pub fn recall(self, reason: &Reason, now: DateTime<Utc>) -> Changed {
        let state = self.state;
        self.moved(state, "recall", Side::System, reason.code.clone(), true, now)
    }

    fn moved(mut self, next: State, transition: &str, side: Side, reason: String, recalls: bool, now: DateTime<Utc>) -> Changed {
        let now = now.trunc_subsecs(6);
        // Where the partner does not know of the referral, it keeps its places without us.
        let holds = next.holds_place() && self.mode == Mode::Normal;
        let waits = next == State::Waitlisted && self.mode == Mode::Normal;
        let places = Places { taken: i32::from(holds) - i32::from(self.holds_place), waitlisted: i32::from(waits) - i32::from(self.waits) };
        let recalls = recalls && self.disclosure_id.is_some() && !self.recalled;
        self.recalled |= recalls;
        self.holds_place = holds;
        self.waits = waits;
        self.state = next;
        self.version += 1;
        self.updated_at = now;
        let step = Step { at: now, transition: transition.to_owned(), state: next, side: side.as_str().to_owned(), reason };
        Changed { referral: self, step, places, recalls }
    }

    /// The outcome as tables write it.
    pub(super) fn outcome_text(&self) -> &'static str {
        outcome_text(self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partner_has_five_weekdays_or_one() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(weekdays_after(day("2026-10-05"), 5), day("2026-10-12"), "Monday to Monday");
        assert_eq!(weekdays_after(day("2026-10-09"), 1), day("2026-10-12"), "Friday to Monday");
        assert_eq!(weekdays_after(day("2026-10-10"), 1), day("2026-10-12"), "Saturday to Monday");
        assert_eq!(Urgency::UrgentSameDay.answer_days(), 1);
    }

    #[test]
    fn a_normal_referral_is_not_sent_on_the_claim_that_nothing_is_shared() {
        let draft = Draft {
            referral_id: Uuid::now_v7(),
            student_id: Uuid::now_v7(),
            school_id: Uuid::now_v7(),
            need_ids: vec![Uuid::now_v7()],
            need_codes: vec!["ACA-RDG".to_owned()],
            plan_item_id: None,
            service_id: Uuid::now_v7(),
            urgency: Urgency::Routine,
            mode: Mode::Normal,
            shared_scopes: vec!["identity".to_owned()],
            first_step_owner: "partner".to_owned(),
            requested_by: Uuid::now_v7(),
        };
        assert!(Mode::Normal.nothing_shared().is_none());
        let referral = Referral::create(draft, Uuid::now_v7(), "ED-TUT".to_owned(), Utc::now()).into_referral();
        let of_another_mode = Mode::Protected.nothing_shared().unwrap();
        assert_eq!(
            referral.clone().apply(Side::Requester, Command::Send(Sharing::Nothing(of_another_mode)), Utc::now()).unwrap_err(),
            Refusal::OtherDisclosure
        );
        assert!(referral.clone().apply(Side::Requester, Command::Move(Transition::Send, None), Utc::now()).is_err());
        assert!(!referral.shares("identity"), "a draft shares nothing");
    }
}
