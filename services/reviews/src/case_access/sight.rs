//! What one caller sees of concerns and individual reviews, one at a time and in lists.

use std::collections::{BTreeSet, HashMap};

use chassis_access::{Access, Caller, Clearance, Record, Scope, Sensitivity};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How much of a record somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// All of it.
    Open,
    /// That it is there, its state and its dates.
    Closed,
    /// It does not exist.
    Absent,
}

impl View {
    /// Restricted records are open to those cleared and to those who take part in them; protected ones to those on the
    /// case only, also of those who wrote them.
    pub fn of(sensitivity: Sensitivity, cleared: bool, takes_part: bool, on_case: bool) -> Self {
        match sensitivity {
            Sensitivity::General => Self::Open,
            Sensitivity::Restricted if cleared || takes_part => Self::Open,
            Sensitivity::Restricted => Self::Closed,
            Sensitivity::Protected if on_case => Self::Open,
            Sensitivity::Protected => Self::Absent,
        }
    }
}

/// Which rows a list holds before anybody looks at what is in them: those of the students in its reach, and of the
/// protected ones those of the caller's cases. Decided in SQL, so that a page has as many rows as it says.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The whole district.
    pub everything: bool,
    /// Schools and classes whose present students are in reach.
    pub places: Vec<Uuid>,
    /// One student only.
    pub student: Option<Uuid>,
    /// Protected ones of every student.
    pub protected_everywhere: bool,
    /// Schools of whose students protected ones are seen.
    pub protected_schools: Vec<Uuid>,
    /// Students of whom protected ones are seen.
    pub protected_students: Vec<Uuid>,
}

impl Reach {
    /// Of a scope that was granted.
    pub fn of_scope(access: &Access, caller: &Caller, scope: &Scope) -> Self {
        let places = scope.schools.iter().chain(&scope.classes).copied().collect();
        Self { everything: scope.everything, places, ..Self::cleared(access, caller) }
    }

    /// Of one student, on whom access was granted.
    pub fn of_student(access: &Access, caller: &Caller, record: &Record, student: Uuid) -> Self {
        let protected_everywhere = access.clearance(caller, record).protected();
        Self { everything: true, student: Some(student), protected_everywhere, ..Self::default() }
    }

    fn cleared(access: &Access, caller: &Caller) -> Self {
        let protected = |record: Record| access.clearance(caller, &record).protected();
        Self {
            protected_everywhere: protected(Record::default()),
            protected_schools: caller.schools().into_iter().filter(|s| protected(Record::school(*s))).collect(),
            protected_students: caller.on_case.iter().copied().filter(|s| protected(Record::default().about(*s))).collect(),
            ..Self::default()
        }
    }
}

/// Where a page of a list ends: the rank of its last row, its order within the rank, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Lower ranks come first.
    pub rank: i32,
    /// Lower ones come first.
    pub at: i64,
    /// Id.
    pub id: Uuid,
}

/// A row of a list: what it is, the schools of its student, and where it stands.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The record.
    pub record: T,
    /// Schools that the student attends now.
    pub schools: Vec<Uuid>,
    /// For the page token.
    pub place: Place,
}

/// Clearances for the rows of a list: asked once for each set of schools.
pub struct Clearances<'c> {
    access: &'c Access,
    caller: &'c Caller,
    known: HashMap<(Vec<Uuid>, Option<Uuid>), Clearance>,
}

impl<'c> Clearances<'c> {
    /// Of a caller.
    pub fn new(access: &'c Access, caller: &'c Caller) -> Self {
        Self { access, caller, known: HashMap::new() }
    }

    /// For a student of these schools.
    pub fn of(&mut self, student: Uuid, schools: &[Uuid]) -> &Clearance {
        let case = self.caller.on_case.contains(&student).then_some(student);
        let (access, caller) = (self.access, self.caller);
        self.known.entry((schools.to_vec(), case)).or_insert_with(|| {
            let record = Record { schools: BTreeSet::from_iter(schools.iter().copied()), about: case, ..Record::default() };
            access.clearance(caller, &record)
        })
    }
}
