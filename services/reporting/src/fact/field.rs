//! Fields of events as columns. What is not as the contract says is refused without telling the value.

use chassis_events::ApplyError;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

fn refused(field: &str, what: &str) -> ApplyError {
    ApplyError::Reject(format!("{field} is not {what}"))
}

/// An id that must be there.
pub(super) fn id(field: &str, text: &str) -> Result<Uuid, ApplyError> {
    text.parse().map_err(|_| refused(field, "a UUID"))
}

/// An id that may be empty; nil then.
pub(super) fn id_or_nil(field: &str, text: &str) -> Result<Uuid, ApplyError> {
    if text.is_empty() { Ok(Uuid::nil()) } else { id(field, text) }
}

/// An id that may be absent.
pub(super) fn optional_id(field: &str, text: &str) -> Result<Option<Uuid>, ApplyError> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// A list of ids.
pub(super) fn ids(field: &str, texts: &[String]) -> Result<Vec<Uuid>, ApplyError> {
    texts.iter().map(|text| id(field, text)).collect()
}

/// A time that must be there.
pub(super) fn time(field: &str, time: Option<prost_types::Timestamp>) -> Result<DateTime<Utc>, ApplyError> {
    optional_time(field, time)?.ok_or_else(|| refused(field, "given"))
}

/// A time that may be absent.
pub(super) fn optional_time(field: &str, time: Option<prost_types::Timestamp>) -> Result<Option<DateTime<Utc>>, ApplyError> {
    time.map(|t| u32::try_from(t.nanos).ok().and_then(|nanos| DateTime::from_timestamp(t.seconds, nanos)).ok_or_else(|| refused(field, "a time"))).transpose()
}

/// A day that must be there.
pub(super) fn day(field: &str, text: &str) -> Result<NaiveDate, ApplyError> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| refused(field, "a date such as 2026-10-05"))
}

/// A day that may be empty.
pub(super) fn optional_day(field: &str, text: &str) -> Result<Option<NaiveDate>, ApplyError> {
    if text.is_empty() { Ok(None) } else { day(field, text).map(Some) }
}

/// An enum value as the word that follows its prefix, in lower case; empty where it is not given. A value that this
/// binary does not know was written by a newer one: it is refused, and replayed after the upgrade.
pub(super) fn word<E: TryFrom<i32>>(field: &str, value: i32, name: impl Fn(&E) -> &'static str, prefix: &str) -> Result<String, ApplyError> {
    let known = E::try_from(value).map_err(|_| refused(field, "a value that this version knows"))?;
    if value == 0 {
        return Ok(String::new());
    }
    Ok(name(&known).trim_start_matches(prefix).to_ascii_lowercase())
}

/// An enum value that must be given.
pub(super) fn required_word<E: TryFrom<i32>>(field: &str, value: i32, name: impl Fn(&E) -> &'static str, prefix: &str) -> Result<String, ApplyError> {
    let word = word(field, value, name, prefix)?;
    if word.is_empty() { Err(refused(field, "given")) } else { Ok(word) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::plans::v1::NeedState;

    #[test]
    fn enum_values_become_their_words() {
        let state = |value| word("state", value, NeedState::as_str_name, "NEED_STATE_");
        assert_eq!(state(NeedState::BeingAddressed as i32).unwrap(), "being_addressed");
        assert_eq!(state(0).unwrap(), "");
        assert!(state(99).is_err());
        assert!(required_word("state", 0, NeedState::as_str_name, "NEED_STATE_").is_err());
    }

    #[test]
    fn a_refusal_never_tells_the_value() {
        assert_eq!(id("student_id", "Jamie").unwrap_err().to_string(), "student_id is not a UUID");
        assert!(time("time", Some(prost_types::Timestamp { seconds: 0, nanos: -1 })).is_err());
        assert!(time("time", None).is_err());
        assert_eq!(optional_day("respond_by", "").unwrap(), None);
    }
}
