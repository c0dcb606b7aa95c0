//! Tokens that must not be believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use integration_tests::tokens::{Claims, Tokens};
use serde_json::json;
use tonic::Code;

use super::matrix::{call, every_call};
use crate::house::house;

fn encoded(value: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The same token with other claims under the old signature.
fn tampered(tokens: &Tokens, claims: &Claims) -> String {
    let token = tokens.mint(claims);
    let parts: Vec<&str> = token.split('.').collect();
    let grander = Claims { roles: vec!["program_manager".to_owned()], ..claims.clone() };
    format!("{}.{}.{}", parts[0], encoded(&tokens.payload(&grander)), parts[2])
}

/// Tokens of a data clerk, each wrong in its own way, with the reason that the answer gives.
fn wrong_tokens(tokens: &Tokens) -> Vec<(&'static str, String, &'static str)> {
    let clerk = Claims::role("data_clerk");
    let payload = encoded(&tokens.payload(&clerk));
    let unsigned = encoded(&json!({ "alg": "none", "typ": "JWT", "kid": tokens.public()["kid"] }));
    let foreign_key = encoded(&json!({ "alg": "ES256", "typ": "JWT", "kid": "another" }));
    let good = tokens.mint(&clerk);
    let signature = good.rsplit('.').next().unwrap().to_owned();
    vec![
        ("no token", String::new(), "TOKEN_MISSING"),
        ("not a token", "abc".to_owned(), "TOKEN_INVALID"),
        ("expired", tokens.mint(&Claims { lasts: -120, ..clerk.clone() }), "TOKEN_INVALID"),
        ("for another audience", tokens.mint(&Claims { audience: "another".to_owned(), ..clerk.clone() }), "TOKEN_INVALID"),
        ("of another issuer", tokens.mint(&Claims { issuer: Some("https://issuer.example".to_owned()), ..clerk.clone() }), "TOKEN_INVALID"),
        ("tampered", tampered(tokens, &clerk), "TOKEN_INVALID"),
        ("unsigned", format!("{unsigned}.{payload}."), "TOKEN_INVALID"),
        ("unsigned but with a signature", format!("{unsigned}.{payload}.{signature}"), "TOKEN_INVALID"),
        ("signed with the public key as a secret", tokens.mint_with_public_key(&clerk), "TOKEN_INVALID"),
        ("of an unknown key", format!("{foreign_key}.{payload}.{signature}"), "TOKEN_INVALID"),
    ]
}

#[tokio::test]
async fn wrong_tokens_are_refused_by_every_service() {
    let house = house().await;
    let calls = every_call(house).await;
    let tokens = house.district.tokens();
    // One call a service for each of them, and all calls for the one without.
    for (what, token, reason) in wrong_tokens(tokens) {
        let mut seen = "";
        for (service, path, _) in &calls {
            if !token.is_empty() && std::mem::replace(&mut seen, service) == *service {
                continue;
            }
            let refused = call(&house.district.channel(service), path, &token).await.expect_err(what);
            assert_eq!((refused.code(), chassis_rpc::fault::reason_of(&refused).as_deref()), (Code::Unauthenticated, Some(reason)), "{path}: {what}");
            assert!(token.is_empty() || !refused.message().contains(&token), "{path} repeats the token");
        }
    }
}

#[tokio::test]
async fn a_little_clock_skew_is_forgiven() {
    let house = house().await;
    let token = house.district.tokens().mint(&Claims { lasts: -20, ..Claims::role("data_clerk") });
    call(&house.district.channel("rosters"), "/wraparound.rosters.v1.ImportService/ListImportRuns", &token).await.unwrap();
}
