//! The tier rule from outside: a second implementation, written from the handbook's words, over thousands of students.

use std::collections::BTreeMap;

use integration_tests::clients::Clients;
use integration_tests::tokens::Claims;
use proto::reviews::v1::{SuggestTierEntry, SuggestTierRequest};
use proto::r#type::v1::{Certainty, Tier};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::house::house;
use crate::rules::root;

const STUDENTS: usize = 3000;

/// What the list says of a code that can be a need.
struct Line {
    code: String,
    domain: String,
    floor: u8,
}

fn lines() -> Vec<Line> {
    let mut reader = csv::Reader::from_path(root().join("taxonomy/1/needs.csv")).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    rows.filter(|row| row["polarity"] != "S")
        .map(|row| Line { code: row["code"].clone(), domain: row["domain"].clone(), floor: row["floor"].parse().unwrap() })
        .collect()
}

/// The rule, by counting: each domain falls into one of four heaps, and the heaps decide.
fn by_heaps(entries: &[(&Line, i32, Certainty)]) -> Tier {
    let mut risks: BTreeMap<&str, i32> = BTreeMap::new();
    let mut acute = false;
    for (line, severity, certainty) in entries {
        let weight = if *certainty == Certainty::Suspected { 1.max(severity - 1) } else { *severity };
        let risk = risks.entry(line.domain.as_str()).or_default();
        *risk = weight.max(*risk);
        acute |= line.floor == 3 && *certainty != Certainty::Suspected;
    }
    let heaps = [1, 2, 3].map(|height| risks.values().filter(|risk| **risk == height).count());
    match heaps {
        [_, _, severe] if acute || severe > 0 => Tier::Tier3,
        [_, moderate, _] if moderate > 2 => Tier::Tier3,
        [_, 0, _] if risks.len() == 4 => Tier::Tier2b,
        [_, 0, _] if risks.is_empty() => Tier::Tier1,
        [_, 0, _] => Tier::Tier2a,
        _ => Tier::Tier2b,
    }
}

#[tokio::test]
async fn the_rule_agrees_with_a_second_implementation() {
    let house = house().await;
    let lines = lines();
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut tiers: BTreeMap<&str, usize> = BTreeMap::new();
    let teacher: Clients = house.district.clients(&Claims::role("teacher"));
    for student in 0..STUDENTS {
        let count = dice.random_range(0..7);
        // Few needs are severe and fewer acute; else nearly everybody would be of tier 3.
        let entries: Vec<(&Line, i32, Certainty)> = (0..count)
            .map(|_| {
                let mut line = &lines[dice.random_range(0..lines.len())];
                if line.floor == 3 && dice.random_range(0..3) > 0 {
                    line = &lines[0];
                }
                let severity = [1, 1, 1, 1, 2, 2, 3][dice.random_range(0..7)];
                (line, severity, [Certainty::Observed, Certainty::Suspected, Certainty::Confirmed][dice.random_range(0..3)])
            })
            .collect();
        let asked =
            entries.iter().map(|(line, severity, certainty)| SuggestTierEntry { code: line.code.clone(), severity: *severity, certainty: (*certainty).into() });
        let request = SuggestTierRequest { entries: asked.collect() };
        let said = teacher.clone().reviews.suggest_tier(request.clone()).await.unwrap().into_inner();
        assert_eq!(said.tier(), by_heaps(&entries), "student {student}: {request:?}");
        *tiers.entry(said.tier().as_str_name()).or_default() += 1;
    }
    println!("{tiers:?}");
    assert!(tiers.len() == 4 && tiers.values().all(|n| *n > STUDENTS / 40), "every tier is tried: {tiers:?}");
}
