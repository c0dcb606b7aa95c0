//! The person or system behind a call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

/// What a role at the whole district has instead of a school.
pub const DISTRICT: Uuid = Uuid::nil();

/// Who is calling. Made by the gate and found in every request's extensions.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `sub` of the token. Opaque; the name in logs and idempotency records.
    pub subject: String,
    /// Their id in the roster, for staff.
    pub staff_id: Option<Uuid>,
    /// Their organisation, for people and systems outside the district.
    pub organisation_id: Option<Uuid>,
    /// Roles, from the token and the roster.
    pub roles: BTreeSet<String>,
    /// Classes they teach.
    pub teaches: BTreeSet<Uuid>,
    /// Students on whose protected case they are now.
    pub on_case: BTreeSet<Uuid>,
    /// Schools by role; [`DISTRICT`] stands for all.
    pub at: BTreeMap<String, BTreeSet<Uuid>>,
    pub(crate) token: Arc<SecretString>,
    pub(crate) decided: Arc<AtomicBool>,
}

impl Caller {
    /// Somebody without roles, relationships or token, as tests of services start from. Nothing is permitted to them.
    pub fn nobody(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            staff_id: None,
            organisation_id: None,
            roles: BTreeSet::new(),
            teaches: BTreeSet::new(),
            on_case: BTreeSet::new(),
            at: BTreeMap::new(),
            token: Arc::new(SecretString::from(String::new())),
            decided: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The caller of a request. The gate refuses calls without one, so its absence means that the gate is missing.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, tonic::Status> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| tonic::Status::unauthenticated("no caller"))
    }

    /// Their id in the roster, or nil: for author columns.
    pub fn author(&self) -> Uuid {
        self.staff_id.unwrap_or_default()
    }

    /// Whether they have a role.
    pub fn has(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// Schools where they have a role.
    pub fn schools(&self) -> BTreeSet<Uuid> {
        self.at.values().flatten().copied().filter(|s| *s != DISTRICT).collect()
    }

    /// Makes a request to a peer on this caller's behalf: their token, this trace.
    pub fn forward<T>(&self, message: T) -> tonic::Request<T> {
        bearing(self.token.expose_secret(), message)
    }

    /// Says that the handler has decided; without this the gate withholds the answer.
    pub(crate) fn mark_decided(&self) {
        self.decided.store(true, Ordering::Relaxed);
    }
}

/// A request with a bearer token and the current trace.
pub(crate) fn bearing<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    if let Ok(mut value) = tonic::metadata::MetadataValue::try_from(format!("Bearer {token}")) {
        value.set_sensitive(true);
        request.metadata_mut().insert("authorization", value);
    }
    chassis_rpc::observe::inject(request.metadata_mut());
    request
}
