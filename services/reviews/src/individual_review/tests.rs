use chassis_access::Sensitivity;
use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;
use uuid::Uuid;

use super::entity::{Decision, Finding, IndividualReview, Invitation, Member, Outcome};
use super::step::{Step, WrongStep};
use crate::taxonomy::Domain;
use crate::words::{FamilyVoice, IndividualReviewState as State, Trigger};

mod use_cases;

pub(crate) const LEAD: Uuid = Uuid::from_u128(1);
pub(crate) const NURSE: Uuid = Uuid::from_u128(2);
const TEACHER: Uuid = Uuid::from_u128(3);
const CALLER: Uuid = Uuid::from_u128(4);
const FIRST: Uuid = Uuid::from_u128(10);

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

fn team() -> Vec<Member> {
    let member = |staff_id, role: &str| Member { staff_id, role: role.to_owned(), attended: false, agreed: false };
    vec![member(LEAD, "coordinator"), member(NURSE, "nurse"), member(TEACHER, "teacher")]
}

fn decision(id: Uuid) -> Decision {
    Decision {
        id,
        text: "a decision for tests".to_owned(),
        need_ids: Vec::new(),
        item_kind: "school_support".to_owned(),
        service_category: String::new(),
        owner: "staff".to_owned(),
        owner_id: Some(LEAD),
        due_on: Some(day(20)),
        outcome: String::new(),
        outcome_note: String::new(),
        round: 0,
    }
}

/// One with everything that a state has gathered on its way.
fn review(state: State) -> IndividualReview {
    IndividualReview {
        id: Uuid::now_v7(),
        student_id: Uuid::now_v7(),
        school_id: Uuid::now_v7(),
        school_year: 2027,
        state,
        held_state: (state == State::OnHold).then_some(State::Held),
        trigger: Trigger::Tier3,
        concern_id: None,
        sensitivity: Sensitivity::Restricted,
        lead_id: Some(LEAD),
        team: team(),
        invitation: None,
        meets_on: Some(day(5)),
        held_on: None,
        family_voice: None,
        family_words: String::new(),
        findings: Vec::new(),
        decisions: vec![decision(FIRST)],
        review_on: Some(day(25)),
        look_again_on: None,
        reason: String::new(),
        seconded_by: None,
        opened_by: CALLER,
        opened_at: DateTime::UNIX_EPOCH,
        version: 7,
    }
}

fn steps() -> Vec<Step> {
    let reason = || "because".to_owned();
    let outcome = Outcome { decision_id: FIRST, outcome: "helped".to_owned(), note: String::new() };
    vec![
        Step::Decline { reason: reason(), seconded_by: NURSE, by: CALLER },
        Step::Prepare { lead_id: LEAD, team: team() },
        Step::Schedule { meets_on: day(6), invitation: Invitation { channel: "call".to_owned(), language: "es".to_owned(), ..Invitation::default() } },
        Step::Hold { attended: vec![LEAD, NURSE], family_voice: FamilyVoice::Attended, family_words: "words for tests".to_owned() },
        Step::Decide {
            findings: vec![Finding { domain: Domain::Health, text: "a finding for tests".to_owned() }],
            decisions: vec![decision(FIRST)],
            review_on: day(28),
            family_words: String::new(),
            agreed: vec![LEAD],
        },
        Step::Review { outcomes: vec![outcome.clone()], close: None },
        Step::Review { outcomes: vec![outcome], close: Some(reason()) },
        Step::Suspend { reason: reason(), look_again_on: day(30) },
        Step::Resume,
    ]
}

// The handbook's table, with what the contract adds: another team or date while there is time, a closing look.
//  decline, prepare, schedule, hold, decide, review, close, suspend, resume
type Moves = [Option<State>; 9];
const TABLE: [(State, Moves); 9] = {
    use State::{Closed as C, Decided as D, Held as H, NotNeeded as N, OnHold as O, Preparing as P, Proposed, Scheduled as S, UnderReview as U};
    [
        (Proposed, [Some(N), Some(P), None, None, None, None, None, Some(O), None]),
        (N, [None; 9]),
        (P, [None, Some(P), Some(S), None, None, None, None, Some(O), None]),
        (S, [None, Some(S), Some(S), Some(H), None, None, None, Some(O), None]),
        (H, [None, None, None, None, Some(D), None, None, Some(O), None]),
        (D, [None, None, None, None, None, Some(U), Some(C), Some(O), None]),
        (U, [None, None, None, None, Some(D), Some(U), Some(C), Some(O), None]),
        (C, [None; 9]),
        (O, [None, None, None, None, None, None, None, None, Some(H)]),
    ]
};

#[test]
fn every_step_from_every_state_is_allowed_or_refused_as_the_handbook_says() {
    assert_eq!(TABLE.len(), State::ALL.len());
    for (state, moves) in TABLE {
        for (step, expected) in steps().iter().zip(moves) {
            let outcome = review(state).transition(step);
            match expected {
                Some(next) => {
                    let outcome = outcome.unwrap();
                    assert_eq!((outcome.state, outcome.version), (next, 8), "{state:?} {step:?}");
                }
                None => assert_eq!(outcome, Err(WrongStep::State { state, verb: step.verb() }), "{state:?} {step:?}"),
            }
        }
    }
}

#[test]
fn guards_refuse_with_what_is_missing() {
    use State::{Decided, Held, Preparing, Proposed, Scheduled};
    let refused = |state, step: Step| review(state).transition(&step).unwrap_err();
    let decline = |reason: &str, seconded_by| Step::Decline { reason: reason.to_owned(), seconded_by, by: CALLER };
    assert_eq!(refused(Proposed, decline(" ", NURSE)), WrongStep::NoReason);
    assert_eq!(refused(Proposed, decline("it is not needed", CALLER)), WrongStep::NoSecond);
    assert_eq!(refused(Proposed, decline("it is not needed", Uuid::nil())), WrongStep::NoSecond);

    // Two people in one role, and a teacher, are one role besides the teacher.
    let mut narrow = team();
    narrow[1].role = "coordinator".to_owned();
    assert_eq!(refused(Proposed, Step::Prepare { lead_id: LEAD, team: narrow }), WrongStep::TooFewRoles);
    assert_eq!(refused(Proposed, Step::Prepare { lead_id: LEAD, team: Vec::new() }), WrongStep::TooFewRoles);
    assert_eq!(refused(Proposed, Step::Prepare { lead_id: CALLER, team: team() }), WrongStep::LeadNotInTeam);

    let schedule = |channel: &str, not: &str| {
        let invitation = Invitation { channel: channel.to_owned(), not_invited_reason: not.to_owned(), ..Invitation::default() };
        Step::Schedule { meets_on: day(6), invitation }
    };
    assert_eq!(refused(Preparing, schedule("", "")), WrongStep::NoInvitation);
    assert_eq!(refused(Preparing, schedule("call", "safety")), WrongStep::NoInvitation);
    assert_eq!(review(Preparing).transition(&schedule("", "safety")).unwrap().state, Scheduled);

    let hold = |attended| Step::Hold { attended, family_voice: FamilyVoice::Unreachable, family_words: String::new() };
    assert_eq!(refused(Scheduled, hold(vec![CALLER])), WrongStep::NotInTeam);
    assert_eq!(refused(Scheduled, hold(Vec::new())), WrongStep::NobodyThere);
    let held = review(Scheduled).transition(&hold(vec![NURSE])).unwrap();
    assert_eq!(held.team.iter().map(|m| m.attended).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((held.held_on, held.family_voice), (Some(day(5)), Some(FamilyVoice::Unreachable)));

    let decide = |findings: Vec<Finding>, decisions: Vec<Decision>| Step::Decide {
        findings,
        decisions,
        review_on: day(28),
        family_words: String::new(),
        agreed: Vec::new(),
    };
    let finding = || vec![Finding { domain: Domain::Health, text: "a finding for tests".to_owned() }];
    assert_eq!(refused(Held, decide(Vec::new(), vec![decision(FIRST)])), WrongStep::NothingDecided);
    assert_eq!(refused(Held, decide(finding(), Vec::new())), WrongStep::NothingDecided);
    let many = (0..200).map(|n| decision(Uuid::from_u128(100 + n))).collect();
    assert_eq!(refused(Held, decide(finding(), many)), WrongStep::TooManyDecisions);

    let look = |id, close: Option<&str>| Step::Review {
        outcomes: vec![Outcome { decision_id: id, outcome: "done".to_owned(), note: String::new() }],
        close: close.map(str::to_owned),
    };
    assert_eq!(refused(Decided, look(CALLER, None)), WrongStep::NoDecision);
    assert_eq!(refused(Decided, Step::Review { outcomes: Vec::new(), close: Some("all is well".to_owned()) }), WrongStep::OutcomesMissing);
    assert_eq!(refused(Decided, look(FIRST, Some(" "))), WrongStep::NoReason);
    assert_eq!(review(Decided).transition(&look(FIRST, Some("all is well"))).unwrap().state, State::Closed);
    assert_eq!(refused(Held, Step::Suspend { reason: String::new(), look_again_on: day(30) }), WrongStep::NoReason);
}

#[test]
fn deciding_again_keeps_earlier_decisions_and_tells_the_last() {
    let second = Uuid::from_u128(11);
    let decide = |ids: &[Uuid]| Step::Decide {
        findings: vec![Finding { domain: Domain::Health, text: "a finding for tests".to_owned() }],
        decisions: ids.iter().map(|id| decision(*id)).collect(),
        review_on: day(28),
        family_words: String::new(),
        agreed: Vec::new(),
    };
    let looked = Step::Review { outcomes: vec![Outcome { decision_id: FIRST, outcome: "helped".to_owned(), note: String::new() }], close: None };
    let first = IndividualReview { decisions: Vec::new(), ..review(State::Held) }.transition(&decide(&[FIRST])).unwrap();
    let again = first.transition(&looked).unwrap().transition(&decide(&[second])).unwrap();
    assert_eq!(again.decisions.iter().map(|d| (d.id, d.outcome.as_str())).collect::<Vec<_>>(), [(FIRST, "helped"), (second, "")]);
    assert_eq!(again.last_decisions().map(|d| d.id).collect::<Vec<_>>(), [second]);
    let close = Step::Review { outcomes: Vec::new(), close: Some("all is well".to_owned()) };
    assert_eq!(again.transition(&close), Err(WrongStep::OutcomesMissing));
    // The same one once more: its place and outcome stay, and it is among the last.
    let same = again.transition(&looked).unwrap().transition(&decide(&[FIRST, second])).unwrap();
    assert_eq!(same.decisions.iter().map(|d| (d.id, d.outcome.as_str())).collect::<Vec<_>>(), [(FIRST, "helped"), (second, "")]);
    assert_eq!(same.last_decisions().count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn random_steps_never_leave_the_table(picks in prop::collection::vec(0..9usize, 0..30)) {
        let mut now = IndividualReview { decisions: Vec::new(), ..review(State::Proposed) };
        let steps = steps();
        for pick in picks {
            let moves = TABLE.iter().find(|(state, _)| *state == now.state).unwrap().1;
            // What is on hold goes on where it was, wherever that is.
            let expected = if now.state == State::OnHold && pick == 8 { now.held_state } else { moves[pick] };
            match now.transition(&steps[pick]) {
                Ok(next) => {
                    prop_assert_eq!(Some(next.state), expected);
                    prop_assert_eq!(next.version, now.version + 1);
                    now = next;
                }
                Err(_) => prop_assert_eq!(expected, None),
            }
            prop_assert_eq!(now.held_state.is_some(), now.state == State::OnHold);
        }
    }
}
