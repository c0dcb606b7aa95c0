//! The token endpoint.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::claims::{self, Identity, LIFETIME_SECONDS};
use super::{DevIssuer, PORTAL};

/// Our own grant, for commands and tests on this machine: be a persona, or whoever the form describes.
pub const PERSONA_GRANT: &str = "urn:wraparound:grant:persona";

/// What is asked.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    code_verifier: String,
    #[serde(default)]
    persona: String,
    #[serde(default)]
    roles: String,
    school_ids: Option<String>,
    staff_id: Option<Uuid>,
    organisation_id: Option<Uuid>,
}

/// A refusal as RFC 6749 words it.
fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "error": error, "error_description": description }))).into_response()
}

/// Client id and secret, from the header or the form.
fn credentials(headers: &HeaderMap, asked: &Asked) -> (String, String) {
    let basic = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Basic "));
    let decoded = basic.and_then(|text| STANDARD.decode(text).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    // Ours are letters, digits and hyphens, which form encoding leaves as they are.
    match decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (id.to_owned(), secret.to_owned()),
        None => (asked.client_id.clone(), asked.client_secret.clone()),
    }
}

impl DevIssuer {
    fn client_is(&self, id: &str, secret: &str) -> bool {
        // Of digests, so that the time it takes tells nothing of the secret.
        self.secret_of(id).is_some_and(|own| Sha256::digest(own.expose_secret()) == Sha256::digest(secret))
    }

    fn answer(&self, who: &Identity, id_token: Option<String>) -> Response {
        let Ok(access_token) = self.mint(who) else {
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the issuer cannot sign");
        };
        let mut body = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS });
        if let Some(id_token) = id_token {
            body["id_token"] = id_token.into();
            body["scope"] = "openid profile".into();
        }
        let mut answer = Json(body).into_response();
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    async fn persona(&self, asked: &Asked) -> Response {
        if asked.persona.is_empty() {
            return match described(asked) {
                Ok(who) => self.answer(&who, None),
                Err(why) => refusal(StatusCode::BAD_REQUEST, "invalid_request", why),
            };
        }
        let people = self.personas().await;
        match people.iter().find(|p| p.key == asked.persona) {
            Some(persona) => self.answer(&persona.identity, None),
            None => {
                let keys: Vec<&str> = people.iter().map(|p| p.key.as_str()).collect();
                refusal(StatusCode::BAD_REQUEST, "invalid_request", &format!("there is no such persona; there are {}", keys.join(", ")))
            }
        }
    }
}

/// Somebody by roles and places instead of a name.
fn described(asked: &Asked) -> Result<Identity, &'static str> {
    let roles: Vec<String> = asked.roles.split_whitespace().map(str::to_owned).collect();
    if roles.is_empty() && asked.staff_id.is_none() {
        return Err("name a persona, or roles (words by spaces) with school_ids, staff_id or organisation_id");
    }
    let school_ids = match &asked.school_ids {
        None => None,
        Some(ids) => Some(ids.split_whitespace().map(Uuid::parse_str).collect::<Result<Vec<_>, _>>().map_err(|_| "school_ids are UUIDs by spaces")?),
    };
    let who = asked.staff_id.map(|id| format!("staff:{id}")).or_else(|| asked.organisation_id.map(|id| format!("organisation:{id}")));
    Ok(Identity {
        sub: who.unwrap_or_else(|| format!("dev:{}", roles.join("+"))),
        name: "Fictional person".to_owned(),
        roles,
        school_ids,
        staff_id: asked.staff_id,
        organisation_id: asked.organisation_id,
    })
}

/// `POST /token`.
pub async fn token(State(issuer): State<Arc<DevIssuer>>, headers: HeaderMap, Form(asked): Form<Asked>) -> Response {
    if asked.grant_type == PERSONA_GRANT {
        return issuer.persona(&asked).await;
    }
    let (client, secret) = credentials(&headers, &asked);
    if !issuer.client_is(&client, &secret) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client", "no such client with this secret");
    }
    match asked.grant_type.as_str() {
        "authorization_code" if client == PORTAL => {
            let Some(grant) = issuer.codes.take(&asked.code, &asked.redirect_uri, &asked.code_verifier) else {
                return refusal(StatusCode::BAD_REQUEST, "invalid_grant", "the code is not known, used, too old, or not for this verifier and address");
            };
            match issuer.mint_id(&grant.who, &client, grant.nonce.as_deref()) {
                Ok(id_token) => issuer.answer(&grant.who, Some(id_token)),
                Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the issuer cannot sign"),
            }
        }
        "client_credentials" => match claims::of_client(&client) {
            Some(who) => issuer.answer(&who, None),
            None => refusal(StatusCode::BAD_REQUEST, "unauthorized_client", "this client has no identity of its own"),
        },
        _ => refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", "authorization_code and client_credentials are offered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_needs_a_role_or_a_person() {
        assert!(described(&Asked::default()).is_err());
        let school = Uuid::now_v7();
        let who = described(&Asked { roles: "coordinator principal".to_owned(), school_ids: Some(school.to_string()), ..Asked::default() }).unwrap();
        assert_eq!((who.roles.len(), who.school_ids), (2, Some(vec![school])));
        assert!(described(&Asked { roles: "x".to_owned(), school_ids: Some("no".to_owned()), ..Asked::default() }).is_err());
    }

    #[test]
    fn credentials_come_by_header_or_form() {
        let mut headers = HeaderMap::new();
        let form = Asked { client_id: "a".to_owned(), client_secret: "b".to_owned(), ..Asked::default() };
        assert_eq!(credentials(&headers, &form), ("a".to_owned(), "b".to_owned()));
        headers.insert(header::AUTHORIZATION, "Basic Yzpk".parse().unwrap());
        assert_eq!(credentials(&headers, &form), ("c".to_owned(), "d".to_owned()));
    }
}
