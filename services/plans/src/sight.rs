//! What a caller may see of needs: of one record, and of a list by the places that clear them.

use chassis_access::decide::DOMAINS;
use chassis_access::{Access, Caller, Clearance, Record, Scope};
use uuid::Uuid;

use crate::codes::{Domain, Sensitivity};

/// A need's author does not come with its event, so that authorship clears nobody here; this is nobody's id.
const NOBODY: Uuid = Uuid::max();

/// Whether one need may be seen.
pub fn may_see(clearance: &Clearance, sensitivity: Sensitivity, domain: Domain) -> bool {
    clearance.allows(sensitivity.into(), domain.as_str(), NOBODY)
}

/// Clearance in lists: where restricted needs of which domain may be seen, and where protected ones. Set-based SQL joins
/// it with the relationships of each student, so that it comes to the same as deciding on each.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// Domains whose restricted needs may be seen of every student.
    pub restricted_everywhere: Vec<String>,
    /// With `restricted_domains`, pairs: a school or class, and a domain that may be seen of its students.
    pub restricted_places: Vec<Uuid>,
    /// See `restricted_places`.
    pub restricted_domains: Vec<String>,
    /// Whether protected needs may be seen of every student.
    pub protected_everywhere: bool,
    /// Schools and classes of whose students protected needs may be seen.
    pub protected_places: Vec<Uuid>,
    /// Students on whose case the caller is.
    pub protected_students: Vec<Uuid>,
}

impl Sight {
    /// By asking the policies once for each of the caller's schools and classes.
    pub fn of(access: &Access, caller: &Caller) -> Self {
        let mut sight = Self::default();
        let everywhere = access.clearance(caller, &Record::default());
        sight.restricted_everywhere = domains(&everywhere);
        sight.protected_everywhere = everywhere.protected();
        let schools = caller.schools().into_iter().map(|school| (school, Record::school(school)));
        let classes = caller.teaches.iter().map(|class| (*class, Record { classes: [*class].into(), ..Record::default() }));
        for (place, record) in schools.chain(classes) {
            let clearance = access.clearance(caller, &record);
            sight.add(place, &clearance);
        }
        let on_case = caller.on_case.iter().filter(|student| access.clearance(caller, &Record::default().about(**student)).protected());
        sight.protected_students = on_case.copied().collect();
        sight
    }

    /// Adds what is cleared at a school or class.
    pub fn add(&mut self, place: Uuid, clearance: &Clearance) {
        for domain in domains(clearance) {
            self.restricted_places.push(place);
            self.restricted_domains.push(domain);
        }
        if clearance.protected() {
            self.protected_places.push(place);
        }
    }
}

fn domains(clearance: &Clearance) -> Vec<String> {
    DOMAINS.into_iter().filter(|d| clearance.restricted(d)).map(str::to_owned).collect()
}

/// Whose students a list holds: everything, or those of these schools and classes.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    /// The whole district.
    pub everything: bool,
    /// Schools and classes.
    pub places: Vec<Uuid>,
}

impl From<&Scope> for Whose {
    fn from(scope: &Scope) -> Self {
        Self { everything: scope.everything, places: scope.schools.iter().chain(&scope.classes).copied().collect() }
    }
}

impl Whose {
    /// Those of one school or class.
    pub fn of(place: Uuid) -> Self {
        Self { everything: false, places: vec![place] }
    }
}
