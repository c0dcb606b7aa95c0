//! A tiny OpenID Connect issuer: signs everybody in as the persona that the test names, and behaves as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const CLIENT: &str = "wraparound-portal";
pub const SECRET: &str = "a secret for tests only, long enough for a signature";

/// How the issuer behaves. A test may change it while it runs.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Claims beside those that every ID token has.
    pub claims: Value,
    /// Seconds for which an access token lasts.
    pub lasts: u64,
    /// Whether there are refresh tokens, each good once.
    pub refresh: bool,
    /// Whether there is a place to sign out.
    pub logout: bool,
    /// The error of the token endpoint; none while it works.
    pub refuses: Option<(u16, &'static str)>,
    /// Whose renewed tokens are.
    pub renewed_for: &'static str,
}

pub struct Issuer {
    url: String,
    pub manner: Mutex<Manner>,
    begun: Mutex<HashMap<String, (String, String)>>,
    /// Refresh tokens that were given; each counts one renewal more than the one before.
    pub given: Mutex<Vec<String>>,
}

async fn describe(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", issuer.url);
    let mut told = json!({
        "issuer": issuer.url, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["HS256"],
    });
    if issuer.manner.lock().unwrap().logout {
        told["end_session_endpoint"] = at("/logout").into();
    }
    Json(told)
}

async fn authorize(State(issuer): State<Arc<Issuer>>, Query(query): Query<HashMap<String, String>>) -> Redirect {
    assert_eq!(query["code_challenge_method"], "S256");
    let code = query["state"].clone();
    issuer.begun.lock().unwrap().insert(code.clone(), (query["nonce"].clone(), query["code_challenge"].clone()));
    Redirect::to(&format!("{}?code={code}&state={}", query["redirect_uri"], query["state"]))
}

fn refusal(status: u16, error: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::from_u16(status).unwrap(), Json(json!({ "error": error })))
}

async fn token(State(issuer): State<Arc<Issuer>>, Form(form): Form<HashMap<String, String>>) -> (StatusCode, Json<Value>) {
    let manner = issuer.manner.lock().unwrap().clone();
    if let Some((status, error)) = manner.refuses {
        return refusal(status, error);
    }
    let (nonce, subject) = if form["grant_type"] == "refresh_token" {
        // Each once, and the newest only.
        if issuer.given.lock().unwrap().last() != Some(&form["refresh_token"]) {
            return refusal(400, "invalid_grant");
        }
        (None, manner.renewed_for)
    } else {
        let Some((nonce, challenge)) = issuer.begun.lock().unwrap().remove(&form["code"]) else { return refusal(400, "invalid_grant") };
        assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes())), challenge);
        (Some(nonce), "s-1")
    };
    let now = chrono::Utc::now().timestamp();
    let mut claims = json!({ "iss": issuer.url, "sub": subject, "aud": CLIENT, "exp": now + 600, "iat": now, "nonce": nonce, "name": "Elena Castillo" });
    claims.as_object_mut().unwrap().extend(manner.claims.as_object().unwrap().clone());
    let id_token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let mut answer = json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": manner.lasts, "id_token": id_token });
    if manner.refresh {
        let mut given = issuer.given.lock().unwrap();
        let fresh = format!("refresh-{}", given.len());
        answer["refresh_token"] = fresh.clone().into();
        given.push(fresh);
    }
    (StatusCode::OK, Json(answer))
}

impl Issuer {
    /// Starts one for somebody with these roles.
    pub async fn start(roles: Vec<&'static str>) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let manner = Manner { claims: json!({ "roles": roles }), lasts: 600, refresh: false, logout: false, refuses: None, renewed_for: "s-1" };
        let issuer = Arc::new(Self { url, manner: Mutex::new(manner), begun: Mutex::default(), given: Mutex::default() });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/jwks", get(|| async { Json(json!({ "keys": [] })) }))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Has it behave differently from now on.
    pub fn manner(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.manner.lock().unwrap());
    }

    /// How often tokens were renewed.
    pub fn renewals(&self) -> usize {
        self.given.lock().unwrap().len().saturating_sub(1)
    }
}
