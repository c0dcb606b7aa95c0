//! What the year tells: its steps in order, each with the ids it made or moved and the state they are in now.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

/// Something that a step made or moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// E.g. `concern_id`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The state it is in, or what it is.
    pub state: String,
}

/// Makes a [`Thing`].
pub fn thing(kind: &'static str, id: &str, state: impl Into<String>) -> Thing {
    Thing { kind, id: id.to_owned(), state: state.into() }
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Part of the year, e.g. `fall review`.
    pub part: &'static str,
    /// What was done.
    pub what: String,
    /// How long it took.
    pub took: Duration,
    /// What it made or moved.
    pub things: Vec<Thing>,
}

/// For people.
pub fn text(steps: &[Step]) -> String {
    let mut out = String::new();
    let mut part = "";
    // Writing to a string cannot fail.
    for (n, step) in steps.iter().enumerate() {
        if step.part != part {
            part = step.part;
            let _ = writeln!(out, "\n{part}");
        }
        let _ = writeln!(out, "{:>3}. {} [{} ms]", n + 1, step.what, step.took.as_millis());
        for thing in &step.things {
            let _ = writeln!(out, "       {:<22} {:<36}  {}", thing.kind, thing.id, thing.state);
        }
    }
    out
}

/// For programs.
pub fn json(steps: &[Step], school_year: i32, complete: bool) -> anyhow::Result<String> {
    let steps: Vec<_> = steps
        .iter()
        .map(|s| {
            let things: Vec<_> = s.things.iter().map(|t| json!({ "kind": t.kind, "id": t.id, "state": t.state })).collect();
            json!({ "part": s.part, "what": s.what, "millis": s.took.as_millis(), "ids": things })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&json!({ "complete": complete, "school_year": school_year, "steps": steps }))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_tells_its_ids_and_states() {
        let step = |part, what: &str| Step {
            part,
            what: what.to_owned(),
            took: Duration::from_millis(3),
            things: vec![thing("concern_id", "c1", "CONCERN_STATE_RAISED")],
        };
        let steps = [step("concern", "the teacher raises a concern"), step("concern", "it is triaged"), step("plan", "the plan is shown")];
        let text = text(&steps);
        assert_eq!(text.matches("\nconcern\n").count(), 1);
        for part in ["  1. the teacher raises a concern", "c1", "CONCERN_STATE_RAISED", "\nplan\n"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let value: serde_json::Value = serde_json::from_str(&json(&steps, 2027, true).unwrap()).unwrap();
        assert_eq!(value["steps"][1]["ids"][0]["state"], "CONCERN_STATE_RAISED");
        assert_eq!(value["school_year"], 2027);
    }
}
