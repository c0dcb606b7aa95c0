//! Sign-in by OpenID Connect: the code flow with PKCE, state and nonce, at whatever issuer the settings name.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Shell, render};
use crate::session::{Caller, PendingSignIn, SignedIn, cookie_in, set_cookie};
use crate::settings::PortalSettings;

/// The issuer's answers may be this large.
const MOST_BYTES: usize = 1024 * 1024;

/// Signs people in at the issuer.
pub struct SignIn {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    scopes: Vec<Scope>,
    http: Http,
    metadata: Mutex<Option<CoreProviderMetadata>>,
}

/// The claims of ours in an ID token.
#[derive(Debug, Default, Deserialize)]
struct OurClaims {
    #[serde(default)]
    name: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    school_ids: Vec<String>,
}

impl SignIn {
    /// Prepares sign-in. The issuer is asked at the first sign-in, not at start, so that it may start later.
    pub fn new(settings: &PortalSettings) -> anyhow::Result<Self> {
        let secret = settings.client_secret.expose_secret();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(settings.call_timeout())
            .build()?;
        Ok(Self {
            issuer: IssuerUrl::new(settings.issuer_url.clone()).with_context(|| format!("portal.issuer_url = {:?} is no address", settings.issuer_url))?,
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: (!secret.is_empty()).then(|| ClientSecret::new(secret.to_owned())),
            redirect: RedirectUrl::new(format!("{}/sign-in/done", settings.public_url.trim_end_matches('/')))
                .with_context(|| format!("portal.public_url = {:?} is no address", settings.public_url))?,
            scopes: settings.scopes.iter().cloned().map(Scope::new).collect(),
            http: Http(http),
            metadata: Mutex::new(None),
        })
    }

    /// What the issuer says about itself, with its keys. Asked anew where `fresh`, as keys rotate.
    async fn metadata(&self, fresh: bool) -> anyhow::Result<CoreProviderMetadata> {
        let mut held = self.metadata.lock().await;
        if let (false, Some(metadata)) = (fresh, held.as_ref()) {
            return Ok(metadata.clone());
        }
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await.context("the issuer did not describe itself")?;
        *held = Some(found.clone());
        Ok(found)
    }

    /// Where to send the browser, and what to remember until it comes back.
    async fn begin(&self, next: String) -> anyhow::Result<(String, PendingSignIn)> {
        let metadata = self.metadata(false).await?;
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), self.client_secret.clone()).set_redirect_uri(self.redirect.clone());
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
    async fn finish(&self, code: String, pending: &PendingSignIn) -> anyhow::Result<SignedIn> {
        let metadata = self.metadata(false).await?;
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), self.client_secret.clone()).set_redirect_uri(self.redirect.clone());
        let answer = client
            .exchange_code(AuthorizationCode::new(code))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&self.http)
            .await
            .context("the issuer did not take the code")?;
        let id_token = answer.id_token().ok_or_else(|| anyhow!("the issuer sent no ID token"))?;
        let nonce = Nonce::new(pending.nonce.clone());
        // A key we do not know may be a new one: ask the issuer once more before refusing.
        let client = if id_token.claims(&client.id_token_verifier(), &nonce).is_ok() {
            client
        } else {
            CoreClient::from_provider_metadata(self.metadata(true).await?, self.client_id.clone(), self.client_secret.clone())
                .set_redirect_uri(self.redirect.clone())
        };
        let verifier = client.id_token_verifier();
        let claims = id_token.claims(&verifier, &nonce).context("the ID token is not sound")?;
        if let Some(expected) = claims.access_token_hash() {
            let actual = AccessTokenHash::from_token(answer.access_token(), id_token.signing_alg()?, id_token.signing_key(&verifier)?)?;
            if actual != *expected {
                bail!("the access token does not belong to the ID token");
            }
        }
        let ours = our_claims(&id_token.to_string())?;
        Ok(SignedIn {
            subject: claims.subject().to_string(),
            name: if ours.name.is_empty() { "Signed in".to_owned() } else { ours.name },
            roles: ours.roles,
            school_ids: ours.school_ids,
            token: SecretString::from(answer.access_token().secret().clone()),
            lifetime: answer.expires_in(),
        })
    }
}

/// Why the issuer could not be asked.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("the issuer could not be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the issuer's answer is larger than 1 MiB")]
    TooLarge,
}

/// Asks the issuer; follows no redirects and reads no more than it must.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = AskError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, AskError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut answer = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).send().await?;
            let mut bytes = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if bytes.len() + chunk.len() > MOST_BYTES {
                    return Err(AskError::TooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            let mut response = HttpResponse::new(bytes);
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            Ok(response)
        })
    }
}

/// Our claims in an ID token whose signature was checked before.
fn our_claims(checked: &str) -> anyhow::Result<OurClaims> {
    let payload = checked.split('.').nth(1).ok_or_else(|| anyhow!("the ID token has no payload"))?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}

/// The sign-in page's path, coming back to `next`. Ids are all that our paths hold.
pub fn sign_in_path(next: &str) -> String {
    match own_path(next) {
        "/" => "/sign-in".to_owned(),
        path => {
            let escaped: String = openidconnect::url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            format!("/sign-in?next={escaped}")
        }
    }
}

/// A path of ours, whatever was asked for: nobody is sent elsewhere after sign-in.
pub(crate) fn own_path(next: &str) -> &str {
    let sound =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']) && !next.starts_with("/sign-in") && next.len() < 500;
    if sound { next } else { "/" }
}

#[derive(Template)]
#[template(path = "sign_in/page.html")]
struct SignInPage {
    shell: Shell,
    start: String,
    message: Option<&'static str>,
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    next: String,
    #[serde(default)]
    ended: bool,
}

/// The sign-in page.
pub async fn page(State(app): State<Arc<Portal>>, Query(query): Query<SignInQuery>) -> Result<Response, Fault> {
    let path = sign_in_path(&query.next).replacen("/sign-in", "/sign-in/start", 1);
    render(&SignInPage { shell: Shell::bare(app.settings.notice(), "Sign in"), start: path, message: query.ended.then_some("You are signed out.") })
}

/// Sends the browser to the issuer.
pub async fn start(State(app): State<Arc<Portal>>, Query(query): Query<SignInQuery>) -> Result<Response, Fault> {
    let (url, pending) = app.sign_in.begin(own_path(&query.next).to_owned()).await.map_err(issuer_fault)?;
    let cookie = set_cookie(&app.sessions.begin(pending), app.settings.secure_cookies());
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&url)).into_response())
}

/// What the issuer sends back with the browser.
#[derive(Debug, Deserialize)]
pub struct Returned {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
}

/// Finishes a sign-in.
pub async fn done(State(app): State<Arc<Portal>>, headers: HeaderMap, Query(returned): Query<Returned>) -> Result<Response, Fault> {
    let pending = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok())
        .and_then(cookie_in)
        .and_then(|cookie| app.sessions.take_pending(cookie))
        .filter(|pending| pending.state == returned.state)
        .ok_or_else(|| Fault::refused("This sign-in was not begun here, or it took too long. Begin again."))?;
    if !returned.error.is_empty() || returned.code.is_empty() {
        return Err(Fault::refused("The sign-in was called off. Begin again when you are ready."));
    }
    let who = app.sign_in.finish(returned.code, &pending).await.map_err(issuer_fault)?;
    let cookie = set_cookie(&app.sessions.start(who), app.settings.secure_cookies());
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(own_path(&pending.next))).into_response())
}

/// Ends the session.
pub async fn end(State(app): State<Arc<Portal>>, post: Post) -> Response {
    let Caller { key, .. } = post.caller;
    app.sessions.end(&key);
    let cookie = set_cookie("", app.settings.secure_cookies());
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/sign-in?ended=true")).into_response()
}

fn issuer_fault(error: anyhow::Error) -> Fault {
    Fault::internal(format_args!("sign-in: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_sign_in() {
        for foreign in ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "", "x"] {
            assert_eq!(own_path(foreign), "/");
        }
        assert_eq!(own_path("/reviews/1?x=2"), "/reviews/1?x=2");
        assert_eq!(sign_in_path("/reviews/1?x=2"), "/sign-in?next=%2Freviews%2F1%3Fx%3D2");
    }

    #[test]
    fn roles_come_from_the_id_token() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"sub":"1","name":"Fictional Person","roles":["teacher"]}"#);
        let claims = our_claims(&format!("h.{payload}.s")).unwrap();
        assert_eq!((claims.name.as_str(), claims.roles.len()), ("Fictional Person", 1));
        assert!(our_claims("nonsense").is_err());
    }
}
