//! A service's own identity: OAuth 2 client credentials, for calls that no person asked for.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::caller::bearing;
use crate::token::TokenError;

/// How the service gets its token.
#[derive(Clone, Debug, Deserialize)]
pub struct IdentitySettings {
    /// The issuer's token endpoint.
    pub token_uri: String,
    /// The service's client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Scope that it asks for; the issuer's default where empty.
    pub scope: String,
}

/// Gets and keeps the service's token.
pub struct ServiceIdentity {
    settings: IdentitySettings,
    http: reqwest::Client,
    held: Mutex<Option<(SecretString, Instant)>>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    expires_in: Option<u64>,
}

impl ServiceIdentity {
    /// An identity; asks for its token when it is first needed.
    pub fn new(settings: IdentitySettings) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap_or_default();
        Self { settings, http, held: Mutex::new(None) }
    }

    /// A request to a peer as this service itself.
    pub async fn request<T>(&self, message: T) -> Result<tonic::Request<T>, TokenError> {
        let mut held = self.held.lock().await;
        if let Some((token, until)) = held.as_ref()
            && *until > Instant::now()
        {
            return Ok(bearing(token.expose_secret(), message));
        }
        let mut form =
            vec![("grant_type", "client_credentials"), ("client_id", &self.settings.client_id), ("client_secret", self.settings.client_secret.expose_secret())];
        if !self.settings.scope.is_empty() {
            form.push(("scope", &self.settings.scope));
        }
        let answer = self.http.post(&self.settings.token_uri).form(&form).send().await.and_then(reqwest::Response::error_for_status);
        let answer: Answer = answer.map_err(TokenError::Issuer)?.json().await.map_err(TokenError::Issuer)?;
        // A new one a minute before the old one ends.
        let lasts = Duration::from_secs(answer.expires_in.unwrap_or(300).saturating_sub(60).max(5));
        let request = bearing(answer.access_token.expose_secret(), message);
        *held = Some((answer.access_token, Instant::now() + lasts));
        Ok(request)
    }
}
