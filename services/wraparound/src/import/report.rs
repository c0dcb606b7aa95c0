//! What an import run came to, for people and for programs.

use std::fmt::Write as _;

use proto::rosters::v1::{ImportIssue, ImportIssueSeverity, ImportState};
use serde_json::json;

use super::Result;
use crate::progress::grouped;

/// Findings that are printed in full; the rest is counted.
const SHOWN: usize = 50;

fn count(number: i64) -> String {
    grouped(u64::try_from(number).unwrap_or(0))
}

fn verdict(state: ImportState) -> &'static str {
    match state {
        ImportState::Applied => "Applied: the roster is in.",
        ImportState::Checked => "Checked: the roster could be applied as it is. Nothing was written.",
        ImportState::Refused => "Refused: nothing was written. Mend the errors below and import it again.",
        ImportState::NeedsApproval => "Stopped: this roster would take much away. Nothing was written. If that is meant, run it again with --accept-changes.",
        ImportState::Validating | ImportState::Unspecified => "Not finished.",
    }
}

fn severity(issue: &ImportIssue) -> &'static str {
    if issue.severity() == ImportIssueSeverity::Error { "error" } else { "warning" }
}

/// For people.
pub fn text(result: &Result) -> String {
    let run = &result.run;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}: {}", run.source_name, verdict(run.state()));
    let _ = writeln!(out, "Run {}. {} errors, {} warnings.", run.import_run_id, count(run.error_count), count(run.warning_count));
    if !run.files.is_empty() {
        let _ = writeln!(out, "\n{:<24} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}", "file", "rows", "added", "changed", "unchanged", "skipped", "missing");
    }
    for file in &run.files {
        let _ = writeln!(
            out,
            "{:<24} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}",
            file.file,
            count(file.rows),
            count(file.added),
            count(file.changed),
            count(file.unchanged),
            count(file.skipped),
            count(file.missing)
        );
    }
    if !result.issues.is_empty() {
        out.push('\n');
    }
    for issue in result.issues.iter().take(SHOWN) {
        let _ = writeln!(out, "{}", line(issue));
    }
    let total = usize::try_from(run.error_count + run.warning_count).unwrap_or(usize::MAX);
    let hidden = total.max(result.issues.len()) - result.issues.len().min(SHOWN);
    if hidden > 0 {
        let _ = writeln!(out, "… and {hidden} findings more; --format json prints the first {}.", super::MOST_ISSUES);
    }
    out
}

/// One finding: where, what, how to mend it.
fn line(issue: &ImportIssue) -> String {
    let mut place = issue.file.clone();
    if issue.line > 0 {
        place.push_str(&format!(":{}", issue.line));
    }
    if !issue.column.is_empty() {
        place.push_str(&format!(" {}", issue.column));
    }
    let value = if issue.value.is_empty() { String::new() } else { format!(" {:?}", issue.value) };
    let more = if issue.occurrences > 1 { format!(" ({} rows)", count(issue.occurrences)) } else { String::new() };
    format!("{place}: {} {}{value}: {}{more}", severity(issue), issue.rule, issue.hint)
}

/// For programs.
pub fn json(result: &Result) -> anyhow::Result<String> {
    let run = &result.run;
    let files: Vec<_> = run
        .files
        .iter()
        .map(|f| json!({ "file": f.file, "rows": f.rows, "added": f.added, "changed": f.changed, "unchanged": f.unchanged, "skipped": f.skipped, "missing": f.missing }))
        .collect();
    let issues: Vec<_> = result
        .issues
        .iter()
        .map(|i| {
            json!({ "severity": severity(i), "file": i.file, "line": i.line, "column": i.column, "rule": i.rule, "value": i.value, "hint": i.hint, "occurrences": i.occurrences })
        })
        .collect();
    let state = run.state().as_str_name().trim_start_matches("IMPORT_STATE_").to_lowercase();
    Ok(serde_json::to_string_pretty(&json!({
        "import_run_id": run.import_run_id,
        "source_name": run.source_name,
        "state": state,
        "dry_run": run.dry_run,
        "error_count": run.error_count,
        "warning_count": run.warning_count,
        "files": files,
        "issues": issues,
    }))?)
}

#[cfg(test)]
mod tests {
    use proto::rosters::v1::{ImportFileSummary, ImportRun};

    use super::*;

    fn refused() -> Result {
        let issue = ImportIssue {
            severity: ImportIssueSeverity::Error.into(),
            file: "users.csv".to_owned(),
            line: 7,
            column: "role".to_owned(),
            rule: "enum.unknown".to_owned(),
            value: "techer".to_owned(),
            hint: "is not a role; did you mean teacher?".to_owned(),
            occurrences: 3,
        };
        let run = ImportRun {
            source_name: "district.zip".to_owned(),
            state: ImportState::Refused.into(),
            error_count: 1,
            files: vec![ImportFileSummary { file: "users.csv".to_owned(), rows: 12_345, ..ImportFileSummary::default() }],
            ..ImportRun::default()
        };
        Result { run, issues: vec![issue] }
    }

    #[test]
    fn a_finding_says_where_what_and_how_to_mend_it() {
        let text = text(&refused());
        assert!(text.contains("nothing was written"), "{text}");
        assert!(text.contains("users.csv:7 role: error enum.unknown \"techer\": is not a role; did you mean teacher? (3 rows)"), "{text}");
        assert!(text.contains("12,345"), "{text}");
    }

    #[test]
    fn json_has_every_part() {
        let value: serde_json::Value = serde_json::from_str(&json(&refused()).unwrap()).unwrap();
        assert_eq!(value["state"], "refused");
        assert_eq!(value["issues"][0]["line"], 7);
    }
}
