//! What the claims of a token say of its bearer. Providers name and shape claims as they like, so the settings say where
//! each thing is. The one place that reads them: services and the portal look through the same glasses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Which claim holds what. A claim is named by its name, or by a path with dots where no claim has that very name:
/// `realm_access.roles` is the member `roles` of the claim `realm_access`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ClaimSettings {
    /// Claim that says which member of staff it is: our id, or one that the roster file knows.
    pub staff_id_claim: String,
    /// Claim that holds the id of an organisation outside the district.
    pub organisation_id_claim: String,
    /// Claim that lists roles.
    pub roles_claim: String,
    /// Claim that lists groups; none are looked at where empty.
    pub groups_claim: String,
    /// Claim that lists the schools at which the token's roles hold.
    pub school_ids_claim: String,
    /// The role that each group gives. Other groups give none.
    pub roles_of_groups: BTreeMap<String, String>,
}

/// What a token says of its bearer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// See [`ClaimSettings::staff_id_claim`]; as the token has it.
    pub staff: Option<String>,
    /// See [`ClaimSettings::organisation_id_claim`].
    pub organisation_id: Option<Uuid>,
    /// By name and by group, each once.
    pub roles: Vec<String>,
    /// See [`ClaimSettings::school_ids_claim`]. None where the token does not say, which is the whole district.
    pub school_ids: Option<Vec<Uuid>>,
}

impl ClaimSettings {
    /// Reads the claims of a token whose signature was checked. An error says what is wrong, without the claim's value.
    pub fn read(&self, claims: &Map<String, Value>) -> Result<Said, &'static str> {
        let mut roles = texts(claims, &self.roles_claim);
        let of_groups = texts(claims, &self.groups_claim).into_iter().filter_map(|group| self.roles_of_groups.get(&group).cloned());
        roles.extend(of_groups);
        roles.sort_unstable();
        roles.dedup();
        let organisation = text(claims, &self.organisation_id_claim);
        let schools = find(claims, &self.school_ids_claim).map(|_| texts(claims, &self.school_ids_claim));
        Ok(Said {
            staff: self.staff(claims),
            organisation_id: organisation.map(|id| id.parse()).transpose().map_err(|_| "the id of an organisation is not a UUID")?,
            roles,
            school_ids: schools.map(|ids| ids.iter().map(|id| id.parse()).collect()).transpose().map_err(|_| "a school id is not a UUID")?,
        })
    }

    fn staff(&self, claims: &Map<String, Value>) -> Option<String> {
        // An address that the provider has not verified is one that anybody may have typed in.
        let typed_in = self.staff_id_claim == "email" && claims.get("email_verified").is_some_and(|verified| !truth(verified));
        text(claims, &self.staff_id_claim).filter(|_| !typed_in)
    }

    /// Roles of the table of groups that are none of those known, with the group.
    pub fn unknown_roles(&self, knows: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
        self.roles_of_groups.iter().filter(|(_, role)| !knows(role)).map(|(group, role)| (group.as_str(), role.as_str())).collect()
    }
}

/// A claim by its name, else by its path. Null is no claim.
fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if name.is_empty() {
        return None;
    }
    let found = claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
    });
    found.filter(|value| !value.is_null())
}

fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    texts(claims, name).into_iter().next()
}

/// The texts of a claim that is one or a list of them; numbers, as employees' may be, count as their digits.
fn texts(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match find(claims, name) {
        Some(Value::Array(values)) => values.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Some providers write truth as text.
fn truth(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str() == Some("true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> ClaimSettings {
        let group = |group: &str, role: &str| (group.to_owned(), role.to_owned());
        ClaimSettings {
            staff_id_claim: "staff_id".to_owned(),
            organisation_id_claim: "organisation_id".to_owned(),
            roles_claim: "roles".to_owned(),
            groups_claim: "groups".to_owned(),
            school_ids_claim: "school_ids".to_owned(),
            roles_of_groups: BTreeMap::from([
                group("/Wraparound/Coordinators", "coordinator"),
                group("Lead coordinators", "coordinator"),
                group("sis.clerks", "data_clerk"),
            ]),
        }
    }

    fn read(settings: &ClaimSettings, claims: &Value) -> Said {
        settings.read(claims.as_object().unwrap()).unwrap()
    }

    #[test]
    fn groups_give_roles_and_unknown_ones_give_nothing() {
        let claims = json!({ "roles": ["teacher"], "groups": ["Lead coordinators", "/Wraparound/Coordinators", "sis.clerks", "coordinator", "/wraparound/coordinators"] });
        assert_eq!(read(&settings(), &claims).roles, ["coordinator", "data_clerk", "teacher"]);
        let none = ClaimSettings { groups_claim: String::new(), ..settings() };
        assert_eq!(read(&none, &claims).roles, ["teacher"]);
    }

    #[test]
    fn a_list_may_be_one_text() {
        assert_eq!(read(&settings(), &json!({ "roles": "teacher", "groups": "sis.clerks" })).roles, ["data_clerk", "teacher"]);
        assert_eq!(read(&settings(), &json!({ "roles": null, "groups": 7 })), Said::default());
    }

    #[test]
    fn a_claim_is_named_by_its_name_or_its_path() {
        let at = |name: &str| ClaimSettings { roles_claim: name.to_owned(), ..settings() };
        let nested =
            json!({ "realm_access": { "roles": ["teacher"] }, "https://district.example/roles": ["principal"], "a.b": ["auditor"], "a": { "b": ["teacher"] } });
        for (name, roles) in [
            ("realm_access.roles", vec!["teacher"]),
            ("https://district.example/roles", vec!["principal"]),
            ("a.b", vec!["auditor"]),
            ("realm_access", vec![]),
            ("realm_access.roles.x", vec![]),
            ("realm_access.", vec![]),
            (".", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(&at(name), &nested).roles, roles, "{name:?}");
        }
    }

    #[test]
    fn a_member_of_staff_is_named_by_any_id() {
        for (claim, staff) in
            [(json!("A.Reyes@district.example "), Some("A.Reyes@district.example")), (json!(4711), Some("4711")), (json!(""), None), (json!({}), None)]
        {
            assert_eq!(read(&settings(), &json!({ "staff_id": claim })).staff.as_deref(), staff);
        }
    }

    #[test]
    fn an_address_that_is_not_verified_is_nobodys() {
        let by_mail = ClaimSettings { staff_id_claim: "email".to_owned(), ..settings() };
        let staff = |verified: Value| read(&by_mail, &json!({ "email": "a@district.example", "email_verified": verified })).staff.is_some();
        assert!(staff(json!(true)) && staff(json!("true")));
        assert!(!staff(json!(false)) && !staff(json!("false")) && !staff(json!(null)));
        // Not every provider says.
        assert!(read(&by_mail, &json!({ "email": "a@district.example" })).staff.is_some());
    }

    #[test]
    fn ids_that_are_ours_must_be_uuids() {
        for claims in [json!({ "organisation_id": "riverside" }), json!({ "school_ids": ["north"] })] {
            assert!(settings().read(claims.as_object().unwrap()).is_err(), "{claims}");
        }
        let id = Uuid::now_v7();
        assert_eq!(read(&settings(), &json!({ "school_ids": id.to_string() })).school_ids, Some(vec![id]));
        assert_eq!(read(&settings(), &json!({ "school_ids": [] })).school_ids, Some(vec![]));
    }

    #[test]
    fn a_role_that_nobody_knows_is_found() {
        let known = |role: &str| role == "coordinator";
        assert_eq!(settings().unknown_roles(known), [("sis.clerks", "data_clerk")]);
    }
}
