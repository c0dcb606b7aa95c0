//! A consent and its window: pure.

use chassis_rpc::{InvalidInput, Parser};
use chrono::{DateTime, Months, NaiveDate, Utc};
use proto::partners::v1 as pb;
use uuid::Uuid;

use crate::scope;

/// A family's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Consent {
    pub consent_id: Uuid,
    pub student_id: Uuid,
    pub partner_id: Uuid,
    pub scopes: Vec<String>,
    pub purpose: String,
    pub signer_kind: String,
    pub method: String,
    pub valid_from: NaiveDate,
    pub expires_on: NaiveDate,
    pub language: String,
    pub recorded_by: Uuid,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What a student's consents say of some scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// This one covers them all.
    By(Uuid),
    /// There is a consent, but not for all of them.
    ScopeNotCovered,
    /// There is none today.
    Missing,
}

/// Whether one of these consents covers all scopes on a day. The one that lasts longest is taken.
pub fn cover(consents: &[Consent], scopes: &[String], today: NaiveDate) -> Cover {
    let mut active = consents.iter().filter(|c| c.is_active(today)).peekable();
    if active.peek().is_none() {
        return Cover::Missing;
    }
    active.filter(|c| scope::covers(&c.scopes, scopes)).max_by_key(|c| (c.expires_on, c.consent_id)).map_or(Cover::ScopeNotCovered, |c| Cover::By(c.consent_id))
}

impl Consent {
    /// Whether it holds on a day. Both ends count.
    pub fn is_active(&self, today: NaiveDate) -> bool {
        self.revoked_at.is_none() && self.valid_from <= today && today <= self.expires_on
    }

    /// `active`, `expired` or `revoked`.
    pub fn state(&self, today: NaiveDate) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if today > self.expires_on {
            "expired"
        } else {
            "active"
        }
    }

    /// Reads the contract's.
    pub fn parse(message: &pb::Consent, recorded_by: Uuid) -> Result<Self, InvalidInput> {
        let mut p = Parser::new();
        let consent = Self {
            consent_id: p.uuid("consent.consent_id", &message.consent_id),
            student_id: p.uuid("consent.student_id", &message.student_id),
            partner_id: p.uuid("consent.partner_id", &message.partner_id),
            scopes: scope::parse(&mut p, "consent.scopes", &message.scopes),
            purpose: p.one_of("consent.purpose", &message.purpose, &["service"], false),
            signer_kind: p.one_of("consent.signer_kind", &message.signer_kind, &["guardian", "eligible_student"], false),
            method: p.one_of("consent.method", &message.method, &["paper", "in_person", "phone_recorded", "online"], false),
            valid_from: p.date("consent.valid_from", &message.valid_from),
            expires_on: p.date("consent.expires_on", &message.expires_on),
            language: p.required_text("consent.language", &message.language, 8),
            recorded_by,
            revoked_at: None,
        };
        if message.scopes.is_empty() {
            p.violation("consent.scopes", "must have at least one member");
        }
        if !consent.language.is_empty() && !is_language(&consent.language) {
            p.violation("consent.language", "must be an ISO 639 code such as es");
        }
        if consent.expires_on < consent.valid_from {
            p.violation("consent.expires_on", "must not be before valid_from");
        }
        if consent.valid_from.checked_add_months(Months::new(12)).is_some_and(|year| consent.expires_on > year) {
            p.violation("consent.expires_on", "must be at most a year after valid_from");
        }
        p.finish()?;
        Ok(consent)
    }

    /// As the contract has it.
    pub fn proto(&self, today: NaiveDate) -> pb::Consent {
        pb::Consent {
            consent_id: self.consent_id.to_string(),
            student_id: self.student_id.to_string(),
            partner_id: self.partner_id.to_string(),
            scopes: self.scopes.clone(),
            purpose: self.purpose.clone(),
            signer_kind: self.signer_kind.clone(),
            method: self.method.clone(),
            valid_from: self.valid_from.to_string(),
            expires_on: self.expires_on.to_string(),
            state: self.state(today).to_owned(),
            language: self.language.clone(),
        }
    }
}

/// Whether a text looks like an ISO 639 code, perhaps with a region.
pub fn is_language(code: &str) -> bool {
    let (language, region) = code.split_once('-').unwrap_or((code, "XX"));
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && region.len() <= 4
        && region.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn consent(from: &str, to: &str, scopes: &[&str], revoked: bool) -> Consent {
        Consent {
            consent_id: Uuid::now_v7(),
            student_id: Uuid::now_v7(),
            partner_id: Uuid::now_v7(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            purpose: "service".to_owned(),
            signer_kind: "guardian".to_owned(),
            method: "paper".to_owned(),
            valid_from: day(from),
            expires_on: day(to),
            language: "en".to_owned(),
            recorded_by: Uuid::nil(),
            revoked_at: revoked.then(Utc::now),
        }
    }

    #[test]
    fn a_consent_covers_its_scopes_within_its_window() {
        let wanted = ["identity".to_owned(), "needs".to_owned()];
        let both = &["identity", "needs"][..];
        // window, scopes, revoked, day, covered (None: no consent today)
        let table = [
            ("2026-09-01", "2027-06-30", both, false, "2026-08-31", None),
            ("2026-09-01", "2027-06-30", both, false, "2026-09-01", Some(true)),
            ("2026-09-01", "2027-06-30", both, false, "2027-06-30", Some(true)),
            ("2026-09-01", "2027-06-30", both, false, "2027-07-01", None),
            ("2026-09-01", "2027-06-30", both, true, "2026-10-01", None),
            ("2026-09-01", "2027-06-30", &["identity"][..], false, "2026-10-01", Some(false)),
            ("2026-09-01", "2027-06-30", &["identity", "needs", "contact"][..], false, "2026-10-01", Some(true)),
        ];
        for (from, to, scopes, revoked, today, expected) in table {
            let consent = consent(from, to, scopes, revoked);
            let want = match expected {
                None => Cover::Missing,
                Some(false) => Cover::ScopeNotCovered,
                Some(true) => Cover::By(consent.consent_id),
            };
            assert_eq!(cover(&[consent], &wanted, day(today)), want, "{from} {to} {scopes:?} {revoked} {today}");
        }
        assert_eq!(cover(&[], &wanted, day("2026-10-01")), Cover::Missing);
        // Two consents do not add up: each is for its own occasion.
        let halves = [consent("2026-09-01", "2027-06-30", &["identity"], false), consent("2026-09-01", "2027-06-30", &["needs"], false)];
        assert_eq!(cover(&halves, &wanted, day("2026-10-01")), Cover::ScopeNotCovered);
        // The longer one is taken.
        let two = [consent("2026-09-01", "2027-01-30", both, false), consent("2026-09-01", "2027-06-30", both, false)];
        assert_eq!(cover(&two, &wanted, day("2026-10-01")), Cover::By(two[1].consent_id));
    }

    #[test]
    fn a_consent_lasts_a_year_at_most() {
        let message = |from: &str, to: &str| pb::Consent {
            consent_id: Uuid::now_v7().to_string(),
            expires_on: to.to_owned(),
            valid_from: from.to_owned(),
            ..consent("2026-09-01", "2027-06-30", &["identity"], false).proto(day("2026-09-01"))
        };
        assert!(Consent::parse(&message("2026-09-01", "2027-09-01"), Uuid::nil()).is_ok());
        assert!(Consent::parse(&message("2026-09-01", "2027-09-02"), Uuid::nil()).is_err());
        assert!(Consent::parse(&message("2026-09-01", "2026-08-31"), Uuid::nil()).is_err());
        let empty = Consent::parse(&pb::Consent::default(), Uuid::nil()).unwrap_err();
        assert!(empty.0.len() >= 8, "{empty}");
    }
}
