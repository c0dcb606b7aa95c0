//! Who asks, as their token and the roster have it.

use std::collections::BTreeSet;

use chassis_access::Caller;
use chassis_access::caller::DISTRICT;
use proto::rosters::v1 as wire;
use uuid::Uuid;

pub(super) fn render(caller: &Caller, access_basis: String) -> wire::GetCallerResponse {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let nowhere = BTreeSet::new();
    let role = |role: &String| {
        let at = caller.at.get(role).unwrap_or(&nowhere);
        let school_ids = at.iter().filter(|school| **school != DISTRICT).map(Uuid::to_string).collect();
        wire::CallerRole { role: role.clone(), school_ids, whole_district: at.contains(&DISTRICT) }
    };
    wire::GetCallerResponse {
        roles: caller.roles.iter().map(role).collect(),
        staff_id: text(caller.staff_id),
        organisation_id: text(caller.organisation_id),
        school_ids: caller.schools().iter().map(Uuid::to_string).collect(),
        access_basis,
    }
}

#[cfg(test)]
mod tests {
    use chassis_access::testing::caller;

    use super::*;

    #[test]
    fn a_role_is_told_with_the_places_where_it_holds() {
        let (staff, school) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut who = caller(staff, "teacher", &[school]);
        who.roles.insert("program_manager".to_owned());
        who.at.insert("program_manager".to_owned(), BTreeSet::from([DISTRICT]));
        let told = render(&who, "staff".to_owned());
        let roles: Vec<_> = told.roles.iter().map(|r| (r.role.as_str(), r.school_ids.len(), r.whole_district)).collect();
        assert_eq!(roles, [("program_manager", 0, true), ("teacher", 1, false)]);
        assert_eq!((told.staff_id, told.school_ids, told.organisation_id.as_str()), (staff.to_string(), vec![school.to_string()], ""));
    }
}
