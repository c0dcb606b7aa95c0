//! The embedded lists load, are complete, and a broken list is refused with file, line and remedy.

use std::collections::HashSet;

use super::*;

const SECTORS: &str = include_str!("../../../../taxonomy/1/sectors.csv");

fn embedded() -> &'static Taxonomy {
    Taxonomy::load().unwrap()
}

fn broken(needs: &str) -> TaxonomyError {
    let header = NEEDS.lines().next().unwrap();
    let text = format!("{header}\n{needs}\n");
    Taxonomy::parse(&text, INTERESTS, SERVICE_CATEGORIES, REASONS).unwrap_err()
}

#[test]
fn every_list_is_complete() {
    let count = |domain| embedded().lines().iter().filter(|line| line.domain == domain).count();
    assert_eq!(count(Some(Domain::Academics)), 23);
    assert_eq!(count(Some(Domain::SocialEmotional)), 24);
    assert_eq!(count(Some(Domain::Health)), 22);
    assert_eq!(count(Some(Domain::Family)), 25);
    assert_eq!(count(None), 22);
    let first_column = |text: &str| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let codes: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len(), "a code stands twice");
        codes.len()
    };
    assert_eq!(first_column(SERVICE_CATEGORIES), 82);
    assert_eq!(first_column(SECTORS), 21);
}

#[test]
fn a_line_carries_every_column() {
    let line = get("FAM-HML").unwrap();
    assert_eq!(line.label, "Homeless / doubled up (McKinney-Vento)");
    assert_eq!(line.domain, Some(Domain::Family));
    assert_eq!(line.polarity, PolarityAllowed::Need);
    assert_eq!((line.floor, line.sensitivity), (3, Sensitivity::Protected));
    assert_eq!(line.service_categories, ["BN-SHL", "BN-HOU"]);
    assert!(get("ACA-RDG").unwrap().allows_strength() && get("ACA-RDG").unwrap().allows_need());
    assert!(!get("SEB-EMP").unwrap().allows_need());
    assert!(get("INT-REL").unwrap().family_stated_only && get("INT-REL").unwrap().is_interest());
    assert!(get("X-ANY").is_none());
}

#[test]
fn exactly_five_codes_have_a_floor() {
    let floors: Vec<&str> = embedded().lines().iter().filter(|line| line.floor == 3).map(|line| line.code.as_str()).collect();
    assert_eq!(floors, ["SEB-SUI", "SEB-THR", "FAM-HML", "FAM-VIO", "FAM-CPS"]);
}

#[test]
fn a_star_stands_for_every_category_of_its_family() {
    let line = get("FAM-TRN").unwrap();
    assert_eq!(line.service_categories, ["TR-SCH", "TR-SVC"]);
    assert!(get("SEB-CON").unwrap().service_categories.len() > 10);
}

#[test]
fn everyday_words_find_codes() {
    let found = |word: &str| -> Vec<&str> {
        embedded()
            .lines()
            .iter()
            .filter(|line| line.synonyms.iter().any(|synonym| synonym == word) || line.label.to_lowercase().contains(word))
            .map(|line| line.code.as_str())
            .collect()
    };
    for (word, code) in [
        ("peer", "SEB-REL"),
        ("friends", "SEB-REL"),
        ("homework", "ACA-ORG"),
        ("food", "FAM-FOD"),
        ("food", "HLT-NUT"),
        ("glasses", "HLT-VIS"),
        ("eviction", "FAM-HOU"),
    ] {
        assert!(found(word).contains(&code), "{word} does not find {code}");
    }
    for line in embedded().lines() {
        assert!((2..=5).contains(&line.synonyms.len()), "{} needs 2 to 5 synonyms", line.code);
    }
}

#[test]
fn reasons_are_known_by_list() {
    let count = |list| embedded().reasons(list).count();
    assert_eq!(count("tier_override"), 7);
    assert_eq!(count("not_reviewed"), 6);
    assert_eq!(count("referral_decline"), 18);
    assert_eq!(count("referral_outcome"), 4);
    assert_eq!(count("service_stop"), 10);
    assert_eq!(count("unmet_need"), 9);
    let unique: HashSet<_> = embedded().reasons.iter().map(|r| (&r.list, &r.side, &r.code)).collect();
    assert_eq!(unique.len(), embedded().reasons.len());
    assert!(embedded().has_reason("tier_override", "strengths_buffer"));
    assert!(!embedded().has_reason("tier_override", "time"));
}

#[test]
fn domains_read_back() {
    for (at, domain) in Domain::ALL.into_iter().enumerate() {
        assert_eq!((domain.index(), Domain::parse(domain.as_str())), (at, Some(domain)));
    }
    assert_eq!(Domain::parse("INT"), None);
}

#[test]
fn a_broken_list_is_refused_with_file_line_and_remedy() {
    for (row, says) in [
        ("SEB-RDG,ACA,Reading,B,0,g,,a;b", "not of domain ACA"),
        ("ACA-RDG,ACA,Reading,B,2,g,,a;b", "write 0 or 3"),
        ("ACA-RDG,ACA,Reading,S,3,g,,a;b", "cannot have a floor"),
        ("ACA-RDG,ACA,Reading,Q,0,g,,a;b", "unknown variant"),
        ("ACA-RDG,ACA,Reading,B,0,g,ZZ-*,a;b", "ZZ-* is not in service_categories.csv"),
        ("ACA-RDG,ACA,,B,0,g,,a;b", "has no label"),
        ("ACA-RDG,ACA,Reading,B,0", "fields"),
    ] {
        let error = broken(row);
        assert_eq!((error.file, error.line), ("needs.csv", Some(2)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let twice = "ACA-RDG,ACA,Reading,B,0,g,,a;b\nACA-RDG,ACA,Reading,B,0,g,,a;b";
    assert_eq!(broken(twice).to_string(), "taxonomy/1/needs.csv, line 3: code ACA-RDG stands twice; remove one");
}
