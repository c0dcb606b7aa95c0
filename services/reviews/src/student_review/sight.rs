//! What one caller sees of a student's entries.

use std::collections::HashMap;

use chassis_access::decide::DOMAINS;
use chassis_access::{Access, Caller, Clearance, Record, Sensitivity};
use proto::reviews::v1 as wire;
use uuid::Uuid;

use super::entity::{Entry, StudentReview};
use crate::words::domain_word;

/// The same rule for answers and for SQL. Protected entries are seen by clearance only, also by who wrote them.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// Domains whose restricted entries are open; empty text stands for entries without a domain.
    pub restricted: Vec<String>,
    /// Whether protected entries are open.
    pub protected: bool,
    /// Restricted entries of this author are open.
    pub own: Option<Uuid>,
}

impl Sight {
    /// By clearance.
    pub fn of(caller: &Caller, clearance: &Clearance) -> Self {
        let mut restricted: Vec<String> = DOMAINS.into_iter().filter(|d| clearance.restricted(d)).map(str::to_owned).collect();
        // Restricted interests have no domain; they are open to those for whom every domain is.
        if clearance.all_restricted() {
            restricted.push(String::new());
        }
        Self { restricted, protected: clearance.protected(), own: caller.staff_id }
    }

    /// Whether an entry is seen.
    pub fn sees(&self, entry: &Entry) -> bool {
        match entry.sensitivity {
            Sensitivity::General => true,
            Sensitivity::Restricted => self.restricted.iter().any(|d| d == domain_word(entry.domain)) || self.own == Some(entry.author),
            Sensitivity::Protected => self.protected,
        }
    }

    /// Whether an entry is on this reader's page: one whose place was taken by an entry that they must not know of is
    /// gone for them, as if it had been taken out.
    pub fn shows(&self, review: &StudentReview, entry: &Entry) -> bool {
        let hidden = |id: Uuid| review.entries.iter().find(|e| e.id == id).is_none_or(|e| e.sensitivity == Sensitivity::Protected && !self.sees(e));
        self.sees(entry) && !entry.superseded_by.is_some_and(hidden)
    }

    /// The highest sensitivity that is shown out of these entries.
    pub fn highest<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Sensitivity {
        entries.filter(|e| self.sees(e)).map(|e| e.sensitivity).max().unwrap_or(Sensitivity::General)
    }
}

/// What one caller sees of the students of a class: some may be on the protected case of one student and of no other.
#[derive(Clone, Debug, Default)]
pub struct Sights {
    of_class: Sight,
    on_case: HashMap<Uuid, Sight>,
}

impl Sights {
    /// By the caller's clearance for the class, and for each student on whose case they are.
    pub fn of(access: &Access, caller: &Caller, record: &Record) -> Self {
        let sight = |record: &Record| Sight::of(caller, &access.clearance(caller, record));
        // Somebody is on a handful of cases.
        let on_case = caller.on_case.iter().map(|student| (*student, sight(&record.about(*student)))).collect();
        Self { of_class: sight(record), on_case }
    }

    /// Of one student.
    pub fn of_student(&self, student: Uuid) -> &Sight {
        self.on_case.get(&student).unwrap_or(&self.of_class)
    }

    /// A student's review as this caller may see it.
    pub(crate) fn show(&self, review: StudentReview) -> wire::StudentReview {
        let sight = self.of_student(review.student_id);
        review.shown_to(sight)
    }
}
