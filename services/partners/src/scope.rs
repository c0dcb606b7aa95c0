//! Record scopes: the parts of a student's record that a family can agree to share.

use chassis_rpc::Parser;

/// All of them.
pub const SCOPES: [&str; 11] = [
    "identity",
    "contact",
    "attendance_summary",
    "behaviour_summary",
    "course_summary",
    "plan_goals",
    "plan_item",
    "health_note",
    "strengths",
    "needs",
    "documents",
];

/// Who the student is.
pub const IDENTITY: &str = "identity";
/// The needs behind a referral.
pub const NEEDS: &str = "needs";
/// The category of service asked for.
pub const PLAN_ITEM: &str = "plan_item";

/// Reads a list of scopes: known ones, each once, in alphabetical order.
pub fn parse(parser: &mut Parser, field: &str, values: &[String]) -> Vec<String> {
    if values.len() > SCOPES.len() {
        parser.violation(field, format!("must have at most {} members", SCOPES.len()));
        return Vec::new();
    }
    let mut scopes: Vec<String> = values.iter().enumerate().map(|(i, v)| parser.one_of(&format!("{field}[{i}]"), v, &SCOPES, false)).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// Whether every scope of `wanted` is among `given`.
pub fn covers(given: &[String], wanted: &[String]) -> bool {
    wanted.iter().all(|scope| given.contains(scope))
}
