//! Who a token speaks of.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::DevIssuer;

/// Tokens last an hour.
pub const LIFETIME_SECONDS: u64 = 3600;
/// The audience of the services.
pub const AUDIENCE: &str = "wraparound";

/// A person or system, as a token names them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Opaque.
    pub sub: String,
    /// What to call them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Schools at which the roles hold; the whole district where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub school_ids: Option<Vec<Uuid>>,
    /// Their id in the roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<Uuid>,
    /// Their organisation outside the district.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
}

impl Identity {
    /// Somebody with one role for the whole district.
    pub fn district(role: &str, name: &str) -> Self {
        Self { sub: format!("dev:{role}"), name: name.to_owned(), roles: vec![role.to_owned()], ..Self::default() }
    }
}

#[derive(Serialize)]
struct Token<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(flatten)]
    who: &'a Identity,
}

impl DevIssuer {
    /// An access token for the services.
    pub(super) fn mint(&self, who: &Identity) -> anyhow::Result<String> {
        self.signed(who, AUDIENCE, None)
    }

    /// An ID token for the portal.
    pub(super) fn mint_id(&self, who: &Identity, client: &str, nonce: Option<&str>) -> anyhow::Result<String> {
        self.signed(who, client, nonce)
    }

    fn signed(&self, who: &Identity, aud: &str, nonce: Option<&str>) -> anyhow::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        self.key.sign(&Token { iss: &self.issuer, aud, iat: now, nbf: now, exp: now + LIFETIME_SECONDS, jti: Uuid::now_v7(), nonce, who })
    }
}

/// The organisation of a partner system's client id, `partner-system-<uuid>`.
pub fn partner_of(client: &str) -> Option<Uuid> {
    client.strip_prefix("partner-system-").and_then(|id| Uuid::parse_str(id).ok())
}

/// Who a client is when it asks for itself.
pub fn of_client(client: &str) -> Option<Identity> {
    if let Some(organisation) = partner_of(client) {
        return Some(Identity { sub: client.to_owned(), roles: vec!["partner_system".to_owned()], organisation_id: Some(organisation), ..Identity::default() });
    }
    client.strip_prefix("service-").map(|_| Identity { sub: client.to_owned(), roles: vec!["service".to_owned()], ..Identity::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_their_own_role_only() {
        let id = Uuid::now_v7();
        assert_eq!(of_client(&format!("partner-system-{id}")).unwrap().organisation_id, Some(id));
        assert_eq!(of_client("service-plans").unwrap().roles, ["service"]);
        assert!(of_client("portal").is_none() && of_client("partner-system-x").is_none());
    }
}
