//! Decisions that were made before. A decision follows from the policies, which never change while a process runs, and
//! from exactly what is compared here; so a remembered one is the one that would be made, for as long as anybody likes.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hash, Hasher as _};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::caller::Caller;
use crate::policy::Record;

/// Decisions remembered at the most; then all are forgotten and made again as needed.
const MOST: usize = 50_000;

/// All that policies look at in a caller.
#[derive(Debug, PartialEq, Eq)]
struct Person {
    roles: BTreeSet<String>,
    teaches: BTreeSet<Uuid>,
    on_case: BTreeSet<Uuid>,
    at: BTreeMap<String, BTreeSet<Uuid>>,
    staff_id: Option<Uuid>,
    organisation_id: Option<Uuid>,
}

impl Person {
    fn of(caller: &Caller) -> Self {
        // Every field by name: whoever adds one must say whether policies look at it.
        let Caller { roles, teaches, on_case, at, staff_id, organisation_id, subject: _, token: _, decided: _ } = caller.clone();
        Self { roles, teaches, on_case, at, staff_id, organisation_id }
    }

    fn is(&self, caller: &Caller) -> bool {
        self.roles == caller.roles
            && self.teaches == caller.teaches
            && self.on_case == caller.on_case
            && self.at == caller.at
            && self.staff_id == caller.staff_id
            && self.organisation_id == caller.organisation_id
    }
}

struct Decided {
    person: Person,
    action: String,
    record: Record,
    basis: Option<String>,
}

/// What was decided.
#[derive(Default)]
pub(crate) struct Remembered {
    by_hash: Mutex<HashMap<u64, Vec<Decided>>>,
    state: RandomState,
}

impl Remembered {
    /// The basis of a decision in favour, or none for a refusal; made by `decide` where it was not made before.
    pub(crate) fn or_decide(&self, caller: &Caller, action: &str, record: &Record, decide: impl FnOnce() -> Option<String>) -> Option<String> {
        let hash = self.hash(caller, action, record);
        let known = |all: &HashMap<u64, Vec<Decided>>| {
            let fits = |d: &&Decided| d.action == action && d.record == *record && d.person.is(caller);
            all.get(&hash).and_then(|some| some.iter().find(fits)).map(|d| d.basis.clone())
        };
        if let Some(basis) = known(&self.by_hash.lock().unwrap_or_else(PoisonError::into_inner)) {
            return basis;
        }
        let basis = decide();
        let mut all = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        let decided = Decided { person: Person::of(caller), action: action.to_owned(), record: record.clone(), basis: basis.clone() };
        // Two may have decided the same at once.
        if known(&all).is_none() {
            all.entry(hash).or_default().push(decided);
        }
        basis
    }

    fn hash(&self, caller: &Caller, action: &str, record: &Record) -> u64 {
        let mut hasher = self.state.build_hasher();
        caller.roles.hash(&mut hasher);
        caller.teaches.hash(&mut hasher);
        caller.on_case.hash(&mut hasher);
        caller.at.hash(&mut hasher);
        caller.staff_id.hash(&mut hasher);
        caller.organisation_id.hash(&mut hasher);
        action.hash(&mut hasher);
        record.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use secrecy::SecretString;

    use super::*;

    fn somebody() -> Caller {
        Caller {
            subject: "somebody".to_owned(),
            staff_id: Some(Uuid::from_u128(1)),
            organisation_id: None,
            roles: BTreeSet::from(["teacher".to_owned()]),
            teaches: BTreeSet::from([Uuid::from_u128(2)]),
            on_case: BTreeSet::new(),
            at: BTreeMap::new(),
            token: Arc::new(SecretString::from("none")),
            decided: Arc::new(AtomicBool::new(false)),
        }
    }

    #[test]
    fn only_the_very_same_question_is_answered_from_memory() {
        let remembered = Remembered::default();
        let asked = Cell::new(0);
        let ask = |caller: &Caller, action: &str, record: &Record| {
            remembered.or_decide(caller, action, record, || {
                asked.set(asked.get() + 1);
                Some(format!("answer {}", asked.get()))
            })
        };
        let (caller, record) = (somebody(), Record::school(Uuid::from_u128(9)));
        let first = ask(&caller, "plans.GetPlan", &record);
        // The subject's name and token change with each sign-in and are nothing that policies look at.
        let again = Caller { subject: "renamed".to_owned(), ..somebody() };
        assert_eq!(ask(&again, "plans.GetPlan", &record), first);
        let id = Uuid::from_u128(3);
        let others = [
            Caller { staff_id: Some(id), ..somebody() },
            Caller { staff_id: None, ..somebody() },
            Caller { organisation_id: Some(id), ..somebody() },
            Caller { roles: BTreeSet::from(["principal".to_owned()]), ..somebody() },
            Caller { teaches: BTreeSet::from([id]), ..somebody() },
            Caller { on_case: BTreeSet::from([id]), ..somebody() },
            Caller { at: BTreeMap::from([("teacher".to_owned(), BTreeSet::from([id]))]), ..somebody() },
        ];
        let records = [
            Record::school(id),
            record.about(id),
            Record { classes: BTreeSet::from([id]), ..record.clone() },
            Record { organisation: Some(id), ..record.clone() },
            Record { author: Some(id), ..record.clone() },
            Record { domain: "health", ..record.clone() },
        ];
        let mut answers = vec![first, ask(&caller, "plans.ListPlans", &record)];
        answers.extend(others.iter().map(|other| ask(other, "plans.GetPlan", &record)));
        answers.extend(records.iter().map(|other| ask(&caller, "plans.GetPlan", other)));
        let different: BTreeSet<_> = answers.iter().collect();
        assert_eq!(different.len(), answers.len());
    }

    #[test]
    fn a_refusal_is_remembered_too() {
        let remembered = Remembered::default();
        let record = Record::default();
        assert_eq!(remembered.or_decide(&somebody(), "plans.GetPlan", &record, || None), None);
        assert_eq!(remembered.or_decide(&somebody(), "plans.GetPlan", &record, || Some("asked again".to_owned())), None);
    }
}
