//! What a reader or a check found wrong, grouped so that one mistake in every row stays one finding.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Distinct findings that are kept; more are counted but not kept.
const MAX_DISTINCT: usize = 1_000;
/// Characters of an offending value that are kept.
const MAX_VALUE_CHARS: usize = 200;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the run goes on.
    Warning,
    /// Stops the run before anything is written.
    Error,
}

/// Where something was found.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// File inside the zip.
    pub file: &'a str,
    /// Line, the header being line 1; 0 for the whole file.
    pub line: u64,
    /// Column; empty for the whole row.
    pub column: &'a str,
}

impl<'a> Place<'a> {
    /// The whole file.
    pub fn file(file: &'a str) -> Self {
        Self { file, line: 0, column: "" }
    }
}

/// One kind of mistake in one column of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Severity.
    pub severity: Severity,
    /// File inside the zip.
    pub file: String,
    /// Line of the first occurrence; 0 for the whole file.
    pub line: u64,
    /// Column; empty for the whole row.
    pub column: String,
    /// Stable dotted code.
    pub rule: &'static str,
    /// The first offending value, shortened. Never a password.
    pub value: String,
    /// What is wrong and how to mend it.
    pub hint: String,
    /// How often this was found.
    pub occurrences: u64,
}

/// Collects findings; counts stay right however many there are.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    index: HashMap<u64, usize>,
    errors: u64,
    warnings: u64,
}

impl Findings {
    /// Adds an error.
    pub fn error(&mut self, rule: &'static str, place: Place<'_>, value: &str, hint: impl FnOnce() -> String) {
        self.add(Severity::Error, rule, place, value, 1, hint);
    }

    /// Adds a warning.
    pub fn warning(&mut self, rule: &'static str, place: Place<'_>, value: &str, hint: impl FnOnce() -> String) {
        self.add(Severity::Warning, rule, place, value, 1, hint);
    }

    /// Adds a finding that stands for `occurrences` rows, of which `place` is the first.
    pub fn add(&mut self, severity: Severity, rule: &'static str, place: Place<'_>, value: &str, occurrences: u64, hint: impl FnOnce() -> String) {
        match severity {
            Severity::Error => self.errors += occurrences,
            Severity::Warning => self.warnings += occurrences,
        }
        let key = group_key(severity, rule, place);
        if let Some(&at) = self.index.get(&key) {
            self.list[at].occurrences += occurrences;
            return;
        }
        if self.list.len() >= MAX_DISTINCT {
            return;
        }
        self.index.insert(key, self.list.len());
        self.list.push(Finding {
            severity,
            file: place.file.chars().take(MAX_VALUE_CHARS).collect(),
            line: place.line,
            column: place.column.chars().take(MAX_VALUE_CHARS).collect(),
            rule,
            value: value.chars().filter(|c| *c != '\0').take(MAX_VALUE_CHARS).collect(),
            hint: hint(),
            occurrences,
        });
    }

    /// How many errors were found, repeated ones included.
    pub fn error_count(&self) -> u64 {
        self.errors
    }

    /// How many warnings were found, repeated ones included.
    pub fn warning_count(&self) -> u64 {
        self.warnings
    }

    /// Whether the run must stop.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The distinct findings in the order in which they were found.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// The distinct findings, errors first, then by file and line.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.list.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.file.cmp(&b.file)).then_with(|| a.line.cmp(&b.line)));
        self.list
    }
}

fn group_key(severity: Severity, rule: &str, place: Place<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (severity == Severity::Error, rule, place.file, place.column).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mistake_in_every_row_is_one_finding() {
        let mut findings = Findings::default();
        for line in 2..10_002 {
            let place = Place { file: "users.csv", line, column: "role" };
            findings.error("enumeration.unknown", place, "teecher", || "hint".to_owned());
        }
        assert_eq!(findings.error_count(), 10_000);
        assert_eq!(findings.list().len(), 1);
        assert_eq!((findings.list()[0].line, findings.list()[0].occurrences), (2, 10_000));
    }

    #[test]
    fn the_list_is_capped_and_values_are_shortened() {
        let mut findings = Findings::default();
        for n in 0..5_000 {
            let column = format!("column{n}");
            let place = Place { file: "users.csv", line: 1, column: &column };
            findings.warning("header.unknown_column", place, &"x".repeat(500), String::new);
        }
        assert_eq!(findings.warning_count(), 5_000);
        assert_eq!(findings.list().len(), MAX_DISTINCT);
        assert_eq!(findings.list()[0].value.len(), MAX_VALUE_CHARS);
    }
}
