//! Parse, don't validate: reads request fields into types and collects every violation before answering.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::fault::{Fault, Kind, Violation};

/// Collects violations while the fields of one request are read.
///
/// Each method answers a value even where the field is wrong, so that one pass finds everything; [`Parser::finish`]
/// then refuses.
#[derive(Debug, Default)]
pub struct Parser {
    violations: Vec<Violation>,
}

/// A request with wrong fields.
#[derive(Debug, thiserror::Error)]
#[error("{}", summary(.0))]
pub struct InvalidInput(pub Vec<Violation>);

fn summary(violations: &[Violation]) -> String {
    violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect::<Vec<_>>().join("; ")
}

impl InvalidInput {
    /// A refusal for one field.
    pub fn one(field: &str, description: impl Into<String>) -> Self {
        Self(vec![Violation { field: field.to_owned(), description: description.into() }])
    }
}

impl Fault for InvalidInput {
    fn kind(&self) -> Kind {
        Kind::InvalidInput
    }
    fn reason(&self) -> &'static str {
        "INVALID_INPUT"
    }
    fn violations(&self) -> Vec<Violation> {
        self.0.clone()
    }
}

impl Parser {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a violation.
    pub fn violation(&mut self, field: &str, description: impl Into<String>) {
        self.violations.push(Violation { field: field.to_owned(), description: description.into() });
    }

    /// A UUID that must be there.
    pub fn uuid(&mut self, field: &str, value: &str) -> Uuid {
        match Uuid::parse_str(value) {
            Ok(id) if !id.is_nil() => id,
            _ if value.is_empty() => {
                self.violation(field, "must be given, as a UUID");
                Uuid::nil()
            }
            _ => {
                self.violation(field, "must be a UUID");
                Uuid::nil()
            }
        }
    }

    /// A UUID that may be empty.
    pub fn optional_uuid(&mut self, field: &str, value: &str) -> Option<Uuid> {
        if value.is_empty() { None } else { Some(self.uuid(field, value)) }
    }

    /// A list of UUIDs with at most `max` members.
    pub fn uuids(&mut self, field: &str, values: &[String], max: usize) -> Vec<Uuid> {
        if values.len() > max {
            self.violation(field, format!("must have at most {max} members, has {}", values.len()));
            return Vec::new();
        }
        values.iter().enumerate().map(|(i, v)| self.uuid(&format!("{field}[{i}]"), v)).collect()
    }

    /// Text of at most `max` characters, trimmed; control characters but line breaks and tabs are refused.
    pub fn text(&mut self, field: &str, value: &str, max: usize) -> String {
        let value = value.trim();
        let length = value.chars().count();
        if length > max {
            self.violation(field, format!("must have at most {max} characters, has {length}"));
        }
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.violation(field, "must not hold control characters");
        }
        value.to_owned()
    }

    /// Text that must not be empty.
    pub fn required_text(&mut self, field: &str, value: &str, max: usize) -> String {
        let text = self.text(field, value, max);
        if text.is_empty() {
            self.violation(field, "must be given");
        }
        text
    }

    /// An ISO date that may be empty.
    pub fn optional_date(&mut self, field: &str, value: &str) -> Option<NaiveDate> {
        if value.is_empty() {
            return None;
        }
        match NaiveDate::parse_from_str(value, "%Y-%m-%d") {
            Ok(date) if (1900..=2200).contains(&chrono::Datelike::year(&date)) => Some(date),
            _ => {
                self.violation(field, "must be a date such as 2026-10-05");
                None
            }
        }
    }

    /// An ISO date that must be there.
    pub fn date(&mut self, field: &str, value: &str) -> NaiveDate {
        if value.is_empty() {
            self.violation(field, "must be given, as a date such as 2026-10-05");
        }
        self.optional_date(field, value).unwrap_or_default()
    }

    /// A number within bounds.
    pub fn number(&mut self, field: &str, value: i32, bounds: std::ops::RangeInclusive<i32>) -> i32 {
        if !bounds.contains(&value) {
            self.violation(field, format!("must be from {} to {}, is {value}", bounds.start(), bounds.end()));
        }
        value
    }

    /// A code out of a short list; may be empty where `optional`.
    pub fn one_of(&mut self, field: &str, value: &str, allowed: &[&str], optional: bool) -> String {
        if !(allowed.contains(&value) || optional && value.is_empty()) {
            self.violation(field, format!("must be one of {}", allowed.join(", ")));
        }
        value.to_owned()
    }

    /// A protobuf enum value that must be known and not the unspecified one.
    pub fn required_enum<E: TryFrom<i32> + Copy + Into<i32>>(&mut self, field: &str, value: i32) -> Option<E> {
        match E::try_from(value) {
            Ok(known) if value != 0 => Some(known),
            Ok(_) => {
                self.violation(field, "must be given");
                None
            }
            Err(_) => {
                self.violation(field, format!("{value} is not a known value"));
                None
            }
        }
    }

    /// A protobuf enum value that must be known; unspecified is fine.
    pub fn known_enum<E: TryFrom<i32> + Copy + Default>(&mut self, field: &str, value: i32) -> E {
        E::try_from(value).unwrap_or_else(|_| {
            self.violation(field, format!("{value} is not a known value"));
            E::default()
        })
    }

    /// The request's page, `default` large where none is asked for, at most `max`.
    pub fn page_size(&mut self, page_size: i32, default: i64, max: i64) -> i64 {
        if page_size < 0 {
            self.violation("page_size", "must not be negative");
        }
        if page_size <= 0 { default } else { i64::from(page_size).min(max) }
    }

    /// Refuses if anything was wrong.
    pub fn finish(self) -> Result<(), InvalidInput> {
        if self.violations.is_empty() { Ok(()) } else { Err(InvalidInput(self.violations)) }
    }
}
