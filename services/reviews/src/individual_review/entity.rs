//! An individual review by a team: its states, what each needs, and what may follow which.

use chassis_access::Sensitivity;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::step::{Step, WrongStep};
use crate::taxonomy::Domain;
use crate::words::{FamilyVoice, IndividualReviewState, Trigger};

/// Decisions of all times at the most.
pub const MOST_DECISIONS: usize = 120;

/// Somebody in the team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Staff id.
    pub staff_id: Uuid,
    /// Role.
    pub role: String,
    /// Was there.
    pub attended: bool,
    /// Agreed with the decisions.
    pub agreed: bool,
}

/// The family's invitation, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Empty where there is none.
    pub channel: String,
    /// BCP 47.
    pub language: String,
    /// An interpreter is asked for.
    pub interpreter: bool,
    /// When it was sent.
    pub sent_on: Option<NaiveDate>,
    /// Reason code; empty where there is an invitation.
    pub not_invited_reason: String,
}

/// What the team found in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Domain.
    pub domain: Domain,
    /// Words.
    pub text: String,
}

/// What the team decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Id; also that of the plan item that it becomes.
    pub id: Uuid,
    /// Words.
    pub text: String,
    /// Needs.
    pub need_ids: Vec<Uuid>,
    /// Kind of plan item.
    pub item_kind: String,
    /// Category of service; may be empty.
    pub service_category: String,
    /// `staff`, `partner`, `family`, `student`.
    pub owner: String,
    /// Staff id of the owner.
    pub owner_id: Option<Uuid>,
    /// When it is due.
    pub due_on: Option<NaiveDate>,
    /// How it went; empty until looked at again.
    pub outcome: String,
    /// Words on that.
    pub outcome_note: String,
    /// How many times the review had been decided before: those of the last time are what is told.
    pub round: u16,
}

/// How a decision went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Decision.
    pub decision_id: Uuid,
    /// Code.
    pub outcome: String,
    /// Words.
    pub note: String,
}

/// An individual review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndividualReview {
    /// Id.
    pub id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// School year.
    pub school_year: i32,
    /// State.
    pub state: IndividualReviewState,
    /// Where it was, while it is on hold.
    pub held_state: Option<IndividualReviewState>,
    /// Why it was opened.
    pub trigger: Trigger,
    /// Concern that it comes from.
    pub concern_id: Option<Uuid>,
    /// Of the whole.
    pub sensitivity: Sensitivity,
    /// Case lead.
    pub lead_id: Option<Uuid>,
    /// Team.
    pub team: Vec<Member>,
    /// Invitation.
    pub invitation: Option<Invitation>,
    /// Day of the meeting.
    pub meets_on: Option<NaiveDate>,
    /// Day on which it was held.
    pub held_on: Option<NaiveDate>,
    /// How the family took part.
    pub family_voice: Option<FamilyVoice>,
    /// What the family said and would like.
    pub family_words: String,
    /// One a domain at the most.
    pub findings: Vec<Finding>,
    /// In their order, earlier times first.
    pub decisions: Vec<Decision>,
    /// When to look again.
    pub review_on: Option<NaiveDate>,
    /// When to look again while on hold.
    pub look_again_on: Option<NaiveDate>,
    /// Why declined, on hold or closed.
    pub reason: String,
    /// Second person who agreed that it is not needed.
    pub seconded_by: Option<Uuid>,
    /// Who opened it.
    pub opened_by: Uuid,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Grows with each change.
    pub version: i64,
}

impl IndividualReview {
    /// Whether somebody takes part: in the team, or as who opened it.
    pub fn takes_part(&self, staff_id: Option<Uuid>) -> bool {
        staff_id.is_some_and(|id| self.opened_by == id || self.team.iter().any(|m| m.staff_id == id))
    }

    /// Decisions of the last time that it was decided.
    pub fn last_decisions(&self) -> impl Iterator<Item = &Decision> {
        let last = self.decisions.iter().map(|d| d.round).max();
        self.decisions.iter().filter(move |d| Some(d.round) == last)
    }

    /// When something is next due.
    pub fn next_on(&self) -> NaiveDate {
        use IndividualReviewState::{Decided, Held, OnHold, Scheduled, UnderReview};
        let next = match self.state {
            Scheduled | Held => self.meets_on,
            Decided | UnderReview => self.review_on,
            OnHold => self.look_again_on,
            _ => None,
        };
        next.unwrap_or_else(|| chassis_clock::day_of(self.opened_at))
    }

    /// What follows from a step: the one place where an individual review's state changes.
    pub fn transition(&self, step: &Step) -> Result<Self, WrongStep> {
        use IndividualReviewState::{Closed, Decided, Held, NotNeeded, OnHold, Preparing, Proposed, Scheduled, UnderReview};
        let mut next = Self { version: self.version + 1, ..self.clone() };
        match (self.state, step) {
            (Proposed, Step::Decline { reason, seconded_by, by }) => {
                if reason.trim().is_empty() {
                    return Err(WrongStep::NoReason);
                }
                if seconded_by == by || seconded_by.is_nil() {
                    return Err(WrongStep::NoSecond);
                }
                next.state = NotNeeded;
                next.reason.clone_from(reason);
                next.seconded_by = Some(*seconded_by);
            }
            (Proposed | Preparing | Scheduled, Step::Prepare { lead_id, team }) => {
                next.form_team(*lead_id, team)?;
                if self.state == Proposed {
                    next.state = Preparing;
                }
            }
            (Preparing | Scheduled, Step::Schedule { meets_on, invitation }) => {
                // Either the one or the other: an invitation that was sent, or the reason why none was.
                if invitation.channel.is_empty() == invitation.not_invited_reason.is_empty() {
                    return Err(WrongStep::NoInvitation);
                }
                next.state = Scheduled;
                next.meets_on = Some(*meets_on);
                next.invitation = Some(invitation.clone());
            }
            (Scheduled, Step::Hold { attended, family_voice, family_words }) => {
                next.mark(attended, |member, was_there| member.attended = was_there)?;
                if attended.is_empty() {
                    return Err(WrongStep::NobodyThere);
                }
                next.state = Held;
                next.held_on = self.meets_on;
                next.family_voice = Some(*family_voice);
                next.family_words.clone_from(family_words);
            }
            (Held | UnderReview, Step::Decide { findings, decisions, review_on, family_words, agreed }) => {
                if findings.is_empty() || decisions.is_empty() {
                    return Err(WrongStep::NothingDecided);
                }
                next.mark(agreed, |member, agreed| member.agreed = agreed)?;
                next.decide(decisions)?;
                next.state = Decided;
                next.findings.clone_from(findings);
                next.review_on = Some(*review_on);
                if !family_words.is_empty() {
                    next.family_words.clone_from(family_words);
                }
            }
            (Decided | UnderReview, Step::Review { outcomes, close }) => {
                next.judge(outcomes)?;
                next.state = UnderReview;
                if let Some(reason) = close {
                    if next.decisions.iter().any(|d| d.outcome.is_empty()) {
                        return Err(WrongStep::OutcomesMissing);
                    }
                    if reason.trim().is_empty() {
                        return Err(WrongStep::NoReason);
                    }
                    next.state = Closed;
                    next.reason.clone_from(reason);
                }
            }
            (Proposed | Preparing | Scheduled | Held | Decided | UnderReview, Step::Suspend { reason, look_again_on }) => {
                if reason.trim().is_empty() {
                    return Err(WrongStep::NoReason);
                }
                next.state = OnHold;
                next.held_state = Some(self.state);
                next.reason.clone_from(reason);
                next.look_again_on = Some(*look_again_on);
            }
            (OnHold, Step::Resume) => {
                next.state = self.held_state.unwrap_or(Proposed);
                next.held_state = None;
                next.reason = String::new();
                next.look_again_on = None;
            }
            (state, step) => return Err(WrongStep::State { state, verb: step.verb() }),
        }
        Ok(next)
    }

    fn form_team(&mut self, lead_id: Uuid, team: &[Member]) -> Result<(), WrongStep> {
        let mut roles: Vec<&str> = team.iter().map(|m| m.role.as_str()).filter(|r| *r != "teacher").collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.len() < 2 {
            return Err(WrongStep::TooFewRoles);
        }
        if !team.iter().any(|m| m.staff_id == lead_id) {
            return Err(WrongStep::LeadNotInTeam);
        }
        self.lead_id = Some(lead_id);
        self.team = team.iter().map(|m| Member { attended: false, agreed: false, ..m.clone() }).collect();
        Ok(())
    }

    fn mark(&mut self, named: &[Uuid], set: impl Fn(&mut Member, bool)) -> Result<(), WrongStep> {
        if named.iter().any(|id| !self.team.iter().any(|m| m.staff_id == *id)) {
            return Err(WrongStep::NotInTeam);
        }
        for member in &mut self.team {
            let is_named = named.contains(&member.staff_id);
            set(member, is_named);
        }
        Ok(())
    }

    /// Adds decisions. One that is there already, by its id, keeps its place and what became of it.
    fn decide(&mut self, decisions: &[Decision]) -> Result<(), WrongStep> {
        let round = self.decisions.iter().map(|d| d.round + 1).max().unwrap_or(0);
        for decision in decisions {
            match self.decisions.iter_mut().find(|d| d.id == decision.id) {
                Some(earlier) => {
                    let (outcome, outcome_note) = (std::mem::take(&mut earlier.outcome), std::mem::take(&mut earlier.outcome_note));
                    *earlier = Decision { outcome, outcome_note, round, ..decision.clone() };
                }
                None => self.decisions.push(Decision { outcome: String::new(), outcome_note: String::new(), round, ..decision.clone() }),
            }
        }
        if self.decisions.len() > MOST_DECISIONS { Err(WrongStep::TooManyDecisions) } else { Ok(()) }
    }

    fn judge(&mut self, outcomes: &[Outcome]) -> Result<(), WrongStep> {
        for judged in outcomes {
            let decision = self.decisions.iter_mut().find(|d| d.id == judged.decision_id).ok_or(WrongStep::NoDecision)?;
            decision.outcome.clone_from(&judged.outcome);
            decision.outcome_note.clone_from(&judged.note);
        }
        Ok(())
    }
}
