//! Who reads a list of referrals, as far as SQL must know it.

use chassis_access::{Access, AccessError, Caller, Record};
use uuid::Uuid;

/// Whose eyes a list is for.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    /// A partner's: only what was sent to it.
    pub partner: Option<Uuid>,
    /// The whole district's.
    pub everything: bool,
    /// These schools'.
    pub schools: Vec<Uuid>,
    /// These classes'.
    pub classes: Vec<Uuid>,
    /// Protected referrals of the whole district too.
    pub protected_everywhere: bool,
    /// Protected referrals of these schools' students too.
    pub protected_schools: Vec<Uuid>,
    /// Protected referrals of these students too: those on whose case the caller is.
    pub protected_students: Vec<Uuid>,
    /// `access_basis` of the answer.
    pub basis: String,
}

impl Audience {
    /// The service's own, which then decides on the record in hand.
    pub fn service() -> Self {
        Self { everything: true, protected_everywhere: true, ..Self::default() }
    }

    /// A partner's.
    pub fn of_partner(partner_id: Uuid) -> Self {
        Self { partner: Some(partner_id), basis: "partner".to_owned(), ..Self::default() }
    }

    /// A caller's own scope.
    pub fn of(access: &Access, caller: &Caller, action: &str) -> Result<Self, AccessError> {
        if let Some(organisation) = caller.organisation_id {
            let granted = access.authorize(caller, action, &Record::organisation(organisation))?;
            return Ok(Self { basis: granted.basis, ..Self::of_partner(organisation) });
        }
        let scope = access.scope(caller, action)?;
        let audience = Self { everything: scope.everything, schools: scope.schools, classes: scope.classes, basis: scope.basis, ..Self::default() };
        Ok(audience.with_protected(access, caller))
    }

    /// The students of one school, for whoever may see them all; a teacher sees those of their classes there.
    pub fn of_school(access: &Access, caller: &Caller, action: &str, school: Uuid) -> Result<Self, AccessError> {
        match access.authorize(caller, action, &Record::school(school)) {
            Ok(granted) => Ok(Self { schools: vec![school], basis: granted.basis, ..Self::default() }.with_protected(access, caller)),
            Err(refusal) => {
                let audience = Self::of(access, caller, action)?;
                if audience.everything || !audience.classes.is_empty() { Ok(audience) } else { Err(refusal) }
            }
        }
    }

    fn with_protected(mut self, access: &Access, caller: &Caller) -> Self {
        self.protected_everywhere = access.clearance(caller, &Record::district()).protected();
        self.protected_schools = caller.schools().into_iter().filter(|s| access.clearance(caller, &Record::school(*s)).protected()).collect();
        let on_case = caller.on_case.iter().filter(|student| access.clearance(caller, &Record::default().about(**student)).protected());
        self.protected_students = on_case.copied().collect();
        self
    }
}
