//! The handbook's worked examples, and what must hold for any set of entries.

use proptest::prelude::*;
use proptest::sample::select;

use super::Certainty::{Confirmed, Observed, Suspected};
use super::*;
use crate::taxonomy::Taxonomy;

type Row = (&'static [(&'static str, u8, Certainty)], [u8; 4], Tier, &'static [usize]);

fn entries<'a>(rows: &[(&'a str, u8, Certainty)]) -> Vec<RuleEntry<'a>> {
    rows.iter().map(|&(code, severity, certainty)| RuleEntry { code, severity, certainty }).collect()
}

// The tenth example is two moments of one student, hence eleven rows.
const EXAMPLES: [Row; 11] = [
    (&[("SEB-EMP", 0, Observed), ("ACA-RDG", 0, Observed)], [0, 0, 0, 0], Tier::One, &[]),
    (&[("ACA-ORG", 1, Observed)], [1, 0, 0, 0], Tier::TwoA, &[0]),
    (&[("ACA-RDG", 1, Observed), ("SEB-CON", 1, Observed), ("HLT-SLP", 1, Observed)], [1, 1, 1, 0], Tier::TwoA, &[0, 1, 2]),
    (&[("ACA-RDG", 1, Observed), ("SEB-CON", 1, Observed), ("HLT-SLP", 1, Observed), ("FAM-COM", 1, Observed)], [1, 1, 1, 1], Tier::TwoB, &[0, 1, 2, 3]),
    (&[("SEB-REG", 2, Observed), ("FAM-FOD", 1, Observed)], [0, 2, 0, 1], Tier::TwoB, &[0]),
    (&[("SEB-REG", 3, Observed), ("FAM-FOD", 2, Observed)], [0, 3, 0, 2], Tier::Three, &[0]),
    (&[("ACA-FAL", 2, Observed), ("SEB-ANX", 2, Observed), ("FAM-HOU", 2, Observed)], [2, 2, 0, 2], Tier::Three, &[0, 1, 2]),
    (&[("FAM-HML", 1, Confirmed)], [0, 0, 0, 1], Tier::Three, &[0]),
    (&[("FAM-VIO", 2, Suspected)], [0, 0, 0, 1], Tier::TwoA, &[0]),
    (&[("ACA-MAT", 2, Suspected)], [1, 0, 0, 0], Tier::TwoA, &[0]),
    (&[("SEB-GRF", 2, Confirmed)], [0, 2, 0, 0], Tier::TwoB, &[0]),
];

#[test]
fn worked_examples() {
    for (rows, domain_risk, tier, because) in EXAMPLES {
        let said = suggest(&entries(rows));
        assert_eq!(said.domain_risk, domain_risk, "{rows:?}");
        assert_eq!(said.tier, tier, "{rows:?}");
        assert_eq!(said.because, because, "{rows:?}");
    }
}

#[test]
fn a_suspected_acute_need_is_urgent_without_setting_tier_three() {
    assert_eq!(suggest(&entries(&[("ACA-ORG", 1, Observed), ("FAM-VIO", 2, Suspected)])).urgent, [1]);
    assert!(suggest(&entries(&[("FAM-VIO", 2, Observed)])).urgent.is_empty());
    assert!(suggest(&entries(&[("SEB-ANX", 3, Suspected)])).urgent.is_empty());
}

#[test]
fn suspected_counts_one_less_but_at_least_one() {
    for (severity, risk, tier) in [(1, 1, Tier::TwoA), (2, 1, Tier::TwoA), (3, 2, Tier::TwoB)] {
        let said = suggest(&entries(&[("HLT-SLP", severity, Suspected)]));
        assert_eq!((said.domain_risk[2], said.tier), (risk, tier));
    }
}

#[test]
fn what_is_no_need_is_passed_over() {
    let none = [("SEB-EMP", 3, Observed), ("INT-ART", 3, Observed), ("ZZZ-ZZZ", 3, Observed), ("FAM-HML", 0, Confirmed)];
    let said = suggest(&entries(&none));
    assert_eq!((said.tier, said.because.len(), said.urgent.len()), (Tier::One, 0, 0));
    assert_eq!(suggest(&[]).tier, Tier::One);
    assert_eq!(suggest(&entries(&[("ACA-RDG", u8::MAX, Observed)])).domain_risk, [3, 0, 0, 0]);
}

#[test]
fn tiers_read_back() {
    for tier in [Tier::One, Tier::TwoA, Tier::TwoB, Tier::Three] {
        assert_eq!(Tier::parse(tier.as_str()), Some(tier));
    }
    assert_eq!(Tier::parse("2"), None);
}

fn codes(wanted: fn(&taxonomy::CodeLine) -> bool) -> Vec<&'static str> {
    Taxonomy::load().unwrap().lines().iter().filter(|line| wanted(line)).map(|line| line.code.as_str()).collect()
}

fn a_certainty() -> impl Strategy<Value = Certainty> {
    select(vec![Suspected, Observed, Confirmed])
}

// Mild and moderate needs with no floor come often: otherwise nearly every set of entries would be tier 3.
fn a_need() -> impl Strategy<Value = RuleEntry<'static>> {
    let code = prop_oneof![
        9 => select(codes(|line| line.allows_need() && line.floor == 0)),
        1 => select(codes(|line| line.floor == 3)),
    ];
    let severity = prop_oneof![5 => Just(1u8), 3 => Just(2u8), 1 => Just(3u8)];
    (code, severity, a_certainty()).prop_map(|(code, severity, certainty)| RuleEntry { code, severity, certainty })
}

fn a_strength_or_interest() -> impl Strategy<Value = RuleEntry<'static>> {
    (select(codes(|line| line.allows_strength() || line.is_interest())), a_certainty()).prop_map(|(code, certainty)| RuleEntry { code, severity: 0, certainty })
}

fn needs() -> impl Strategy<Value = Vec<RuleEntry<'static>>> {
    prop::collection::vec(a_need(), 0..8)
}

fn not_lower(after: &Suggestion, before: &Suggestion) -> bool {
    after.tier >= before.tier && after.domain_risk.iter().zip(before.domain_risk).all(|(now, then)| *now >= then)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn more_needs_never_lower(mut list in needs(), more in a_need()) {
        let before = suggest(&list);
        list.push(more);
        prop_assert!(not_lower(&suggest(&list), &before));
    }

    #[test]
    fn graver_needs_never_lower(mut list in needs(), which in any::<prop::sample::Index>()) {
        prop_assume!(!list.is_empty());
        let before = suggest(&list);
        let at = which.index(list.len());
        list[at].severity = (list[at].severity + 1).min(3);
        prop_assert!(not_lower(&suggest(&list), &before));
    }

    #[test]
    fn order_does_not_matter(
        (list, order) in needs().prop_flat_map(|list| {
            let order: Vec<usize> = (0..list.len()).collect();
            (Just(list), Just(order).prop_shuffle())
        })
    ) {
        let said = suggest(&list);
        let shuffled: Vec<_> = order.iter().map(|&at| list[at].clone()).collect();
        let again = suggest(&shuffled);
        prop_assert_eq!(again.tier, said.tier);
        prop_assert_eq!(again.domain_risk, said.domain_risk);
        for (now, then) in [(&again.because, &said.because), (&again.urgent, &said.urgent)] {
            let mut back: Vec<usize> = now.iter().map(|&at| order[at]).collect();
            back.sort_unstable();
            prop_assert_eq!(&back, then);
        }
    }

    #[test]
    fn strengths_and_interests_change_nothing(list in needs(), good in prop::collection::vec(a_strength_or_interest(), 0..6)) {
        let mut both = list.clone();
        both.extend(good);
        prop_assert_eq!(suggest(&both), suggest(&list));
    }

    #[test]
    fn the_reasons_are_the_reasons(list in needs()) {
        let said = suggest(&list);
        prop_assert_eq!(said.because.is_empty(), said.tier == Tier::One);
        let only = |wanted: bool| -> Vec<RuleEntry<'static>> {
            let kept = list.iter().enumerate().filter(|(at, _)| said.because.contains(at) == wanted);
            kept.map(|(_, entry)| entry.clone()).collect()
        };
        if said.tier > Tier::One {
            prop_assert!(suggest(&only(false)).tier < said.tier);
        }
        prop_assert_eq!(suggest(&only(true)).tier, said.tier);
    }

    #[test]
    fn suspected_never_suggests_more_than_observed(mut list in needs(), which in any::<prop::sample::Index>()) {
        prop_assume!(!list.is_empty());
        let at = which.index(list.len());
        list[at].certainty = Suspected;
        let suspected = suggest(&list);
        list[at].certainty = Observed;
        let observed = suggest(&list);
        prop_assert!(not_lower(&observed, &suspected));
        list[at].certainty = Confirmed;
        prop_assert_eq!(suggest(&list), observed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn follows_the_definition(list in needs(), good in prop::collection::vec(a_strength_or_interest(), 0..3)) {
        let student: Vec<_> = list.iter().chain(&good).cloned().collect();
        prop_assert_eq!(suggest(&student).tier, by_definition(&list));
    }
}

/// The rule once more, as the handbook words it, domain by domain.
fn by_definition(list: &[RuleEntry<'_>]) -> Tier {
    let risk = |domain: &str| {
        let of_domain = list.iter().filter(|entry| entry.code.starts_with(domain));
        let counted = of_domain.map(|entry| match (entry.certainty, entry.severity) {
            (Suspected, 1 | 2) => 1,
            (Suspected, _) => 2,
            (_, severity) => severity,
        });
        counted.max().unwrap_or(0)
    };
    let mut risks = ["ACA", "SEB", "HLT", "FAM"].map(risk);
    risks.sort_unstable();
    let floors = ["SEB-SUI", "SEB-THR", "FAM-HML", "FAM-VIO", "FAM-CPS"];
    let acute = list.iter().any(|entry| floors.contains(&entry.code) && entry.certainty != Suspected);
    match risks {
        _ if acute => Tier::Three,
        [_, _, _, 3] => Tier::Three,
        [_, 2 | 3, _, _] => Tier::Three,
        [_, _, _, 2] => Tier::TwoB,
        [1, _, _, _] => Tier::TwoB,
        [_, _, _, 1] => Tier::TwoA,
        _ => Tier::One,
    }
}
