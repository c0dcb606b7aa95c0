//! What a class's students are like: entries in a realistic mix, the same for the same place in the district.

use proto::reviews::v1::{Code, Entry, EntrySource, Polarity};
use proto::r#type::v1::{Certainty, Domain, Sensitivity};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use crate::acting::reviewing::DOMAINS;

/// The random stream of one place.
pub type Dice = Xoshiro256PlusPlus;

/// The stream for a student (or a need) by its place in the district.
pub fn dice(place: [u64; 4]) -> Dice {
    let seed = place.iter().fold(0x5eed_u64, |seed, n| (seed ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
    Dice::seed_from_u64(seed)
}

/// One of a list, where there is one.
pub fn one<'a, T>(list: &'a [T], dice: &mut Dice) -> Option<&'a T> {
    (!list.is_empty()).then(|| &list[dice.random_range(0..list.len())])
}

/// An index by weights.
pub fn weighted(weights: &[u32], dice: &mut Dice) -> usize {
    let mut at = dice.random_range(0..weights.iter().sum::<u32>().max(1));
    for (n, weight) in weights.iter().enumerate() {
        if at < *weight {
            return n;
        }
        at -= weight;
    }
    0
}

/// The code list, sorted for picking. Nothing protected is in it: a sample's readers are many.
#[derive(Debug)]
pub struct Catalogue {
    strengths: Vec<Vec<Code>>,
    needs: Vec<Vec<Code>>,
    interests: Vec<Code>,
}

impl Catalogue {
    /// From what `ListCodes` answered.
    pub fn new(codes: Vec<Code>) -> Self {
        let codes: Vec<Code> = codes.into_iter().filter(|c| c.sensitivity() != Sensitivity::Protected && c.floor == 0).collect();
        let of = |domain: Domain, which: fn(&Code) -> bool| codes.iter().filter(|c| c.domain() == domain && which(c)).cloned().collect::<Vec<_>>();
        Self {
            strengths: DOMAINS.map(|d| of(d, |c| c.strength)).to_vec(),
            needs: DOMAINS.map(|d| of(d, |c| c.need)).to_vec(),
            interests: codes.iter().filter(|c| c.interest).cloned().collect(),
        }
    }

    /// A need's usual service categories.
    pub fn categories(&self, code: &str) -> Vec<String> {
        self.needs.iter().flatten().find(|c| c.code == code).map(|c| c.service_categories.clone()).unwrap_or_default()
    }
}

/// How much support a student will need; the tier rule then finds the tier.
fn severities(dice: &mut Dice) -> Vec<i32> {
    match weighted(&[22, 41, 24, 13], dice) {
        0 => vec![],
        1 => vec![1; dice.random_range(1..=2)],
        2 => std::iter::once(2).chain(vec![1; dice.random_range(0..=2)]).collect(),
        _ if dice.random_range(0..2) == 0 => vec![3, 2],
        _ => vec![2, 2, 2],
    }
}

const NOTES: [&str; 6] = [
    "Seen in small groups most mornings.",
    "Better since seats were changed.",
    "The family mentioned it at the open evening.",
    "Comes and goes; look again in six weeks.",
    "Asks for help when it gets hard.",
    "Proud of this and likes to show it.",
];

/// The entries of one student. `student` gives them their ids, so that writing them again changes nothing.
pub fn entries(catalogue: &Catalogue, student: &str, cycle: &str, dice: &mut Dice) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut domains: Vec<usize> = (0..DOMAINS.len()).collect();
    for n in (1..domains.len()).rev() {
        domains.swap(n, dice.random_range(0..=n));
    }
    for (n, severity) in severities(dice).into_iter().enumerate() {
        let Some(code) = one(&catalogue.needs[domains[n % domains.len()]], dice) else { continue };
        let suspected = severity < 3 && dice.random_range(0..8) == 0;
        entries.push(Entry {
            severity,
            certainty: if suspected { Certainty::Suspected } else { Certainty::Observed }.into(),
            ..entry(code, Polarity::Need, dice)
        });
    }
    for _ in 0..1 + weighted(&[3, 4, 2], dice) {
        let Some(code) = one(&catalogue.strengths[dice.random_range(0..DOMAINS.len())], dice) else { continue };
        // What is a need today is not a strength as well.
        if !entries.iter().any(|e| e.code == code.code) {
            entries.push(entry(code, Polarity::Strength, dice));
        }
    }
    if dice.random_range(0..2) == 0
        && let Some(code) = one(&catalogue.interests, dice)
    {
        // The student says what they like; faith groups are noted only where family or student say so.
        entries.push(Entry { source: EntrySource::Student.into(), ..entry(code, Polarity::Interest, dice) });
    }
    let namespace = Uuid::parse_str(student).unwrap_or_default();
    for entry in &mut entries {
        entry.entry_id = Uuid::new_v5(&namespace, format!("{cycle} {} {}", entry.polarity, entry.code).as_bytes()).to_string();
    }
    entries.sort_by(|a, b| a.entry_id.cmp(&b.entry_id));
    entries.dedup_by(|a, b| a.entry_id == b.entry_id);
    entries
}

fn entry(code: &Code, polarity: Polarity, dice: &mut Dice) -> Entry {
    let note = if dice.random_range(0..5) == 0 { one(&NOTES, dice).copied().unwrap_or_default() } else { "" };
    let source = match dice.random_range(0..10) {
        // What a student likes is the student's to say; some interests are taken from nobody else.
        _ if polarity == Polarity::Interest => EntrySource::Student,
        0 => EntrySource::Family,
        1 => EntrySource::Record,
        _ => EntrySource::Teacher,
    };
    Entry {
        polarity: polarity.into(),
        code: code.code.clone(),
        source: source.into(),
        note: note.to_owned(),
        sensitivity: code.sensitivity,
        ..Entry::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let code = |name: &str, domain: Domain, sensitivity: Sensitivity| Code {
            code: name.to_owned(),
            domain: domain.into(),
            strength: true,
            need: true,
            sensitivity: sensitivity.into(),
            ..Code::default()
        };
        let mut codes: Vec<Code> = DOMAINS.into_iter().flat_map(|d| (0..5).map(move |n| code(&format!("{d:?}-{n}"), d, Sensitivity::General))).collect();
        codes.push(code("SECRET", Domain::Family, Sensitivity::Protected));
        codes.push(Code { code: "INT-ART".to_owned(), interest: true, ..Code::default() });
        Catalogue::new(codes)
    }

    #[test]
    fn the_same_place_has_the_same_student() {
        let catalogue = catalogue();
        let student = Uuid::now_v7().to_string();
        let make = |n| entries(&catalogue, &student, "c", &mut dice([0, 1, 2, n]));
        assert_eq!(make(3), make(3));
        assert!((0..50).any(|n| make(n) != make(n + 1)));
    }

    #[test]
    fn every_student_has_a_strength_and_nothing_protected() {
        let catalogue = catalogue();
        let student = Uuid::now_v7().to_string();
        let mut needs = 0;
        for n in 0..300 {
            let entries = entries(&catalogue, &student, "c", &mut dice([0, 0, 0, n]));
            assert!(entries.iter().all(|e| e.code != "SECRET"));
            let ids: std::collections::BTreeSet<_> = entries.iter().map(|e| &e.entry_id).collect();
            assert_eq!(ids.len(), entries.len());
            needs += usize::from(entries.iter().any(|e| e.polarity() == Polarity::Need));
        }
        assert!((180..280).contains(&needs), "{needs} of 300 have a need");
    }
}
