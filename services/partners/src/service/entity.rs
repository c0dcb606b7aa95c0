//! A service and its places: pure.

use chassis_rpc::{InvalidInput, Parser};
use chrono::{DateTime, Utc};
use proto::partners::v1 as pb;
use uuid::Uuid;

use crate::consent::entity::is_language;
use crate::referral::events::timestamp;
use crate::taxonomy;

/// Something a partner offers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract documents each field")]
pub struct Service {
    pub service_id: Uuid,
    pub partner_id: Uuid,
    pub partner_name: String,
    pub name: String,
    pub category: String,
    pub description: String,
    pub status: String,
    pub minimum_age: i32,
    pub maximum_age: i32,
    pub languages: Vec<String>,
    pub school_ids: Vec<Uuid>,
    pub version: i64,
    pub capacity: Capacity,
}

/// Places of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// In all; -1 where not limited.
    pub maximum: i32,
    /// Held by referrals.
    pub taken: i32,
    /// Waiting.
    pub waitlisted: i32,
    /// When the maximum was last set.
    pub updated_at: DateTime<Utc>,
}

impl Capacity {
    /// Places left; none where not limited. Never negative, also where the maximum was set below what is taken.
    pub fn left(&self) -> Option<i32> {
        (self.maximum >= 0).then(|| self.maximum.saturating_sub(self.taken).max(0))
    }

    /// What a capacity check answers.
    pub fn answer(&self) -> pb::CapacityAnswer {
        match self.left() {
            None => pb::CapacityAnswer::Capacity,
            Some(0) if self.waitlisted > 0 => pb::CapacityAnswer::Waitlist,
            Some(0) => pb::CapacityAnswer::NoCapacity,
            Some(_) => pb::CapacityAnswer::Capacity,
        }
    }

    /// As the contract has it.
    pub fn proto(&self) -> pb::Capacity {
        pb::Capacity { maximum: self.maximum, taken: self.taken, waitlisted: self.waitlisted, update_time: Some(timestamp(self.updated_at)) }
    }
}

impl Service {
    /// Reads the contract's; capacity and partner_name come from elsewhere.
    pub fn parse(message: &pb::Service) -> Result<Self, InvalidInput> {
        let mut p = Parser::new();
        let service = Self {
            service_id: p.uuid("service.service_id", &message.service_id),
            partner_id: p.uuid("service.partner_id", &message.partner_id),
            partner_name: String::new(),
            name: p.required_text("service.name", &message.name, 200),
            category: message.category.clone(),
            description: p.text("service.description", &message.description, 2000),
            status: p.one_of("service.status", &message.status, &["active", "inactive", "defunct", "temporarily_closed"], false),
            minimum_age: p.number("service.minimum_age", message.minimum_age, 0..=120),
            maximum_age: p.number("service.maximum_age", message.maximum_age, 0..=120),
            languages: message.languages.clone(),
            school_ids: p.uuids("service.school_ids", &message.school_ids, 1000),
            version: 1,
            capacity: Capacity { maximum: -1, taken: 0, waitlisted: 0, updated_at: DateTime::UNIX_EPOCH },
        };
        if taxonomy::category(&service.category).is_none() {
            p.violation("service.category", "must be a code of taxonomy/1/service_categories.csv, e.g. ED-TUT");
        }
        if service.maximum_age != 0 && service.maximum_age < service.minimum_age {
            p.violation("service.maximum_age", "must not be below minimum_age; 0 where any");
        }
        if service.languages.len() > 50 || !service.languages.iter().all(|l| is_language(l)) {
            p.violation("service.languages", "must be at most 50 ISO 639 codes such as es");
        }
        p.finish()?;
        Ok(service)
    }
}

impl From<Service> for pb::Service {
    fn from(s: Service) -> Self {
        Self {
            service_id: s.service_id.to_string(),
            partner_id: s.partner_id.to_string(),
            name: s.name,
            category: s.category,
            description: s.description,
            status: s.status,
            minimum_age: s.minimum_age,
            maximum_age: s.maximum_age,
            languages: s.languages,
            school_ids: s.school_ids.iter().map(ToString::to_string).collect(),
            capacity: Some(s.capacity.proto()),
            version: s.version,
            partner_name: s.partner_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_whether_there_are_places() {
        let table = [(-1, 99, 3, pb::CapacityAnswer::Capacity), (2, 1, 0, pb::CapacityAnswer::Capacity), (2, 2, 0, pb::CapacityAnswer::NoCapacity)];
        let more = [(2, 2, 1, pb::CapacityAnswer::Waitlist), (1, 2, 0, pb::CapacityAnswer::NoCapacity), (0, 0, 0, pb::CapacityAnswer::NoCapacity)];
        for (maximum, taken, waitlisted, answer) in table.into_iter().chain(more) {
            assert_eq!(Capacity { maximum, taken, waitlisted, updated_at: Utc::now() }.answer(), answer, "{maximum} {taken} {waitlisted}");
        }
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong =
            Service::parse(&pb::Service { minimum_age: 12, maximum_age: 5, languages: vec!["Spanish".to_owned()], ..pb::Service::default() }).unwrap_err();
        let fields: Vec<_> = wrong.0.iter().map(|v| v.field.as_str()).collect();
        for field in ["service_id", "partner_id", "name", "category", "status", "maximum_age", "languages"] {
            assert!(fields.contains(&format!("service.{field}").as_str()), "{field}: {fields:?}");
        }
    }
}
