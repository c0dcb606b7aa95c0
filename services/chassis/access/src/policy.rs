//! The Cedar policies, and the two questions they answer: may a role make this call at all, and may this caller do
//! this to that record.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, PrincipalConstraint, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use uuid::Uuid;

use crate::caller::{Caller, DISTRICT};
use crate::remembered::Remembered;

/// Who may see a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensitivity {
    /// Staff with a relationship.
    General,
    /// Those cleared for its domain, and whoever wrote it.
    Restricted,
    /// Those on the case.
    Protected,
}

impl Sensitivity {
    /// As policies and tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Restricted => "restricted",
            Self::Protected => "protected",
        }
    }
}

/// What a decision is about, as far as policies look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// Classes it belongs to.
    pub classes: BTreeSet<Uuid>,
    /// Schools it belongs to.
    pub schools: BTreeSet<Uuid>,
    /// Organisation outside the district that it is addressed to.
    pub organisation: Option<Uuid>,
    /// The one person that it is about; none where it is about none or several.
    pub about: Option<Uuid>,
    /// Who wrote it.
    pub author: Option<Uuid>,
    /// Its domain in lower case, e.g. `health`; empty where it has none.
    pub domain: &'static str,
}

impl Record {
    /// Something of one school.
    pub fn school(school: Uuid) -> Self {
        Self { schools: BTreeSet::from([school]), ..Self::default() }
    }
    /// Something of the whole district.
    pub fn district() -> Self {
        Self::school(DISTRICT)
    }
    /// The same, about one person.
    pub fn about(&self, person: Uuid) -> Self {
        Self { about: Some(person), ..self.clone() }
    }
    /// Something of an organisation outside the district.
    pub fn organisation(organisation: Uuid) -> Self {
        Self { organisation: Some(organisation), ..Self::default() }
    }
}

/// Why policies cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the access policies are not usable: {0}")]
pub struct PolicyError(String);

/// The policies and what was read off them at start.
pub struct Policies {
    set: PolicySet,
    schema: Schema,
    authorizer: Authorizer,
    by_role: HashSet<(String, String)>,
    actions: HashSet<String>,
    types: Types,
    remembered: Remembered,
}

struct Types {
    role: EntityTypeName,
    action: EntityTypeName,
    caller: EntityUid,
    record: EntityUid,
}

/// Roles that hold schools, as the schema's `At` names them.
pub const SCHOOL_ROLES: [&str; 5] = ["coordinator", "student_support_member", "principal", "program_manager", "teacher"];

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn set(ids: impl IntoIterator<Item = Uuid>) -> RestrictedExpression {
    RestrictedExpression::new_set(ids.into_iter().map(|id| RestrictedExpression::new_string(id.to_string())))
}

fn text(id: Option<Uuid>) -> RestrictedExpression {
    RestrictedExpression::new_string(id.map(|i| i.to_string()).unwrap_or_default())
}

impl Policies {
    /// Reads and validates policies against their schema, strictly.
    pub fn new(schema: &str, policies: &str) -> Result<Self, PolicyError> {
        let wrong = |error: &dyn std::fmt::Display| PolicyError(error.to_string());
        let (schema, _) = Schema::from_cedarschema_str(schema).map_err(|e| wrong(&e))?;
        let set = PolicySet::from_str(policies).map_err(|e| wrong(&e))?;
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::default());
        if !checked.validation_passed() {
            let errors: Vec<String> = checked.validation_errors().map(ToString::to_string).collect();
            return Err(PolicyError(errors.join("; ")));
        }
        let kind = |name: &str| EntityTypeName::from_str(name).map_err(|e| wrong(&e));
        let types = Types { role: kind("Role")?, action: kind("Action")?, caller: uid(&kind("Person")?, "caller"), record: uid(&kind("Record")?, "record") };
        let mut by_role = HashSet::new();
        let mut actions = HashSet::new();
        for policy in set.policies() {
            let named: Vec<EntityUid> = match policy.action_constraint() {
                ActionConstraint::In(named) => named,
                ActionConstraint::Eq(named) => vec![named],
                ActionConstraint::Any => return Err(PolicyError(format!("policy {} names no actions", policy.id()))),
            };
            let PrincipalConstraint::In(role) = policy.principal_constraint() else {
                return Err(PolicyError(format!("policy {} names no role", policy.id())));
            };
            if policy.annotation("basis").is_none() {
                return Err(PolicyError(format!("policy {} has no @basis", policy.id())));
            }
            for action in named {
                actions.insert(action.id().unescaped().to_owned());
                by_role.insert((role.id().unescaped().to_owned(), action.id().unescaped().to_owned()));
            }
        }
        Ok(Self { set, schema, authorizer: Authorizer::new(), by_role, actions, types, remembered: Remembered::default() })
    }

    /// Whether some policy lets one of the roles make this call, for some record.
    pub fn role_may<'r>(&self, mut roles: impl Iterator<Item = &'r String>, action: &str) -> bool {
        roles.any(|role| self.by_role.contains(&(role.clone(), action.to_owned())))
    }

    /// Every role that a policy names, by name.
    pub fn roles(&self) -> BTreeSet<&str> {
        self.by_role.iter().map(|(role, _)| role.as_str()).collect()
    }

    /// Whether any policy names this action.
    pub fn knows(&self, action: &str) -> bool {
        self.actions.contains(action)
    }

    /// Decides, and answers the basis of the policy that grants. None is a refusal.
    pub fn decide(&self, caller: &Caller, action: &str, record: &Record) -> Option<String> {
        if !self.role_may(caller.roles.iter(), action) {
            return None;
        }
        self.remembered.or_decide(caller, action, record, || self.ask(caller, action, record))
    }

    fn ask(&self, caller: &Caller, action: &str, record: &Record) -> Option<String> {
        let roles: HashSet<EntityUid> = caller.roles.iter().map(|r| uid(&self.types.role, r)).collect();
        let at: BTreeMap<&str, RestrictedExpression> =
            SCHOOL_ROLES.iter().map(|role| (*role, set(caller.at.get(*role).into_iter().flatten().copied()))).collect();
        let at = RestrictedExpression::new_record(at.into_iter().map(|(role, schools)| (role.to_owned(), schools))).ok()?;
        let person = HashMap::from([
            ("teaches".to_owned(), set(caller.teaches.iter().copied())),
            ("on_case".to_owned(), set(caller.on_case.iter().copied())),
            ("at".to_owned(), at),
            ("organisation".to_owned(), text(caller.organisation_id)),
            ("id".to_owned(), text(caller.staff_id)),
        ]);
        let about = HashMap::from([
            ("classes".to_owned(), set(record.classes.iter().copied())),
            ("schools".to_owned(), set(record.schools.iter().copied())),
            ("organisation".to_owned(), text(record.organisation)),
            ("about".to_owned(), text(record.about)),
            ("author".to_owned(), text(record.author)),
            ("domain".to_owned(), RestrictedExpression::new_string(record.domain.to_owned())),
        ]);
        let decided = (|| {
            let person = Entity::new(self.types.caller.clone(), person, roles).ok()?;
            let about = Entity::new(self.types.record.clone(), about, HashSet::new()).ok()?;
            let entities = Entities::from_entities([person, about], None).ok()?;
            let request =
                Request::new(self.types.caller.clone(), uid(&self.types.action, action), self.types.record.clone(), Context::empty(), Some(&self.schema))
                    .ok()?;
            Some(self.authorizer.is_authorized(&request, &self.set, &entities))
        })();
        let Some(response) = decided else {
            tracing::error!(action, "the access decision could not be made; refused");
            return None;
        };
        if response.decision() != Decision::Allow {
            return None;
        }
        // Several policies may grant; the first by name is the one that is told, so that answers do not vary.
        let mut reasons: Vec<_> = response.diagnostics().reason().collect();
        reasons.sort_by_key(ToString::to_string);
        reasons.first().and_then(|id| self.set.policy(id)).and_then(|p| p.annotation("basis")).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_are_valid_under_their_schema() {
        let policies =
            Policies::new(include_str!("../../../../policies/wraparound.cedarschema"), include_str!("../../../../policies/wraparound.cedar")).unwrap();
        assert!(policies.role_may([&"teacher".to_owned()].into_iter(), "reviews.PutEntry"));
        assert!(!policies.role_may([&"partner_system".to_owned()].into_iter(), "reviews.PutEntry"));
    }
}
