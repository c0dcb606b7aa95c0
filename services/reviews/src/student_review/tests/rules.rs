use proptest::prelude::*;

use super::*;
use crate::student_review::entity::WrongStep;
use crate::words::StudentReviewState;

fn review(state: StudentReviewState) -> StudentReview {
    StudentReview {
        class_review_id: Uuid::now_v7(),
        student_id: Uuid::now_v7(),
        grade: "03".to_owned(),
        state,
        version: 4,
        no_concern: Vec::new(),
        assigned_tier: None,
        tier_reason: String::new(),
        tier_reason_text: String::new(),
        no_strength_reason: String::new(),
        not_reviewed_reason: String::new(),
        entries: Vec::new(),
        added: false,
        protected_changes: 0,
        active_seconds: 0,
        open_priors: Vec::new(),
    }
}

#[test]
fn every_step_from_every_state_is_allowed_or_refused() {
    use StudentReviewState::{Amended as A, InProgress as I, Left as L, NotReviewed as N, Pending as P, Reviewed as R};
    //  write, write after a reopening, complete, skip, reopen, reopen after a reopening, leave, return, amend, guard
    let table: [(StudentReviewState, [Option<StudentReviewState>; 10]); 6] = [
        (P, [Some(I), Some(I), Some(R), Some(N), None, None, Some(L), None, Some(I), Some(P)]),
        (I, [Some(I), Some(I), Some(R), Some(N), None, None, Some(L), None, Some(I), Some(I)]),
        (R, [None, Some(A), None, None, Some(I), Some(A), None, None, Some(A), Some(R)]),
        (N, [None, None, None, None, Some(I), Some(I), None, None, Some(N), Some(N)]),
        (L, [None, None, None, None, None, None, None, Some(P), Some(L), Some(L)]),
        (A, [Some(A), Some(A), Some(A), None, None, None, None, None, Some(A), Some(A)]),
    ];
    assert_eq!(table.len(), StudentReviewState::ALL.len());
    for (state, expected) in table {
        let steps = [
            Step::Write { reopened: false },
            Step::Write { reopened: true },
            Step::Complete { gaps: vec![] },
            Step::Skip { reason: "time".to_owned() },
            Step::Reopen { reopened: false },
            Step::Reopen { reopened: true },
            Step::Leave,
            Step::Return,
            Step::Amend,
            Step::Guard,
        ];
        for (step, expected) in steps.into_iter().zip(expected) {
            let outcome = review(state).transition(step.clone());
            assert_eq!(outcome.as_ref().ok().map(|next| (next.state, next.version)), expected.map(|s| (s, 5)), "{state:?} {step:?} {outcome:?}");
        }
    }
    let skipped = review(P).transition(Step::Skip { reason: "time".to_owned() }).unwrap();
    assert_eq!(skipped.not_reviewed_reason, "time");
    assert_eq!(skipped.transition(Step::Reopen { reopened: false }).unwrap().not_reviewed_reason, "");
}

#[test]
fn an_empty_review_names_every_gap() {
    let empty = review(StudentReviewState::InProgress);
    let gaps = empty.gaps(&[], |_| true);
    let fields: Vec<&str> = gaps.iter().map(|g| g.field.as_str()).collect();
    let domain = "no_concern_domains";
    assert_eq!(fields, [domain, domain, domain, domain, "assigned_tier", "no_strength_reason"]);
    assert_eq!(empty.transition(Step::Complete { gaps: gaps.clone() }), Err(WrongStep::Gaps { gaps }));
}

#[test]
fn a_tier_that_differs_wants_its_reason_and_other_wants_words() {
    let mut one = review(StudentReviewState::InProgress);
    one.no_concern = Domain::ALL.to_vec();
    one.entries = vec![entry("ACA-MAT", Polarity::Strength, 0), entry("ACA-RDG", Polarity::Need, 2)];
    one.assigned_tier = Some(Tier::TwoB);
    assert_eq!(one.gaps(&[], |_| true), []);
    one.assigned_tier = Some(Tier::One);
    assert_eq!(one.gaps(&[], |_| true)[0].field, "tier_reason");
    one.tier_reason = "other".to_owned();
    assert_eq!(one.gaps(&[], |_| true)[0].field, "tier_reason_text");
    one.tier_reason_text = "told by the family".to_owned();
    assert_eq!(one.gaps(&[], |_| true), []);
}

#[test]
fn a_protected_need_neither_answers_nor_asks_anything_of_those_who_do_not_see_it() {
    let mut one = review(StudentReviewState::InProgress);
    one.no_concern = vec![Domain::Academics, Domain::SocialEmotional, Domain::Health];
    one.no_strength_reason = "new here".to_owned();
    one.assigned_tier = Some(Tier::One);
    let without = one.gaps(&[], |_| true);
    one.entries = vec![entry("FAM-VIO", Polarity::Need, 3)];
    let (uncleared, cleared) = (teacher(Uuid::now_v7()).sight, coordinator(Uuid::now_v7()).sight);
    assert_eq!(one.gaps(&[], |e| uncleared.sees(e)), without);
    assert_eq!(one.gaps(&[], |e| cleared.sees(e)).iter().map(|g| g.field.as_str()).collect::<Vec<_>>(), ["tier_reason"]);
    let shown = one.clone().shown_to(&uncleared);
    assert_eq!((shown.entries.len(), shown.closed_entry_count), (0, 0));
    assert_eq!(shown.suggested_tier(), proto::r#type::v1::Tier::Tier1);
    assert_eq!(one.shown_to(&cleared).suggested_tier(), proto::r#type::v1::Tier::Tier3);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let needs: Vec<&'static crate::taxonomy::CodeLine> = crate::taxonomy::Taxonomy::load().unwrap().lines().iter().filter(|l| l.allows_need()).collect();
    (proptest::sample::select(needs), 1i16..=3, 0usize..3).prop_map(|(line, severity, raise)| {
        let mut entry = entry(&line.code, Polarity::Need, severity);
        let asked = [Sensitivity::General, Sensitivity::Restricted, Sensitivity::Protected][raise];
        entry.sensitivity = entry.sensitivity.max(asked);
        entry
    })
}

proptest! {
    #[test]
    fn who_is_cleared_for_less_never_sees_more(
        entries in proptest::collection::vec(any_entry(), 0..12),
        replaced in proptest::collection::vec((0usize..12, 0usize..12), 0..4),
    ) {
        let mut one = review(StudentReviewState::InProgress);
        one.entries = entries;
        // Some took the place of others.
        for (old, new) in replaced.into_iter().filter(|(old, new)| old < new) {
            if let Some(id) = one.entries.get(new).map(|e| e.id) {
                one.entries[old].superseded_by = Some(id);
            }
        }
        let (uncleared, cleared) = (teacher(Uuid::now_v7()).sight, coordinator(Uuid::now_v7()).sight);
        let (less, more) = (one.clone().shown_to(&uncleared), one.clone().shown_to(&cleared));
        prop_assert_eq!(more.entries.len(), one.entries.len());
        prop_assert!(less.entries.iter().all(|e| more.entries.contains(e)));
        // Nobody is told the id of what they must not know of.
        let protected = |id: &str| one.entries.iter().any(|e| e.id.to_string() == id && e.sensitivity == Sensitivity::Protected);
        prop_assert!(less.entries.iter().all(|e| !protected(&e.superseded_by)));
        prop_assert!(less.entries.iter().all(|e| e.sensitivity == crate::words::sensitivity_wire(Sensitivity::General)));
        prop_assert!(less.suggested_tier <= more.suggested_tier);
        // Taking protected entries away changes nothing that an uncleared caller can see.
        one.entries.retain(|e| e.sensitivity != Sensitivity::Protected);
        let mut without = one.shown_to(&uncleared);
        without.version = less.version;
        prop_assert_eq!(without, less);
    }
}
