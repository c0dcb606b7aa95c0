//! Decisions on the record in hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis_pg::DbError;
use chassis_rpc::{Fault, Kind};
use sqlx::PgPool;
use uuid::Uuid;

use crate::caller::{Caller, DISTRICT};
use crate::policy::{Policies, Record, Sensitivity};
use crate::relationships::Relationships;

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No policy grants it. The same words whether the record exists or not.
    #[error("this does not exist or your role and relationship do not let you {action}")]
    Denied {
        /// The action.
        action: String,
    },
    /// The relationships cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl Fault for AccessError {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied { .. } => Kind::Forbidden,
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "ACCESS_DENIED",
            Self::Database(error) => error.reason(),
        }
    }
}

/// A decision in favour, with the reason that answers carry.
#[derive(Clone, Debug)]
pub struct Granted {
    /// `access_basis` of the answer.
    pub basis: String,
}

/// What a caller may see of a list that names no school: everything, or these schools and classes.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The whole district.
    pub everything: bool,
    /// Schools in full.
    pub schools: Vec<Uuid>,
    /// Classes.
    pub classes: Vec<Uuid>,
    /// `access_basis` of the answer.
    pub basis: String,
}

/// What a caller may see of one record's entries, by sensitivity.
#[derive(Clone, Debug, Default)]
pub struct Clearance {
    restricted_domains: BTreeSet<&'static str>,
    own: Option<Uuid>,
    protected: bool,
}

/// Domains as policies name them, in the order of the code list.
pub const DOMAINS: [&str; 4] = ["academics", "social_emotional", "health", "family"];

impl Clearance {
    /// Whether an entry may be seen. `domain` as in [`DOMAINS`].
    pub fn allows(&self, sensitivity: Sensitivity, domain: &str, author: Uuid) -> bool {
        match sensitivity {
            Sensitivity::General => true,
            Sensitivity::Restricted => self.restricted_domains.contains(domain) || self.own == Some(author),
            Sensitivity::Protected => self.protected,
        }
    }

    /// Whether restricted entries of every domain may be seen.
    pub fn all_restricted(&self) -> bool {
        self.restricted_domains.len() == DOMAINS.len()
    }

    /// Whether restricted entries of a domain may be seen.
    pub fn restricted(&self, domain: &str) -> bool {
        self.restricted_domains.contains(domain)
    }

    /// Whether protected entries may be seen.
    pub fn protected(&self) -> bool {
        self.protected
    }

    /// Everything, for a service's own work.
    pub fn full() -> Self {
        Self { restricted_domains: DOMAINS.into_iter().collect(), own: None, protected: true }
    }
}

/// Decides for one service.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    policies: Policies,
    relationships: Relationships,
    pool: PgPool,
}

impl Access {
    /// Decisions by these policies, with the relationships in the pool's schema.
    pub fn new(policies: Policies, pool: PgPool) -> Self {
        Self { inner: Arc::new(Inner { policies, relationships: Relationships::new(pool.clone()), pool }) }
    }

    /// The policies.
    pub fn policies(&self) -> &Policies {
        &self.inner.policies
    }

    /// The relationships.
    pub fn relationships(&self) -> &Relationships {
        &self.inner.relationships
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    /// Decides on a record. `action` is `<service>.<Method>`.
    pub fn authorize(&self, caller: &Caller, action: &str, record: &Record) -> Result<Granted, AccessError> {
        caller.mark_decided();
        match self.inner.policies.decide(caller, action, record) {
            Some(basis) => Ok(Granted { basis }),
            None => Err(AccessError::Denied { action: action.to_owned() }),
        }
    }

    /// Decides on a student by their classes and schools.
    pub async fn authorize_student(&self, caller: &Caller, action: &str, student: Uuid) -> Result<(Granted, Record), AccessError> {
        caller.mark_decided();
        let record = self.inner.relationships.record_of_student(student).await?;
        Ok((self.authorize(caller, action, &record)?, record))
    }

    /// Decides on a class.
    pub async fn authorize_class(&self, caller: &Caller, action: &str, class: Uuid) -> Result<(Granted, Record), AccessError> {
        caller.mark_decided();
        let record = self.inner.relationships.record_of_class(class).await?;
        Ok((self.authorize(caller, action, &record)?, record))
    }

    /// For calls about no record, where the gate's look at the role is all there is to decide.
    pub fn role_suffices(&self, caller: &Caller) {
        caller.mark_decided();
    }

    /// What the caller may see in a list that names no school. Refused where that is nothing.
    pub fn scope(&self, caller: &Caller, action: &str) -> Result<Scope, AccessError> {
        caller.mark_decided();
        let mut scope = Scope::default();
        if let Some(basis) = self.inner.policies.decide(caller, action, &Record::district()) {
            return Ok(Scope { everything: true, basis, ..scope });
        }
        for school in caller.at.values().flatten().filter(|s| **s != DISTRICT).collect::<BTreeSet<_>>() {
            if let Some(basis) = self.inner.policies.decide(caller, action, &Record::school(*school)) {
                scope.schools.push(*school);
                scope.basis = basis;
            }
        }
        for class in &caller.teaches {
            let record = Record { classes: BTreeSet::from([*class]), ..Record::default() };
            if let Some(basis) = self.inner.policies.decide(caller, action, &record) {
                scope.classes.push(*class);
                if scope.basis.is_empty() {
                    scope.basis = basis;
                }
            }
        }
        // A teacher without a class yet sees an empty list, not a refusal.
        if scope.basis.is_empty() {
            scope.basis = "own".to_owned();
        }
        Ok(scope)
    }

    /// What the caller may see of a record's entries.
    pub fn clearance(&self, caller: &Caller, record: &Record) -> Clearance {
        let policies = &self.inner.policies;
        let restricted_domains =
            DOMAINS.into_iter().filter(|domain| policies.decide(caller, "see.restricted", &Record { domain, ..record.clone() }).is_some()).collect();
        Clearance { restricted_domains, own: caller.staff_id, protected: policies.decide(caller, "see.protected", record).is_some() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn policies() -> Policies {
        Policies::new(include_str!("../../../../policies/wraparound.cedarschema"), include_str!("../../../../policies/wraparound.cedar")).unwrap()
    }

    fn caller(role: &str, school: Uuid, on_case: &[Uuid]) -> Caller {
        let mut caller = Caller::nobody("a caller for tests");
        caller.roles = BTreeSet::from([role.to_owned()]);
        caller.at = BTreeMap::from([(role.to_owned(), BTreeSet::from([school]))]);
        caller.on_case = on_case.iter().copied().collect();
        caller
    }

    #[test]
    fn being_on_a_case_opens_protected_records_of_that_student_only() {
        let policies = policies();
        let protected = |caller: &Caller, record: &Record| policies.decide(caller, "see.protected", record);
        let (school, student, other) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let at_school = Record::school(school);
        for role in ["teacher", "student_support_member", "principal", "program_manager"] {
            let stranger = caller(role, school, &[]);
            let on_case = caller(role, school, &[student]);
            assert_eq!(protected(&stranger, &at_school.about(student)), None, "{role}");
            assert_eq!(protected(&on_case, &at_school.about(student)).as_deref(), Some("on_case"), "{role}");
            assert_eq!(protected(&on_case, &at_school.about(other)), None, "{role}");
            // About nobody, or about several.
            assert_eq!(protected(&on_case, &at_school), None, "{role}");
            assert_eq!(protected(&on_case, &Record::district()), None, "{role}");
        }
        assert!(protected(&caller("coordinator", school, &[]), &at_school.about(student)).is_some());
        assert_eq!(protected(&caller("coordinator", other, &[]), &at_school.about(student)), None);
        for role in ["district_leader", "privacy_officer", "partner_user", "data_clerk"] {
            assert_eq!(protected(&caller(role, school, &[student]), &at_school.about(student)), None, "{role}");
        }
    }
}
