//! The code lists that partners checks against, read from `taxonomy/` at compile time.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What the lists say, by code.
struct Lists {
    /// Category to whether it is protected.
    categories: HashMap<String, bool>,
    /// Sector to (protected, may receive plan data by consent).
    sectors: HashMap<String, (bool, bool)>,
    /// Need to whether it is general, which is all that a partner may ever see.
    needs: HashMap<String, bool>,
    /// Reason to (lists that have it, whose reason).
    reasons: HashMap<String, (HashSet<String>, String)>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut reasons: HashMap<String, (HashSet<String>, String)> = HashMap::new();
    for row in rows(include_str!("../../../taxonomy/1/reasons.csv"), ["list", "code", "side"]) {
        let [list, code, side] = row;
        let known = reasons.entry(code).or_default();
        known.0.insert(list);
        if !side.is_empty() {
            known.1 = side;
        }
    }
    Lists {
        categories: rows(include_str!("../../../taxonomy/1/service_categories.csv"), ["code", "protected"])
            .map(|[code, protected]| (code, protected == "yes"))
            .collect(),
        sectors: rows(include_str!("../../../taxonomy/1/sectors.csv"), ["code", "protected", "plan_data"])
            .map(|[code, protected, data]| (code, (protected == "yes", data == "by_consent")))
            .collect(),
        needs: rows(include_str!("../../../taxonomy/1/needs.csv"), ["code", "sensitivity"]).map(|[code, sensitivity]| (code, sensitivity == "g")).collect(),
        reasons,
    }
});

/// The named columns of a list. The lists are part of this program; the tests below see that they can be read.
fn rows<const N: usize>(text: &'static str, columns: [&'static str; N]) -> impl Iterator<Item = [String; N]> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let places = reader.headers().map(|headers| columns.map(|column| headers.iter().position(|h| h == column))).unwrap_or([None; N]);
    reader.into_records().filter_map(Result::ok).map(move |record| places.map(|place| place.and_then(|i| record.get(i)).unwrap_or_default().to_owned()))
}

/// Whether a service category is known, and protected.
pub fn category(code: &str) -> Option<bool> {
    LISTS.categories.get(code).copied()
}

/// Whether a sector is known, and protected.
pub fn sector(code: &str) -> Option<bool> {
    LISTS.sectors.get(code).map(|(protected, _)| *protected)
}

/// Whether partners of a sector may receive a student's data by consent. What is unknown may not.
pub fn receives_by_consent(sector: &str) -> bool {
    LISTS.sectors.get(sector).is_some_and(|(_, by_consent)| *by_consent)
}

/// Whether a need is known, and general.
pub fn need(code: &str) -> Option<bool> {
    LISTS.needs.get(code).copied()
}

/// Whether a reason is on a list.
pub fn reason_on(list: &str, code: &str) -> bool {
    LISTS.reasons.get(code).is_some_and(|(lists, _)| lists.contains(list))
}

/// Whose reason a code is, where the list says so: `partner`, `family`, `system`.
pub fn side_of_reason(code: &str) -> Option<&'static str> {
    LISTS.reasons.get(code).map(|(_, side)| side.as_str()).filter(|side| !side.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read() {
        assert_eq!(category("ED-TUT"), Some(false));
        assert_eq!(category("CRI-DV"), Some(true));
        assert_eq!(category("nonsense"), None);
        assert_eq!(sector("SEC-CBO"), Some(false));
        assert_eq!(sector("SEC-DVS"), Some(true));
        assert!(!receives_by_consent("SEC-LAW") && receives_by_consent("SEC-LIB"));
        assert_eq!(need("ACA-RDG"), Some(true));
        assert!(LISTS.needs.values().any(|general| !general));
        assert!(reason_on("referral_decline", "no_capacity") && !reason_on("service_stop", "no_capacity"));
        assert_eq!(side_of_reason("transport"), Some("family"));
        assert!(LISTS.categories.len() > 70 && LISTS.sectors.len() > 20 && LISTS.needs.len() > 50);
    }
}
