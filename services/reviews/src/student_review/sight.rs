//! What one caller sees of a student's entries.

use chassis_access::decide::DOMAINS;
use chassis_access::{Caller, Clearance, Sensitivity};
use uuid::Uuid;

use super::entity::Entry;
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

    /// The highest sensitivity that is shown out of these entries.
    pub fn highest<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Sensitivity {
        entries.filter(|e| self.sees(e)).map(|e| e.sensitivity).max().unwrap_or(Sensitivity::General)
    }
}
