use proptest::prelude::*;

use super::entity::{Answer, Concern, Step, WrongStep};
use crate::words::{ConcernSource, ConcernState, Triage, Urgency};
use chassis_access::Sensitivity;
use chrono::{DateTime, Utc};
use uuid::Uuid;

mod use_cases;

pub(crate) fn concern(state: ConcernState) -> Concern {
    let answer = Answer { triage: Triage::Watch, note: String::new(), by: Uuid::nil(), at: DateTime::UNIX_EPOCH };
    Concern {
        id: Uuid::now_v7(),
        student_id: Uuid::now_v7(),
        school_id: Uuid::now_v7(),
        school_year: 2027,
        state,
        urgency: Urgency::Routine,
        source: ConcernSource::Staff,
        domain: None,
        code: String::new(),
        words: "words for tests".to_owned(),
        sensitivity: Sensitivity::General,
        need_ids: Vec::new(),
        urgent_need_id: None,
        raised_by: Uuid::now_v7(),
        raised_at: DateTime::UNIX_EPOCH,
        due_at: DateTime::UNIX_EPOCH,
        answer: (state != ConcernState::Raised).then_some(answer),
        individual_review_id: None,
        close_note: String::new(),
        version: 7,
    }
}

fn steps() -> Vec<Step> {
    let triage = |decision: &Triage| Step::Triage { decision: *decision, note: "because".to_owned(), by: Uuid::now_v7() };
    Triage::ALL.iter().map(triage).chain([Step::Close { note: "it passed".to_owned() }]).collect()
}

/// Where a step leads by the handbook: raised, triaged, closed.
fn by_the_handbook(state: ConcernState, step: &Step) -> Option<ConcernState> {
    match (state.word(), step.verb()) {
        ("raised", "triaged") => Some(ConcernState::Triaged),
        ("triaged", "closed") => Some(ConcernState::Closed),
        _ => None,
    }
}

#[test]
fn every_step_from_every_state_is_allowed_or_refused_as_the_handbook_says() {
    let mut allowed = 0;
    for state in ConcernState::ALL {
        for step in steps() {
            let outcome = concern(*state).transition(&step, Utc::now());
            match by_the_handbook(*state, &step) {
                Some(next) => {
                    allowed += 1;
                    let outcome = outcome.unwrap();
                    assert_eq!((outcome.state, outcome.version), (next, 8), "{state:?} {step:?}");
                }
                None => assert_eq!(outcome, Err(WrongStep::State { state: *state, verb: step.verb() }), "{state:?} {step:?}"),
            }
        }
    }
    assert_eq!(allowed, 5);
}

#[test]
fn what_is_dismissed_or_ended_is_explained() {
    let raised = concern(ConcernState::Raised);
    let triage = |decision, note: &str| Step::Triage { decision, note: note.to_owned(), by: Uuid::now_v7() };
    assert_eq!(raised.transition(&triage(Triage::NotAConcern, "  "), Utc::now()), Err(WrongStep::NoNote));
    assert_eq!(raised.transition(&triage(Triage::Watch, ""), Utc::now()).unwrap().state, ConcernState::Triaged);
    assert_eq!(concern(ConcernState::Triaged).transition(&Step::Close { note: String::new() }, Utc::now()), Err(WrongStep::NoNote));
}

proptest! {
    #[test]
    fn random_steps_never_leave_the_table(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut now = concern(ConcernState::Raised);
        let steps = steps();
        for pick in picks {
            let step = &steps[pick.index(steps.len())];
            let expected = by_the_handbook(now.state, step);
            match now.transition(step, Utc::now()) {
                Ok(next) => {
                    prop_assert_eq!(Some(next.state), expected);
                    prop_assert_eq!(next.version, now.version + 1);
                    now = next;
                }
                Err(_) => prop_assert_eq!(expected, None),
            }
        }
        prop_assert_eq!(now.answer.is_some(), now.state != ConcernState::Raised);
    }
}
