//! What the portal is told at start, under `[service]`; `default.toml` documents each key for operators.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

/// Settings of the portal. Times are whole numbers with their unit in the name.
#[derive(Debug, Clone, Deserialize)]
pub struct PortalSettings {
    /// Where browsers reach the portal, without a slash at the end: `https://support.example.org`.
    pub public_url: String,
    /// The OpenID Connect issuer that people sign in at.
    pub issuer_url: String,
    /// How the portal is registered there.
    pub client_id: String,
    /// Its secret there; empty for a public client, which relies on PKCE alone.
    pub client_secret: SecretString,
    /// Scopes asked for beside `openid`.
    pub scopes: Vec<String>,
    /// How long one call to a service may take.
    pub call_timeout_ms: u64,
    /// A session without a request for this long ends.
    pub session_idle_minutes: u64,
    /// A session ends after this long, whatever happens.
    pub session_max_hours: u64,
    /// Shown on top of every page; empty for none. The development district says here that its data and
    /// its sign-in are fictional.
    pub notice: String,
}

impl PortalSettings {
    /// How long one call to a service may take.
    pub fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }

    /// A session without a request for this long ends.
    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_idle_minutes * 60)
    }

    /// A session ends after this long, whatever happens.
    pub fn session_max(&self) -> Duration {
        Duration::from_secs(self.session_max_hours * 3600)
    }

    /// Whether cookies may only travel over TLS.
    pub fn secure_cookies(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The notice, where there is one.
    pub fn notice(&self) -> Option<String> {
        (!self.notice.is_empty()).then(|| self.notice.clone())
    }
}
