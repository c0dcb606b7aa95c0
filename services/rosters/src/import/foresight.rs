//! A first look at duplicates and references while the rows stream by.
//!
//! It keeps a hash of each id, in memory of a fixed size, and says one thing only: that nothing can be wrong. Most packages
//! are clean, and are spared the queries that would find nothing. Where anything looks odd, or the package is larger than
//! the memory given, the queries look, and they alone say what is wrong.
//!
//! Hashes are keyed anew for each import. A duplicate always has the hash of its twin, so none is overlooked; that a dangling
//! reference meets another id's hash is a matter of one in 10^13, and such a row is left out like any that refers to nobody.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use crate::oneroster::{FileKind, LIST_SEPARATOR, Row};

/// Ids and references that are remembered at the most; some 32 bytes each.
const MEMORY: usize = 3_000_000;

const STUDENT: u8 = 1;
const STAFF: u8 = 2;
const GUARDIAN: u8 = 4;

/// Watches rows go by.
#[derive(Debug, Default)]
pub struct Foresight {
    hash: RandomState,
    odd: bool,
    rule: HashSet<String>,
    ids: HashSet<u64>,
    schools: HashSet<u64>,
    orgs: HashSet<u64>,
    classes: HashMap<u64, u64>,
    users: HashMap<u64, u8>,
    attends: HashSet<u64>,
    elsewhere: bool,
    agents: HashSet<u64>,
    with_primary: HashSet<u64>,
}

impl Foresight {
    /// Watches for a district whose rule gives these roles of the roster a meaning.
    pub fn new(role_rule: &[String]) -> Self {
        Self { rule: role_rule.iter().cloned().collect(), ..Self::default() }
    }

    /// A file begins.
    pub fn begin(&mut self) {
        self.ids.clear();
    }

    /// The next row of it.
    pub fn see(&mut self, kind: FileKind, row: &Row<'_>) {
        if self.odd {
            return;
        }
        let Some(id) = row.get("sourcedId").map(|id| self.hash.hash_one(id)) else {
            self.odd = true;
            return;
        };
        let fine = self.ids.insert(id)
            && row.get("status") != Some("t")
            && match kind {
                FileKind::Orgs => self.see_org(id, row),
                FileKind::Classes => self.see_class(id, row),
                FileKind::Users => self.see_user(id, row),
                FileKind::Roles => self.see_role(row),
                FileKind::Enrollments => self.see_enrollment(row),
                FileKind::Demographics => self.users.contains_key(&id),
                FileKind::AcademicSessions | FileKind::Courses => true,
            };
        let used = self.ids.len() + self.users.len() + self.agents.len() + self.classes.len() + self.attends.len();
        if !fine || used > MEMORY {
            // What was remembered is of no use any more.
            *self = Self { odd: true, ..Self::default() };
        }
    }

    /// Whether every student's classes are at schools where the student has a role, so that these schools are all.
    pub fn schools_are_told(&self) -> bool {
        self.is_clean() && !self.elsewhere
    }

    /// Whether duplicates are impossible and every reference of people and enrollments is as it should be.
    pub fn is_clean(&self) -> bool {
        !self.odd
            && self.users.values().all(|kind| *kind != 0)
            && self.agents.iter().all(|agent| self.users.get(agent).is_some_and(|kind| kind & (STUDENT | STAFF) == 0))
    }

    fn of(&self, row: &Row<'_>, column: &str) -> Option<u64> {
        row.get(column).map(|id| self.hash.hash_one(id))
    }

    fn see_org(&mut self, id: u64, row: &Row<'_>) -> bool {
        self.orgs.insert(id);
        if row.get("type") == Some("school") {
            self.schools.insert(id);
        }
        true
    }

    fn see_class(&mut self, id: u64, row: &Row<'_>) -> bool {
        let Some(school) = self.of(row, "schoolSourcedId") else { return false };
        self.classes.insert(id, school);
        self.schools.contains(&school)
    }

    fn see_user(&mut self, id: u64, row: &Row<'_>) -> bool {
        let kind = row.get("role").map_or(Some(0), |role| self.kind(role));
        let Some(kind) = kind else { return false };
        self.users.insert(id, kind);
        let agents = row.get("agentSourcedIds").into_iter().flat_map(|list| list.split(LIST_SEPARATOR));
        self.agents.extend(agents.map(|agent| self.hash.hash_one(agent)));
        let mut orgs = row.get("orgSourcedIds").into_iter().flat_map(|list| list.split(LIST_SEPARATOR)).chain(row.get("primaryOrgSourcedId"));
        // Version 1.1 names schools here, without saying which of a user's roles they belong to.
        self.elsewhere |= row.get("orgSourcedIds").is_some();
        row.get("userMasterIdentifier").is_none() && orgs.all(|org| self.orgs.contains(&self.hash.hash_one(org)))
    }

    fn see_role(&mut self, row: &Row<'_>) -> bool {
        let (Some(user), Some(org), Some(role)) = (self.of(row, "userSourcedId"), self.of(row, "orgSourcedId"), row.get("role")) else { return false };
        let Some(kind) = self.kind(role) else { return false };
        match self.users.get_mut(&user) {
            Some(held) => *held |= kind,
            None => return false,
        }
        if kind == STUDENT {
            self.attends.insert(self.hash.hash_one((user, org)));
        }
        self.orgs.contains(&org)
    }

    fn see_enrollment(&mut self, row: &Row<'_>) -> bool {
        let (Some(class), Some(user)) = (self.of(row, "classSourcedId"), self.of(row, "userSourcedId")) else { return false };
        let (Some(school), Some(kind)) = (self.classes.get(&class), self.users.get(&user)) else { return false };
        let at_school = self.of(row, "schoolSourcedId").is_none_or(|named| named == *school);
        let in_kind = match row.get("role") {
            Some("student") => kind & STUDENT != 0,
            Some("teacher") => kind & (STUDENT | STAFF) == STAFF,
            _ => false,
        };
        let is_primary = row.get("primary") == Some("t");
        self.elsewhere |= kind & STUDENT != 0 && !self.attends.contains(&self.hash.hash_one((user, *school)));
        at_school && in_kind && (!is_primary || self.with_primary.insert(class))
    }

    /// None for a role to which the district's rule gives no meaning.
    fn kind(&self, role: &str) -> Option<u8> {
        match role {
            "student" => Some(STUDENT),
            "guardian" | "parent" | "relative" => Some(GUARDIAN),
            _ => self.rule.contains(role).then_some(STAFF),
        }
    }
}
