//! Callers and decisions for tests of handlers, without tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use secrecy::SecretString;
use sqlx::PgPool;
use uuid::Uuid;

use crate::caller::Caller;
use crate::decide::Access;
use crate::policy::Policies;

/// A member of staff with one role at these schools.
pub fn caller(staff_id: Uuid, role: &str, schools: &[Uuid]) -> Caller {
    Caller {
        subject: staff_id.to_string(),
        staff_id: Some(staff_id),
        organisation_id: None,
        roles: BTreeSet::from([role.to_owned()]),
        teaches: BTreeSet::new(),
        on_case: BTreeSet::new(),
        at: BTreeMap::from([(role.to_owned(), schools.iter().copied().collect())]),
        token: Arc::new(SecretString::from(String::new())),
        decided: Arc::new(AtomicBool::new(false)),
    }
}

/// Decisions by the policies of this repository.
///
/// # Panics
/// Where the policies do not parse: a test without them has not run.
pub fn access(pool: PgPool) -> Access {
    let schema = include_str!("../../../../policies/wraparound.cedarschema");
    let policies = include_str!("../../../../policies/wraparound.cedar");
    #[expect(clippy::expect_used, reason = "only tests call this, and they end here")]
    let policies = Policies::new(schema, policies).expect("the policies do not parse");
    Access::new(policies, pool)
}
