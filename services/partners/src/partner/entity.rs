//! An organisation and its agreements: pure.

use chassis_rpc::{InvalidInput, Parser};
use chrono::NaiveDate;
use proto::partners::v1 as pb;
use uuid::Uuid;

use crate::taxonomy;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Partner {
    pub partner_id: Uuid,
    pub name: String,
    pub sector: String,
    pub status: String,
    pub version: i64,
}

/// A paper that lets data flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Agreement {
    pub agreement_id: Uuid,
    pub partner_id: Uuid,
    pub kind: String,
    pub valid_from: NaiveDate,
    pub valid_to: NaiveDate,
}

impl Partner {
    /// Reads the contract's.
    pub fn parse(message: &pb::Partner) -> Result<Self, InvalidInput> {
        let mut p = Parser::new();
        let partner = Self {
            partner_id: p.uuid("partner.partner_id", &message.partner_id),
            name: p.required_text("partner.name", &message.name, 200),
            sector: message.sector.clone(),
            status: p.one_of("partner.status", &message.status, &["prospect", "active", "paused", "ended"], false),
            version: 1,
        };
        if taxonomy::sector(&partner.sector).is_none() {
            p.violation("partner.sector", "must be a code of taxonomy/1/sectors.csv, e.g. SEC-CBO");
        }
        p.finish()?;
        Ok(partner)
    }
}

impl From<Partner> for pb::Partner {
    fn from(p: Partner) -> Self {
        Self { partner_id: p.partner_id.to_string(), name: p.name, sector: p.sector, status: p.status, version: p.version }
    }
}

impl Agreement {
    /// Reads the contract's.
    pub fn parse(message: &pb::Agreement) -> Result<Self, InvalidInput> {
        let mut p = Parser::new();
        let agreement = Self {
            agreement_id: p.uuid("agreement.agreement_id", &message.agreement_id),
            partner_id: p.uuid("agreement.partner_id", &message.partner_id),
            kind: p.one_of("agreement.kind", &message.kind, &["mou", "data_sharing", "facility"], false),
            valid_from: p.date("agreement.valid_from", &message.valid_from),
            valid_to: p.date("agreement.valid_to", &message.valid_to),
        };
        if agreement.valid_to < agreement.valid_from {
            p.violation("agreement.valid_to", "must not be before valid_from");
        }
        p.finish()?;
        Ok(agreement)
    }
}

impl From<Agreement> for pb::Agreement {
    fn from(a: Agreement) -> Self {
        Self {
            agreement_id: a.agreement_id.to_string(),
            partner_id: a.partner_id.to_string(),
            kind: a.kind,
            valid_from: a.valid_from.to_string(),
            valid_to: a.valid_to.to_string(),
        }
    }
}
