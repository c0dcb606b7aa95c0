//! The development issuer: a small OpenID Connect provider for fictional people, inside the one-process district.
//!
//! It asks for no password and vouches for whoever one chooses to be. So it exists on loopback only, answers to loopback
//! names only, and every page of it says what it is.

mod claims;
mod codes;
mod keys;
mod personas;
mod sign_in;
mod token;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::SecretString;
use serde_json::json;

use crate::district::addresses::Addresses;
use crate::district::overrides::{Plan, client_id};
use crate::district::secrets::Secrets;

pub use claims::Identity;
pub use personas::Persona;

use codes::Codes;
use keys::SigningKey;
use personas::People;

/// What an issuer needs to know.
#[derive(Debug)]
pub struct IssuerOptions {
    /// Of the district.
    pub addresses: Addresses,
    /// Client secrets follow from these.
    pub secrets: Secrets,
    /// Where its key lives.
    pub folder: PathBuf,
}

/// The issuer.
pub struct DevIssuer {
    issuer: String,
    portal: String,
    redirect: String,
    key: SigningKey,
    secrets: Secrets,
    codes: Codes,
    people: People,
}

/// Client id of the portal.
const PORTAL: &str = "portal";

impl DevIssuer {
    /// Opens the issuer, making its key where there is none.
    pub fn open(options: &IssuerOptions) -> anyhow::Result<Self> {
        let portal = options.addresses.url("portal");
        Ok(Self {
            issuer: options.addresses.issuer(),
            redirect: format!("{portal}/sign-in/done"),
            portal,
            key: SigningKey::open_or_create(&options.folder.join("issuer-key"))?,
            secrets: options.secrets.clone(),
            codes: Codes::default(),
            people: People::new(&options.addresses)?,
        })
    }

    /// The secret of a client, where such a client may exist: the portal, our services, partners' own systems.
    fn secret_of(&self, client: &str) -> Option<SecretString> {
        let known = client == PORTAL
            || crate::district::database::SCHEMAS.iter().any(|s| client_id(s) == client)
            || client == client_id(PORTAL)
            || claims::partner_of(client).is_some();
        known.then(|| Plan::client_secret(&self.secrets, client))
    }

    /// Everybody that one can be.
    async fn personas(&self) -> Vec<Persona> {
        self.people.everybody(|identity| self.mint(identity).unwrap_or_default()).await
    }
}

/// The issuer's routes, below its path.
pub fn router(issuer: Arc<DevIssuer>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(sign_in::page).post(sign_in::choose))
        .route("/token", post(token::token))
        .route("/personas", get(list))
        .route("/style.css", get(style))
        .layer(axum::extract::DefaultBodyLimit::max(64 * 1024))
        .layer(from_fn(loopback_names_only))
        .with_state(issuer)
}

/// A page elsewhere could have its own name point at 127.0.0.1 and then read our answers; it cannot choose the host
/// header that the browser sends.
async fn loopback_names_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return (StatusCode::MISDIRECTED_REQUEST, "the development issuer answers on this machine only\n").into_response();
    }
    let mut answer = next.run(request).await;
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

async fn discovery(State(issuer): State<Arc<DevIssuer>>) -> Json<serde_json::Value> {
    let at = &issuer.issuer;
    Json(json!({
        "issuer": at,
        "authorization_endpoint": format!("{at}/authorize"),
        "token_endpoint": format!("{at}/token"),
        "jwks_uri": format!("{at}/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", token::PERSONA_GRANT],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "name", "roles", "school_ids", "staff_id", "organisation_id"],
    }))
}

async fn jwks(State(issuer): State<Arc<DevIssuer>>) -> Json<serde_json::Value> {
    Json(json!({ "keys": [issuer.key.public()] }))
}

async fn list(State(issuer): State<Arc<DevIssuer>>) -> Json<Vec<Persona>> {
    Json(issuer.personas().await)
}

async fn style() -> Response {
    let css = concat!(include_str!("../../../portal/static/tokens.css"), include_str!("../../../portal/static/portal.css"), include_str!("style.css"));
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], css).into_response()
}
