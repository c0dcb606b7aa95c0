//! The issuer tells that a session has ended there: OpenID Connect Back-Channel Logout. It reaches the process that it reaches;
//! another one finds out at the next renewal.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis_access::{ClaimSettings, TokenSettings, TokenVerifier};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::app::Portal;
use crate::settings::PortalSettings;

/// What such a token is known by.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// One that is older is somebody's copy.
const NEWEST_SECONDS: i64 = 300;

/// Believes tokens that the issuer signed for the portal itself.
pub fn verifier(settings: &PortalSettings) -> TokenVerifier {
    TokenVerifier::new(TokenSettings {
        issuer: settings.issuer_url.clone(),
        audience: settings.client_id.clone(),
        jwks_uri: String::new(),
        clock_skew_seconds: 60,
        claims: ClaimSettings::default(),
    })
}

/// What the issuer posts.
#[derive(Debug, Deserialize)]
pub struct Told {
    #[serde(default)]
    logout_token: String,
}

/// Ends the sessions that it names. Says no more than whether it was understood.
pub async fn ended(State(app): State<Arc<Portal>>, Form(told): Form<Told>) -> Response {
    let Ok(claims) = app.logouts.claims(&told.logout_token, &["iss", "aud"]).await else {
        tracing::warn!("somebody told of a logout with a token that is not the issuer's, or the issuer's keys cannot be read");
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some((subject, sid)) = whose(&claims, chrono::Utc::now().timestamp()) else { return StatusCode::BAD_REQUEST.into_response() };
    let ended = app.sessions.end_of(subject, sid);
    tracing::info!(ended, "the issuer told of a logout");
    StatusCode::OK.into_response()
}

/// Subject and session of a logout token; none where it is something else, such as an ID token.
fn whose(claims: &Map<String, Value>, now: i64) -> Option<(Option<&str>, Option<&str>)> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_logout = claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) && !claims.contains_key("nonce");
    let is_new = claims.get("iat").and_then(Value::as_i64).is_some_and(|at| (now - at).abs() <= NEWEST_SECONDS);
    (is_logout && is_new && (text("sub").is_some() || text("sid").is_some())).then(|| (text("sub"), text("sid")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_fresh_logout_token_ends_anything() {
        let good = json!({ "iat": 1000, "sub": "s", "sid": "x", "events": { EVENT: {} } });
        assert_eq!(whose(good.as_object().unwrap(), 1010), Some((Some("s"), Some("x"))));
        for (name, value) in [("nonce", json!("n")), ("iat", json!(10)), ("iat", Value::Null), ("events", json!({})), ("events", json!(EVENT))] {
            let mut claims = good.clone();
            claims[name] = value;
            assert_eq!(whose(claims.as_object().unwrap(), 1010), None, "{claims}");
        }
        let nobodys = json!({ "iat": 1000, "events": { EVENT: {} } });
        assert_eq!(whose(nobodys.as_object().unwrap(), 1010), None);
    }
}
