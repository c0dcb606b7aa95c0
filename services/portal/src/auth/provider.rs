//! The issuer that people sign in at, as OpenID Connect describes it: the code flow with PKCE, state and nonce; renewal;
//! logout. Whatever issuer the settings name.

use std::str::FromStr as _;

use anyhow::Context as _;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis_access::ClaimSettings;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RefreshToken, Scope,
    TokenResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::http::Http;
use super::trouble::Trouble;
use crate::session::{PendingSignIn, SignedIn, Tokens};
use crate::settings::PortalSettings;

/// What a client can do once the issuer has described itself.
type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Signs people in at the issuer.
pub struct SignIn {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    landing: PostLogoutRedirectUrl,
    scopes: Vec<Scope>,
    claims: ClaimSettings,
    http: Http,
    metadata: Mutex<Option<ProviderMetadataWithLogout>>,
}

impl SignIn {
    /// Prepares sign-in. The issuer is asked at the first sign-in, not at start, so that it may start later.
    pub fn new(settings: &PortalSettings, claims: ClaimSettings) -> anyhow::Result<Self> {
        let secret = settings.client_secret.expose_secret();
        let at = |path: &str| format!("{}{path}", settings.public_url.trim_end_matches('/'));
        let no_address = || format!("service.public_url = {:?} is no address", settings.public_url);
        let redirect = RedirectUrl::new(at("/sign-in/done")).with_context(no_address)?;
        let landing = PostLogoutRedirectUrl::new(at("/sign-in/ended")).with_context(no_address)?;
        tracing::info!(redirect = redirect.as_str(), after_logout = landing.as_str(), "the issuer must know these addresses of the portal");
        Ok(Self {
            issuer: IssuerUrl::new(settings.issuer_url.clone()).with_context(|| format!("service.issuer_url = {:?} is no address", settings.issuer_url))?,
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: (!secret.is_empty()).then(|| ClientSecret::new(secret.to_owned())),
            redirect,
            landing,
            scopes: settings.scopes.iter().cloned().map(Scope::new).collect(),
            claims,
            http: Http::new(settings.call_timeout())?,
            metadata: Mutex::new(None),
        })
    }

    /// What the issuer says about itself, with its keys. Asked anew where `fresh`, as keys rotate.
    async fn metadata(&self, fresh: bool) -> Result<ProviderMetadataWithLogout, Trouble> {
        let mut held = self.metadata.lock().await;
        if let (false, Some(metadata)) = (fresh, held.as_ref()) {
            return Ok(metadata.clone());
        }
        let found = ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.http).await?;
        *held = Some(found.clone());
        Ok(found)
    }

    async fn client(&self, fresh: bool) -> Result<Client, Trouble> {
        let metadata = self.metadata(fresh).await?;
        Ok(CoreClient::from_provider_metadata(metadata, self.client_id.clone(), self.client_secret.clone()).set_redirect_uri(self.redirect.clone()))
    }

    /// Where to send the browser, and what to remember until it comes back.
    pub async fn begin(&self, next: String) -> Result<(String, PendingSignIn), Trouble> {
        let client = self.client(false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(challenge)
            .url();
        let pending = PendingSignIn { state: state.secret().clone(), nonce: nonce.secret().clone(), verifier: verifier.secret().clone(), next };
        Ok((url.to_string(), pending))
    }

    /// Turns the code into somebody who is signed in; everything in the ID token is checked.
    pub async fn finish(&self, code: String, pending: &PendingSignIn) -> Result<SignedIn, Trouble> {
        let client = self.client(false).await?;
        let asked = client.exchange_code(AuthorizationCode::new(code)).map_err(no_token_endpoint)?;
        let answer = asked.set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone())).request_async(&self.http).await?;
        let id_token = answer.id_token().ok_or_else(|| Trouble::Unsound("there is no ID token".to_owned()))?;
        let nonce = Nonce::new(pending.nonce.clone());
        let claims = self.believed(client, id_token, &answer, Some(&nonce)).await?;
        let said = self.claims.read(&claims).map_err(|why| Trouble::Unsound(why.to_owned()))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().trim();
        let name = ["name", "preferred_username"].map(text).into_iter().find(|name| !name.is_empty()).unwrap_or("Signed in");
        Ok(SignedIn {
            subject: text("sub").to_owned(),
            sid: Some(text("sid").to_owned()).filter(|sid| !sid.is_empty()),
            name: name.to_owned(),
            roles: said.roles,
            school_ids: said.school_ids.unwrap_or_default().iter().map(ToString::to_string).collect(),
            tokens: tokens(&answer, None, None),
        })
    }

    /// New tokens for old. They must be the same person's.
    pub async fn renew(&self, old: &Tokens, subject: &str) -> Result<Tokens, Trouble> {
        let refresh = old.refresh.as_ref().ok_or_else(|| Trouble::NoGrant("there is no refresh token".to_owned()))?;
        let client = self.client(false).await?;
        let token = RefreshToken::new(refresh.expose_secret().to_owned());
        let answer = client.exchange_refresh_token(&token).map_err(no_token_endpoint)?.request_async(&self.http).await?;
        // Not every issuer sends another ID token.
        if let Some(id_token) = answer.id_token() {
            let claims = self.believed(client, id_token, &answer, None).await?;
            if claims.get("sub").and_then(Value::as_str) != Some(subject) {
                return Err(Trouble::Unsound("the renewed token is somebody else's".to_owned()));
            }
        }
        Ok(tokens(&answer, old.refresh.clone(), old.id.clone()))
    }

    /// Where the browser is to go so that the issuer's own session ends, too. None where the issuer offers no such place.
    pub async fn leave(&self, id_token: &SecretString) -> Option<String> {
        let endpoint = self.metadata(false).await.ok()?.additional_metadata().end_session_endpoint.clone()?;
        let hint = CoreIdToken::from_str(id_token.expose_secret()).ok()?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(&hint)
            .set_client_id(self.client_id.clone())
            .set_post_logout_redirect_uri(self.landing.clone())
            .set_state(CsrfToken::new_random());
        Some(request.http_get_url().to_string())
    }

    /// The claims of an ID token that is the issuer's, ours, of today, for this sign-in and of this access token.
    async fn believed(&self, client: Client, id_token: &CoreIdToken, answer: &CoreTokenResponse, nonce: Option<&Nonce>) -> Result<Map<String, Value>, Trouble> {
        let unsound = |what: &str| Trouble::Unsound(what.to_owned());
        let fits = |client: &Client| {
            let held = |told: Option<&Nonce>| match nonce {
                Some(nonce) => openidconnect::NonceVerifier::verify(nonce, told),
                // A renewal need not repeat it.
                None => Ok(()),
            };
            id_token.claims(&client.id_token_verifier(), held).map(|claims| claims.access_token_hash().cloned())
        };
        // A key we do not know may be a new one: ask the issuer once more before refusing.
        let client = if fits(&client).is_ok() { client } else { self.client(true).await? };
        let expected = fits(&client).map_err(|error| Trouble::Unsound(error.to_string()))?;
        if let Some(expected) = expected {
            let verifier = client.id_token_verifier();
            let algorithm = id_token.signing_alg().map_err(|_| unsound("the ID token's algorithm is unknown"))?;
            let key = id_token.signing_key(&verifier).map_err(|_| unsound("the ID token's key is unknown"))?;
            let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key).map_err(|_| unsound("the access token's hash cannot be made"))?;
            if actual != expected {
                return Err(unsound("the access token does not belong to the ID token"));
            }
        }
        payload(&id_token.to_string()).ok_or_else(|| unsound("the ID token has no payload"))
    }
}

fn no_token_endpoint(_: openidconnect::ConfigurationError) -> Trouble {
    Trouble::Setup("the issuer that service.issuer_url names tells no token endpoint".to_owned())
}

fn tokens(answer: &CoreTokenResponse, refresh: Option<SecretString>, id: Option<SecretString>) -> Tokens {
    Tokens {
        access: SecretString::from(answer.access_token().secret().clone()),
        lasts: answer.expires_in(),
        refresh: answer.refresh_token().map(|token| SecretString::from(token.secret().clone())).or(refresh),
        id: answer.id_token().map(|token| SecretString::from(token.to_string())).or(id),
    }
}

/// All claims of a token whose signature was checked before: the library reads only those it knows.
fn payload(checked: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(checked.split('.').nth(1)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_is_read() {
        let token = URL_SAFE_NO_PAD.encode(br#"{"sub":"1","name":"Fictional Person","groups":["/Staff"]}"#);
        assert_eq!(payload(&format!("h.{token}.s")).unwrap()["groups"], serde_json::json!(["/Staff"]));
        assert!(payload("nonsense").is_none() && payload("a.!.c").is_none());
    }
}
