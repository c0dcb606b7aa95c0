//! Policies, calls and the role matrix agree.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::files;
use super::{none, root, text};

/// Questions about entries that policies answer; they are no calls.
const NO_CALLS: [&str; 2] = ["see.restricted", "see.protected"];

fn quoted_after<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Roles by action, as the policies grant them under whatever condition.
fn granted() -> BTreeMap<String, BTreeSet<String>> {
    let policies = text(&root().join("policies/wraparound.cedar"));
    let mut granted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for policy in policies.split("permit (").skip(1) {
        let policy = policy.split(';').next().unwrap();
        let roles = quoted_after(policy, "Role::\"");
        assert_eq!(roles.len(), 1, "a policy names one role: {policy}");
        for action in quoted_after(policy, "Action::\"") {
            granted.entry(action.to_owned()).or_default().insert(roles[0].to_owned());
        }
    }
    granted
}

/// `<service>.<Method>` of every call in the contract.
fn calls() -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for file in files() {
        let package = file.package().split('.').nth(1).unwrap().to_owned();
        for method in file.service.iter().flat_map(|service| &service.method) {
            calls.insert(format!("{package}.{}", method.name()));
        }
    }
    calls
}

/// The role matrix: roles by action, and all roles. A person wrote it, reading the district's rules on who sees what.
pub fn matrix() -> (BTreeMap<String, BTreeSet<String>>, Vec<String>) {
    let mut reader = csv::Reader::from_path(root().join("policies/role-matrix.csv")).unwrap();
    let roles: Vec<String> = reader.headers().unwrap().iter().skip(1).map(str::to_owned).collect();
    let mut matrix = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        let allowed = roles.iter().zip(row.iter().skip(1)).filter(|(_, mark)| *mark == "x").map(|(role, _)| role.clone()).collect();
        assert!(row.iter().skip(1).all(|mark| mark.is_empty() || mark == "x"), "a cell is x or empty: {row:?}");
        assert!(matrix.insert(row[0].to_owned(), allowed).is_none(), "{} stands twice", &row[0]);
    }
    (matrix, roles)
}

#[test]
fn every_call_has_a_policy_and_every_policy_a_call() {
    let (granted, calls) = (granted(), calls());
    let mut found: Vec<String> = calls.iter().filter(|call| !granted.contains_key(*call)).map(|call| format!("{call} has no policy")).collect();
    let known = |action: &&String| calls.contains(*action) || NO_CALLS.contains(&action.as_str());
    found.extend(granted.keys().filter(|action| !known(action)).map(|action| format!("{action} is no call")));
    none(&found, "policies and calls differ:");
}

#[test]
fn the_schema_names_the_same_actions() {
    let schema = text(&root().join("policies/wraparound.cedarschema"));
    let actions = schema.split("\naction\n").nth(1).unwrap().split("appliesTo").next().unwrap();
    let named: BTreeSet<String> = actions.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let expected: BTreeSet<String> = calls().into_iter().chain(NO_CALLS.map(str::to_owned)).collect();
    assert_eq!(named, expected);
}

#[test]
fn the_role_matrix_is_what_the_policies_say() {
    let (matrix, roles) = matrix();
    let granted = granted();
    let mut found = Vec::new();
    for action in granted.keys().chain(matrix.keys()).collect::<BTreeSet<_>>() {
        let nobody = BTreeSet::new();
        let (wanted, given) = (matrix.get(action).unwrap_or(&nobody), granted.get(action).unwrap_or(&nobody));
        for role in wanted.union(given).filter(|role| wanted.contains(*role) != given.contains(*role)) {
            found.push(format!("{action} for {role}: the policies {}, the matrix {}", says(given, role), says(wanted, role)));
        }
    }
    let in_policies: BTreeSet<&String> = granted.values().flatten().collect();
    found.extend(in_policies.into_iter().filter(|role| !roles.contains(role)).map(|role| format!("{role} has no column")));
    none(&found, "policies/role-matrix.csv and policies/wraparound.cedar differ; change the one that is wrong:");
}

fn says(roles: &BTreeSet<String>, role: &str) -> &'static str {
    if roles.contains(role) { "grant it" } else { "do not" }
}
