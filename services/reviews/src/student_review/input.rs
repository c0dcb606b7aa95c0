//! Reads an entry out of a request, by the code list's rules.

use chassis_rpc::Parser;
use chrono::{DateTime, Utc};
use proto::reviews::v1 as wire;
use proto::r#type::v1::{Certainty, Sensitivity};
use uuid::Uuid;

use super::entity::Entry;
use crate::taxonomy;
use crate::words::{Polarity, Source, certainty_from_wire, sensitivity_from_wire, sensitivity_of_code};

/// The longest note.
const NOTE: usize = 500;

/// Reads the entry of a request; `own` is the source where none is given.
pub fn entry(p: &mut Parser, message: &wire::Entry, own: Source) -> Entry {
    entry_at(p, "entry", message, own)
}

/// Reads an entry out of a field.
pub fn entry_at(p: &mut Parser, at: &str, message: &wire::Entry, own: Source) -> Entry {
    let field = |name: &str| format!("{at}.{name}");
    let id = p.uuid(&field("entry_id"), &message.entry_id);
    let polarity = p
        .required_enum::<wire::Polarity>(&field("polarity"), message.polarity)
        .and_then(|polarity| Polarity::from_wire(polarity.into()))
        .unwrap_or(Polarity::Interest);
    let need = polarity == Polarity::Need;
    let severity = match need {
        true => p.number(&field("severity"), message.severity, 1..=3),
        false if message.severity != 0 => p.number(&field("severity"), message.severity, 0..=0),
        false => 0,
    };
    let certainty: Certainty = p.known_enum(&field("certainty"), message.certainty);
    let stated: wire::EntrySource = p.known_enum(&field("source"), message.source);
    let asked: Sensitivity = p.known_enum(&field("sensitivity"), message.sensitivity);
    let note = p.text(&field("note"), &message.note, NOTE);
    let since = p.optional_date(&field("since"), &message.since);
    let source = Source::from_wire(stated.into()).unwrap_or(own);
    let confirmer: wire::EntrySource = p.known_enum(&field("confirmed_by"), message.confirmed_by);
    let confirmed = need && certainty == Certainty::Confirmed;
    if !confirmed && confirmer != wire::EntrySource::Unspecified {
        p.violation(&field("confirmed_by"), "is for needs whose certainty is confirmed");
    }
    let mut sensitivity = sensitivity_from_wire(asked);
    let mut domain = None;
    match taxonomy::get(&message.code) {
        Some(line) => {
            let allowed = match polarity {
                Polarity::Strength => line.allows_strength(),
                // What is seen may become a need.
                Polarity::Need | Polarity::Observation => line.allows_need(),
                Polarity::Interest => line.is_interest(),
            };
            if !allowed {
                p.violation(&field("code"), format!("{} cannot be recorded as {}; ListCodes says as what it can", line.code, polarity.word()));
            }
            if line.family_stated_only && !matches!(source, Source::Family | Source::Student) {
                p.violation(&field("source"), format!("{} is recorded only where the family or the student says so", line.code));
            }
            sensitivity = sensitivity.max(sensitivity_of_code(line.sensitivity));
            domain = line.domain;
        }
        // The code is not repeated: whatever was sent instead of one may be somebody's name.
        None => p.violation(&field("code"), "is not in the code list; ListCodes has it"),
    }
    Entry {
        id,
        polarity,
        code: message.code.clone(),
        domain,
        severity: i16::try_from(severity).unwrap_or_default(),
        certainty: need.then(|| certainty_from_wire(certainty)),
        source,
        note,
        sensitivity,
        version: 0,
        author: Uuid::nil(),
        recorded_at: DateTime::<Utc>::UNIX_EPOCH,
        updated_at: DateTime::<Utc>::UNIX_EPOCH,
        since,
        confirmed_by: confirmed.then(|| Source::from_wire(confirmer.into()).unwrap_or(source)),
        origin: None,
        from: None,
        superseded_by: None,
    }
}

#[cfg(test)]
mod tests {
    use chassis_access as access;

    use super::*;

    fn message(code: &str, polarity: wire::Polarity) -> wire::Entry {
        wire::Entry {
            entry_id: Uuid::now_v7().to_string(),
            polarity: polarity.into(),
            code: code.to_owned(),
            severity: i32::from(polarity == wire::Polarity::Need),
            ..Default::default()
        }
    }

    fn read(message: &wire::Entry) -> Result<Entry, Vec<String>> {
        let mut p = Parser::new();
        let entry = entry(&mut p, message, Source::Teacher);
        p.finish().map(|()| entry).map_err(|wrong| wrong.0.into_iter().map(|v| v.field).collect())
    }

    #[test]
    fn an_entry_is_never_more_open_than_its_code() {
        let mut asked = message("FAM-VIO", wire::Polarity::Need);
        asked.sensitivity = Sensitivity::General.into();
        assert_eq!(read(&asked).unwrap().sensitivity, access::Sensitivity::Protected);
        let mut closed = message("ACA-RDG", wire::Polarity::Need);
        closed.sensitivity = Sensitivity::Restricted.into();
        let closed = read(&closed).unwrap();
        assert_eq!((closed.sensitivity, closed.certainty), (access::Sensitivity::Restricted, Some(taxonomy_observed())));
    }

    fn taxonomy_observed() -> crate::tier::rule::Certainty {
        crate::tier::rule::Certainty::Observed
    }

    #[test]
    fn faith_is_recorded_only_where_the_family_or_the_student_says_so() {
        let mut faith = message("INT-REL", wire::Polarity::Interest);
        assert_eq!(read(&faith).unwrap_err(), ["entry.source"]);
        faith.source = wire::EntrySource::Family.into();
        assert_eq!(read(&faith).unwrap().source, Source::Family);
    }

    #[test]
    fn who_confirmed_is_who_said_so_unless_somebody_else_is_named() {
        let mut need = message("SEB-GRF", wire::Polarity::Need);
        need.certainty = Certainty::Confirmed.into();
        need.source = wire::EntrySource::Family.into();
        assert_eq!(read(&need).unwrap().confirmed_by, Some(Source::Family));
        need.confirmed_by = wire::EntrySource::Counsellor.into();
        assert_eq!(read(&need).unwrap().confirmed_by, Some(Source::Counsellor));
        need.certainty = Certainty::Observed.into();
        assert_eq!(read(&need).unwrap_err(), ["entry.confirmed_by"]);
    }

    #[test]
    fn an_observation_has_no_severity_and_no_certainty_and_a_code_that_may_become_a_need() {
        let mut seen = message("SEB-CON", wire::Polarity::Observation);
        seen.since = "2026-09-20".to_owned();
        let entry = read(&seen).unwrap();
        assert_eq!((entry.severity, entry.certainty, entry.since), (0, None, chrono::NaiveDate::from_ymd_opt(2026, 9, 20)));
        seen.severity = 2;
        assert_eq!(read(&seen).unwrap_err(), ["entry.severity"]);
        assert_eq!(read(&message("INT-ART", wire::Polarity::Observation)).unwrap_err(), ["entry.code"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = wire::Entry { severity: 4, polarity: wire::Polarity::Need.into(), note: "x".repeat(501), code: "Jane".to_owned(), ..Default::default() };
        assert_eq!(read(&wrong).unwrap_err(), ["entry.entry_id", "entry.severity", "entry.note", "entry.code"]);
        assert_eq!(read(&message("INT-ART", wire::Polarity::Need)).unwrap_err(), ["entry.code"]);
        assert_eq!(read(&message("ACA-RDG", wire::Polarity::Interest)).unwrap_err(), ["entry.code"]);
    }
}
