//! Reading ids, times and codes out of other services' events. What cannot be read goes to the dead letters, with the
//! field's name and never its value.

use chassis_events::ApplyError;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A UUID.
pub fn id(field: &str, text: &str) -> Result<Uuid, ApplyError> {
    text.parse().map_err(|_| ApplyError::Reject(format!("{field} is not a UUID")))
}

/// UUIDs.
pub fn ids(field: &str, texts: &[String]) -> Result<Vec<Uuid>, ApplyError> {
    texts.iter().map(|t| id(field, t)).collect()
}

/// A time that must be there.
pub fn time(field: &str, time: Option<&prost_types::Timestamp>) -> Result<DateTime<Utc>, ApplyError> {
    time.and_then(|t| DateTime::from_timestamp(t.seconds, u32::try_from(t.nanos).ok()?))
        .filter(|t| (1900..=2200).contains(&chrono::Datelike::year(t)))
        .ok_or_else(|| ApplyError::Reject(format!("{field} is not a time")))
}

/// A school year.
pub fn school_year(year: i32) -> Result<i32, ApplyError> {
    if (1900..=2200).contains(&year) { Ok(year) } else { Err(ApplyError::Reject("school_year is not a year".to_owned())) }
}

/// A code of ours or of another service: short and plain.
pub fn code(field: &str, text: &str) -> Result<String, ApplyError> {
    let plain = !text.is_empty() && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain { Ok(text.to_owned()) } else { Err(ApplyError::Reject(format!("{field} is not a code"))) }
}

/// A value that the contract knows.
pub fn known<T>(field: &str, value: Option<T>) -> Result<T, ApplyError> {
    value.ok_or_else(|| ApplyError::Reject(format!("{field} is not a known value")))
}
