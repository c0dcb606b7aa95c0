//! A tiny OpenID Connect issuer: signs everybody in as the persona that the test names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
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

struct Issuer {
    url: String,
    roles: Vec<&'static str>,
    begun: Mutex<HashMap<String, (String, String)>>,
}

async fn describe(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", issuer.url);
    Json(json!({
        "issuer": issuer.url, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["HS256"],
    }))
}

async fn authorize(State(issuer): State<Arc<Issuer>>, Query(query): Query<HashMap<String, String>>) -> Redirect {
    assert_eq!(query["code_challenge_method"], "S256");
    let code = query["state"].clone();
    issuer.begun.lock().unwrap().insert(code.clone(), (query["nonce"].clone(), query["code_challenge"].clone()));
    Redirect::to(&format!("{}?code={code}&state={}", query["redirect_uri"], query["state"]))
}

async fn token(State(issuer): State<Arc<Issuer>>, Form(form): Form<HashMap<String, String>>) -> Json<Value> {
    let (nonce, challenge) = issuer.begun.lock().unwrap().remove(&form["code"]).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes())), challenge);
    let now = chrono::Utc::now().timestamp();
    let claims = json!({
        "iss": issuer.url, "sub": "s-1", "aud": CLIENT, "exp": now + 600, "iat": now, "nonce": nonce,
        "name": "Elena Castillo", "roles": issuer.roles,
    });
    let id_token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    Json(json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 600, "id_token": id_token }))
}

/// Starts it; answers its address.
pub async fn start(roles: Vec<&'static str>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let issuer = Arc::new(Issuer { url: url.clone(), roles, begun: Mutex::default() });
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(describe))
        .route("/jwks", get(|| async { Json(json!({ "keys": [] })) }))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .with_state(issuer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
