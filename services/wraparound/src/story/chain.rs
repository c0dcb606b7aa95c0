//! What the story tells: its steps, the links of one need's chain, the report.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What was done.
    pub what: String,
    /// How long it took.
    pub took: Duration,
    /// What was waited for in it; empty where nothing.
    pub waited_for: &'static str,
}

/// One link of the chain from need to outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// E.g. `need_id`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// What and in which state.
    pub about: String,
}

/// One number of the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// E.g. `ND-3`.
    pub measure: String,
    /// Title.
    pub title: String,
    /// What is counted; none where withheld.
    pub numerator: Option<i64>,
    /// Of what; none where withheld, and for plain counts.
    pub denominator: Option<i64>,
    /// The share.
    pub value: Option<f64>,
    /// Why it is withheld; empty where it is shown.
    pub withheld: String,
}

/// The story so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Steps in their order.
    pub steps: Vec<Step>,
    /// The chain, from the student on.
    pub chain: Vec<Link>,
    /// Tiers of the class: name and number of students.
    pub tiers: Vec<(String, usize)>,
    /// The report.
    pub report: Vec<Figure>,
}

/// For people.
pub fn text(told: &Told) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    for (n, step) in told.steps.iter().enumerate() {
        let waited = if step.waited_for.is_empty() { String::new() } else { format!("   (waited for {})", step.waited_for) };
        let _ = writeln!(out, "{:>2}. {} [{} ms]{waited}", n + 1, step.what, step.took.as_millis());
    }
    if !told.tiers.is_empty() {
        let tiers: Vec<String> = told.tiers.iter().map(|(tier, n)| format!("{tier}: {n}")).collect();
        let _ = writeln!(out, "\nTiers of the class: {}", tiers.join(", "));
    }
    if !told.chain.is_empty() {
        let _ = writeln!(out, "\nThe chain of one need:");
    }
    for link in &told.chain {
        let _ = writeln!(out, "  {:<16} {}  {}", link.kind, link.id, link.about);
    }
    if !told.report.is_empty() {
        let _ = writeln!(out, "\nThe report:");
    }
    for figure in &told.report {
        let number = match (figure.numerator, figure.denominator, figure.value) {
            (Some(part), Some(of), Some(value)) => format!("{part} of {of} ({:.1} %)", value * 100.0),
            (Some(part), Some(of), None) => format!("{part} of {of}"),
            (Some(count), None, _) => count.to_string(),
            (None, ..) => format!("withheld ({})", figure.withheld),
        };
        let _ = writeln!(out, "  {:<6} {:<48} {number}", figure.measure, figure.title);
    }
    out
}

/// For programs.
pub fn json(told: &Told, complete: bool) -> anyhow::Result<String> {
    let steps: Vec<_> = told.steps.iter().map(|s| json!({ "what": s.what, "millis": s.took.as_millis(), "waited_for": s.waited_for })).collect();
    let chain: Vec<_> = told.chain.iter().map(|l| json!({ "kind": l.kind, "id": l.id, "about": l.about })).collect();
    let tiers: serde_json::Map<String, serde_json::Value> = told.tiers.iter().map(|(tier, n)| (tier.clone(), json!(n))).collect();
    let report: Vec<_> = told
        .report
        .iter()
        .map(|f| {
            json!({ "measure_id": f.measure, "title": f.title, "numerator": f.numerator, "denominator": f.denominator, "value": f.value, "withheld": f.withheld })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&json!({ "complete": complete, "steps": steps, "tiers": tiers, "chain": chain, "report": report }))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        Told {
            steps: vec![Step { what: "import the roster".to_owned(), took: Duration::from_millis(12), waited_for: "" }],
            chain: vec![Link { kind: "need_id", id: "n1".to_owned(), about: "ACA-RDG".to_owned() }],
            tiers: vec![("2b".to_owned(), 1)],
            report: vec![Figure {
                measure: "ND-3".to_owned(),
                title: "Unmet".to_owned(),
                numerator: None,
                denominator: None,
                value: None,
                withheld: "small".to_owned(),
            }],
        }
    }

    #[test]
    fn every_part_is_told() {
        let text = text(&told());
        for part in ["import the roster", "n1", "2b: 1", "withheld (small)"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let value: serde_json::Value = serde_json::from_str(&json(&told(), true).unwrap()).unwrap();
        assert_eq!(value["chain"][0]["kind"], "need_id");
        assert_eq!(value["report"][0]["numerator"], serde_json::Value::Null);
    }
}
