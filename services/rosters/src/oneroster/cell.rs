//! One cell: is it what its column may hold, and what is its normal form.

use super::spec::{GRADES, Kind, Version};

/// Stands between the items of a list in its normal form. It cannot occur in a cell: control characters are refused.
pub const LIST_SEPARATOR: char = '\u{1f}';

/// What is wrong with a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// Stable code of the rule.
    pub(super) rule: &'static str,
    /// Whether a value was taken all the same.
    pub(super) taken: bool,
    /// How to mend it.
    pub(super) hint: &'static str,
}

const fn refused(rule: &'static str, hint: &'static str) -> Option<Fault> {
    Some(Fault { rule, taken: false, hint })
}

const fn taken(rule: &'static str, hint: &'static str) -> Option<Fault> {
    Some(Fault { rule, taken: true, hint })
}

/// Whether the cell counts as empty: blank, or the `NULL` of a careless exporter.
pub(super) fn is_blank(kind: Kind, text: &str) -> bool {
    text.is_empty() || (text == "NULL" && kind != Kind::Name)
}

/// Checks a trimmed, non-blank cell and appends its normal form to `out`. Where the fault is not `taken`,
/// nothing was appended that counts.
pub(super) fn normalise(kind: Kind, text: &str, version: Version, out: &mut String) -> Option<Fault> {
    match kind {
        Kind::Id | Kind::Text | Kind::Name => {
            out.push_str(text);
            None
        }
        Kind::IdList | Kind::TextList => {
            push_list(text, out);
            None
        }
        Kind::Date => date(text, out),
        Kind::Stamp => stamp(text),
        Kind::Bool => boolean(text, out),
        Kind::Grades => grades(text, out),
        Kind::Year => year(text, out),
        Kind::Status => status(text, out),
        Kind::UserIds => user_ids(text),
        Kind::Secret => None,
        Kind::Word(values, wild) => word(text, values, wild, version, out),
    }
}

fn push_list(text: &str, out: &mut String) {
    let mut first = true;
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if !first {
            out.push(LIST_SEPARATOR);
        }
        first = false;
        out.push_str(item);
    }
}

const DATE_HINT: &str = "Write dates as YYYY-MM-DD, for example 2026-09-01.";

fn date(text: &str, out: &mut String) -> Option<Fault> {
    let Some(day) = text.get(..10).filter(|day| is_date(day)) else {
        return refused("date.format", DATE_HINT);
    };
    let rest = &text[10..];
    if rest.is_empty() {
        out.push_str(day);
        None
    } else if rest.starts_with(['T', ' ']) {
        out.push_str(day);
        taken("date.with_time", "The column holds a date without a time; the time was left out.")
    } else {
        refused("date.format", DATE_HINT)
    }
}

fn is_date(day: &str) -> bool {
    let b = day.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return false;
    }
    let (Some(y), Some(m), Some(d)) = (number(&b[..4]), number(&b[5..7]), number(&b[8..])) else {
        return false;
    };
    (1900..2200).contains(&y) && chrono::NaiveDate::from_ymd_opt(y as i32, m, d).is_some()
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

fn stamp(text: &str) -> Option<Fault> {
    let good = text.get(..10).is_some_and(is_date) && (text.len() == 10 || (text.as_bytes()[10] == b'T' && text.ends_with('Z')));
    if good {
        return None;
    }
    taken("timestamp.format", "Write times as ISO 8601 in UTC, for example 2026-09-01T10:00:00Z. The value is not used.")
}

const BOOL_HINT: &str = "Write true or false, in small letters.";

fn boolean(text: &str, out: &mut String) -> Option<Fault> {
    match text {
        "true" => {
            out.push('t');
            return None;
        }
        "false" => {
            out.push('f');
            return None;
        }
        _ => {}
    }
    let value = match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "t" => 't',
        "false" | "0" | "no" | "n" | "f" => 'f',
        _ => return refused("boolean.format", BOOL_HINT),
    };
    out.push(value);
    taken("boolean.spelling", BOOL_HINT)
}

const GRADE_HINT: &str = "Write grades as CEDS codes: KG, 01 to 12, PK, TK, UG and so on.";

/// A list of grades. Those that nobody knows are left out, those that are merely misspelt are mended.
fn grades(text: &str, out: &mut String) -> Option<Fault> {
    let mut fault = None;
    let mut first = true;
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let code = match GRADES.iter().find(|code| **code == item) {
            Some(code) => *code,
            None => match mended_grade(item) {
                Some(code) => {
                    fault = fault.or(taken("grade.spelling", GRADE_HINT));
                    code
                }
                None => {
                    fault = taken("grade.unknown", GRADE_HINT);
                    continue;
                }
            },
        };
        if !first {
            out.push(LIST_SEPARATOR);
        }
        first = false;
        out.push_str(code);
    }
    fault
}

/// The CEDS code that somebody meant, where that is clear.
pub(crate) fn mended_grade(item: &str) -> Option<&'static str> {
    if let Ok(n @ 1..=13) = item.trim_end_matches(".0").parse::<u8>() {
        return GRADES.iter().copied().find(|code| code.parse() == Ok(n));
    }
    let upper = item.to_ascii_uppercase();
    match upper.as_str() {
        "K" | "0" | "00" | "KINDERGARTEN" => Some("KG"),
        "P" | "PREK" | "PRE-K" | "-1" => Some("PK"),
        _ => GRADES.iter().copied().find(|code| code.eq_ignore_ascii_case(&upper)),
    }
}

fn year(text: &str, out: &mut String) -> Option<Fault> {
    let good = text.len() == 4 && number(text.as_bytes()).is_some_and(|y| (1900..2200).contains(&y));
    if !good {
        return refused("year.format", "Write the year in which the school year ends, as four digits.");
    }
    out.push_str(text);
    None
}

fn status(text: &str, out: &mut String) -> Option<Fault> {
    match text {
        "active" => {
            out.push('f');
            return None;
        }
        "tobedeleted" => {
            out.push('t');
            return None;
        }
        _ => {}
    }
    const HINT: &str = "Write active or tobedeleted.";
    match text.to_ascii_lowercase().as_str() {
        "active" => {
            out.push('f');
            taken("enumeration.case", HINT)
        }
        "tobedeleted" => {
            out.push('t');
            taken("enumeration.case", HINT)
        }
        "inactive" => {
            out.push('t');
            taken("status.inactive", "The status inactive belongs to version 1.0; it is read as tobedeleted.")
        }
        _ => refused("status.unknown", HINT),
    }
}

fn user_ids(text: &str) -> Option<Fault> {
    let good = text.split(',').map(str::trim).all(|item| {
        item.strip_prefix('{')
            .and_then(|item| item.strip_suffix('}'))
            .and_then(|item| item.split_once(':'))
            .is_some_and(|(kind, id)| !kind.is_empty() && !id.is_empty() && !kind.contains('}') && !id.contains('}'))
    });
    if good {
        return None;
    }
    taken("user_ids.format", "Write user ids as {type:identifier}, with commas between. The value is not used.")
}

fn word(text: &str, values: &[&str], wild: &[&str], version: Version, out: &mut String) -> Option<Fault> {
    if values.contains(&text) {
        out.push_str(text);
        return None;
    }
    if let Some(value) = values.iter().find(|value| value.eq_ignore_ascii_case(text)) {
        out.push_str(value);
        return taken("enumeration.case", "Write the value in exactly the letter case of the specification.");
    }
    if let Some(value) = wild.iter().find(|value| value.eq_ignore_ascii_case(text)) {
        out.push_str(value);
        return taken("enumeration.other_version", "The value belongs to another version of OneRoster.");
    }
    let is_extension =
        text.strip_prefix("ext:").is_some_and(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
    if is_extension && version == Version::V12 {
        out.push_str(text);
        return taken("enumeration.extension", "We give no meaning to a vendor's own value.");
    }
    refused("enumeration.unknown", "The value is not one of those that the specification lists for this column.")
}

/// How many items a list cell has.
pub(super) fn list_len(text: &str) -> usize {
    text.split(',').filter(|item| !item.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(kind: Kind, text: &str) -> (String, Option<&'static str>) {
        let mut out = String::new();
        let fault = normalise(kind, text, Version::V12, &mut out);
        (out, fault.map(|fault| fault.rule))
    }

    #[test]
    fn dates_have_one_form() {
        assert_eq!(run(Kind::Date, "2026-09-01"), ("2026-09-01".to_owned(), None));
        assert_eq!(run(Kind::Date, "2026-09-01T10:00:00Z"), ("2026-09-01".to_owned(), Some("date.with_time")));
        for bad in ["9/1/2026", "2026-02-30", "20260901", "2026-9-1", "0001-01-01", "2026-09-01x", "é026-09-01"] {
            assert_eq!(run(Kind::Date, bad).1, Some("date.format"), "{bad}");
        }
    }

    #[test]
    fn grades_are_mended_where_their_meaning_is_clear() {
        assert_eq!(run(Kind::Grades, "KG, 01"), ("KG\u{1f}01".to_owned(), None));
        assert_eq!(run(Kind::Grades, "k,9"), ("KG\u{1f}09".to_owned(), Some("grade.spelling")));
        assert_eq!(run(Kind::Grades, "Freshman"), (String::new(), Some("grade.unknown")));
    }

    #[test]
    fn words_are_compared_without_case_and_extensions_pass_in_1_2() {
        let kind = Kind::Word(&["homeroom", "scheduled"], &[]);
        assert_eq!(run(kind, "Scheduled"), ("scheduled".to_owned(), Some("enumeration.case")));
        assert_eq!(run(kind, "ext:advisory"), ("ext:advisory".to_owned(), Some("enumeration.extension")));
        assert_eq!(run(kind, "lecture").1, Some("enumeration.unknown"));
    }

    #[test]
    fn odd_booleans_and_statuses_are_read_with_a_warning() {
        assert_eq!(run(Kind::Bool, "TRUE"), ("t".to_owned(), Some("boolean.spelling")));
        assert_eq!(run(Kind::Bool, "maybe").1, Some("boolean.format"));
        assert_eq!(run(Kind::Status, "inactive"), ("t".to_owned(), Some("status.inactive")));
        assert_eq!(run(Kind::UserIds, "{LDAP:12},{LTI:15}").1, None);
        assert_eq!(run(Kind::UserIds, "12").1, Some("user_ids.format"));
    }
}
