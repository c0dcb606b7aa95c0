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

/// Reads an entry; `own` is the source where none is given.
pub fn entry(p: &mut Parser, message: &wire::Entry, own: Source) -> Entry {
    let id = p.uuid("entry.entry_id", &message.entry_id);
    let polarity = p
        .required_enum::<wire::Polarity>("entry.polarity", message.polarity)
        .and_then(|polarity| Polarity::from_wire(polarity.into()))
        .unwrap_or(Polarity::Interest);
    let need = polarity == Polarity::Need;
    let severity = match need {
        true => p.number("entry.severity", message.severity, 1..=3),
        false if message.severity != 0 => p.number("entry.severity", message.severity, 0..=0),
        false => 0,
    };
    let certainty: Certainty = p.known_enum("entry.certainty", message.certainty);
    let stated: wire::EntrySource = p.known_enum("entry.source", message.source);
    let asked: Sensitivity = p.known_enum("entry.sensitivity", message.sensitivity);
    let note = p.text("entry.note", &message.note, NOTE);
    let source = Source::from_wire(stated.into()).unwrap_or(own);
    let mut sensitivity = sensitivity_from_wire(asked);
    let mut domain = None;
    match taxonomy::get(&message.code) {
        Some(line) => {
            let allowed = match polarity {
                Polarity::Strength => line.allows_strength(),
                Polarity::Need => line.allows_need(),
                Polarity::Interest => line.is_interest(),
            };
            if !allowed {
                p.violation("entry.code", format!("{} cannot be recorded as {}; ListCodes says as what it can", line.code, polarity.word()));
            }
            if line.family_stated_only && !matches!(source, Source::Family | Source::Student) {
                p.violation("entry.source", format!("{} is recorded only where the family or the student says so", line.code));
            }
            sensitivity = sensitivity.max(sensitivity_of_code(line.sensitivity));
            domain = line.domain;
        }
        // The code is not repeated: whatever was sent instead of one may be somebody's name.
        None => p.violation("entry.code", "is not in the code list; ListCodes has it"),
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
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = wire::Entry { severity: 4, polarity: wire::Polarity::Need.into(), note: "x".repeat(501), code: "Jane".to_owned(), ..Default::default() };
        assert_eq!(read(&wrong).unwrap_err(), ["entry.entry_id", "entry.severity", "entry.note", "entry.code"]);
        assert_eq!(read(&message("INT-ART", wire::Polarity::Need)).unwrap_err(), ["entry.code"]);
        assert_eq!(read(&message("ACA-RDG", wire::Polarity::Interest)).unwrap_err(), ["entry.code"]);
    }
}
