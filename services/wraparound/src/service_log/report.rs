//! What an import of a service log came to, for people and for programs.

use std::fmt::Write as _;

use serde_json::json;

use super::Import;
use crate::progress::grouped;

/// Findings that are printed; the rest is counted.
const SHOWN: usize = 50;

fn count(number: i64) -> String {
    grouped(u64::try_from(number).unwrap_or(0))
}

fn verdict(import: &Import) -> &'static str {
    match (import.result.errors, import.result.written, import.dry_run) {
        (0, ..) if import.result.rows == 0 => "There is no session in the file: nothing was written.",
        (0, true, _) => "Written: every row is in the plans.",
        (0, false, true) => "Checked: the file could be written as it is. Nothing was written.",
        _ => "Refused: nothing was written. Mend the errors below and import it again.",
    }
}

/// For people: the verdict, the counts, and where each finding is.
pub fn text(import: &Import) -> String {
    let result = &import.result;
    let mut out = format!("{}\n", verdict(import));
    let _ = writeln!(
        out,
        "{} rows, {} new deliveries, {} there already, {} errors, {} warnings",
        count(result.rows),
        count(result.deliveries),
        count(result.unchanged),
        count(result.errors),
        count(result.warnings)
    );
    if !import.findings.is_empty() {
        let _ = writeln!(out, "\n{:>7}  {:<17} {:<8} {:<26} what to do", "line", "column", "", "finding");
    }
    for finding in import.findings.iter().take(SHOWN) {
        let _ = writeln!(out, "{:>7}  {:<17} {:<8} {:<26} {}", finding.line, finding.column, finding.severity, finding.code, finding.message);
    }
    let total = usize::try_from(result.errors + result.warnings).unwrap_or(usize::MAX);
    let hidden = total.saturating_sub(import.findings.len().min(SHOWN));
    if hidden > 0 {
        let _ = writeln!(out, "… and {hidden} findings more; --format json prints the first {}.", import.findings.len());
    }
    out
}

/// For programs.
pub fn json(import: &Import) -> anyhow::Result<String> {
    let result = &import.result;
    let findings: Vec<_> =
        import.findings.iter().map(|f| json!({ "line": f.line, "column": f.column, "severity": f.severity, "code": f.code, "message": f.message })).collect();
    Ok(serde_json::to_string_pretty(&json!({
        "dry_run": import.dry_run,
        "written": result.written,
        "rows": result.rows,
        "deliveries": result.deliveries,
        "unchanged": result.unchanged,
        "errors": result.errors,
        "warnings": result.warnings,
        "findings": findings,
    }))?)
}

#[cfg(test)]
mod tests {
    use proto::plans::v1::{ServiceLogFinding, ServiceLogResult};

    use super::*;

    fn refused(errors: i64) -> Import {
        let finding = ServiceLogFinding {
            line: 7,
            column: "student".to_owned(),
            severity: "error".to_owned(),
            code: "STUDENT_AMBIGUOUS".to_owned(),
            message: "several students of the school fit; give the student's identifier".to_owned(),
        };
        Import { result: ServiceLogResult { rows: 12_345, errors, ..ServiceLogResult::default() }, findings: vec![finding], dry_run: true }
    }

    #[test]
    fn a_finding_says_where_what_and_how_to_mend_it() {
        let text = text(&refused(3));
        assert!(text.starts_with("Refused: nothing was written."), "{text}");
        assert!(text.contains("12,345 rows") && text.contains("STUDENT_AMBIGUOUS") && text.contains("give the student's identifier"), "{text}");
        assert!(text.contains("and 2 findings more"), "{text}");
        assert!(!refused(1).went_well() && refused(0).went_well());
        let value: serde_json::Value = serde_json::from_str(&json(&refused(1)).unwrap()).unwrap();
        assert_eq!((value["findings"][0]["line"].as_i64(), value["written"].as_bool()), (Some(7), Some(false)));
    }
}
