//! OpenID Connect bearer tokens: signature by the issuer's keys, issuer, audience, times with some clock skew.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chassis_rpc::{Fault, Kind};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, RwLock};

use crate::claims::{ClaimSettings, Said};

/// Whom to believe.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenSettings {
    /// `iss` of the tokens, and where discovery is found.
    pub issuer: String,
    /// `aud` of the tokens.
    pub audience: String,
    /// Where the keys are; found by discovery where empty.
    pub jwks_uri: String,
    /// How far clocks may be apart.
    pub clock_skew_seconds: u64,
    /// Which claim holds what.
    #[serde(flatten)]
    pub claims: ClaimSettings,
}

/// What a token says of its bearer.
#[derive(Clone, Debug)]
pub struct Claims {
    /// `sub`.
    pub subject: String,
    /// What we read in it.
    pub said: Said,
    expires: u64,
}

/// Why a token is not taken. Never holds the token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No bearer token came.
    #[error("sign in: the call carries no bearer token")]
    Missing,
    /// It is not valid.
    #[error("the bearer token is not valid: {0}")]
    Invalid(&'static str),
    /// The issuer does not answer.
    #[error("the issuer's keys cannot be read")]
    Issuer(#[source] reqwest::Error),
}

impl Fault for TokenError {
    fn kind(&self) -> Kind {
        match self {
            Self::Issuer(_) => Kind::Unavailable,
            _ => Kind::Unauthenticated,
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Invalid(_) => "TOKEN_INVALID",
            Self::Issuer(_) => "ISSUER_UNAVAILABLE",
        }
    }
}

/// Unknown key ids make us ask the issuer again, at most this often.
const REFRESH: Duration = Duration::from_secs(10);
/// Verified tokens that are remembered.
const REMEMBERED: usize = 10_000;

/// Verifies tokens; keeps the issuer's keys and, until they expire, the tokens it has verified.
pub struct TokenVerifier {
    settings: TokenSettings,
    http: reqwest::Client,
    keys: RwLock<Keys>,
    refreshing: Mutex<()>,
    verified: std::sync::Mutex<HashMap<[u8; 32], Arc<Claims>>>,
}

#[derive(Default)]
struct Keys {
    set: Option<JwkSet>,
    read: Option<Instant>,
}

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

impl TokenVerifier {
    /// A verifier; asks the issuer at the first token.
    pub fn new(settings: TokenSettings) -> Self {
        // Building a client fails only where no TLS provider is installed, which boot does first.
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap_or_default();
        Self { settings, http, keys: RwLock::default(), refreshing: Mutex::new(()), verified: std::sync::Mutex::default() }
    }

    /// Verifies a token and answers its claims.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        use sha2::{Digest as _, Sha256};
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0);
        let known = self.verified.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&digest).cloned();
        if let Some(claims) = known
            && claims.expires + self.settings.clock_skew_seconds > now
        {
            return Ok(claims);
        }
        let claims = Arc::new(self.decode(token).await?);
        let mut verified = self.verified.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.retain(|_, c| c.expires > now);
            if verified.len() >= REMEMBERED {
                verified.clear();
            }
        }
        verified.insert(digest, claims.clone());
        Ok(claims)
    }

    async fn decode(&self, token: &str) -> Result<Claims, TokenError> {
        let claims = self.claims(token, &["exp", "iss", "aud", "sub"]).await?;
        Ok(Claims {
            subject: claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned(),
            said: self.settings.claims.read(&claims).map_err(TokenError::Invalid)?,
            expires: claims.get("exp").and_then(Value::as_u64).unwrap_or(0),
        })
    }

    /// The claims of any token that the issuer signed for our audience, such as one that tells of a logout. Not remembered. `required`
    /// are those that must be there among `exp`, `iss`, `aud` and `sub`.
    pub async fn claims(&self, token: &str, required: &[&str]) -> Result<Map<String, Value>, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid("it is not a signed JWT"))?;
        // Symmetric algorithms would turn the public key into a secret.
        if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
            return Err(TokenError::Invalid("its algorithm is not asymmetric"));
        }
        let kid = header.kid.ok_or(TokenError::Invalid("it names no key"))?;
        let key = self.key(&kid).await?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = self.settings.clock_skew_seconds;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(required);
        jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|error| {
                use jsonwebtoken::errors::ErrorKind;
                TokenError::Invalid(match error.kind() {
                    ErrorKind::ExpiredSignature => "it has expired",
                    ErrorKind::ImmatureSignature => "it is not valid yet",
                    ErrorKind::InvalidIssuer => "it is from another issuer",
                    ErrorKind::InvalidAudience => "it is for another audience",
                    ErrorKind::MissingRequiredClaim(_) => "a required claim is missing",
                    _ => "its signature or form is wrong",
                })
            })
            .map(|decoded| decoded.claims)
    }

    async fn key(&self, kid: &str) -> Result<DecodingKey, TokenError> {
        for attempt in 0..2 {
            {
                let keys = self.keys.read().await;
                if let Some(jwk) = keys.set.as_ref().and_then(|set| set.find(kid)) {
                    return DecodingKey::from_jwk(jwk).map_err(|_| TokenError::Invalid("the issuer's key is of no use"));
                }
                if attempt == 1 || keys.read.is_some_and(|at| at.elapsed() < REFRESH) {
                    break;
                }
            }
            let _one = self.refreshing.lock().await;
            let stale = self.keys.read().await.read.is_none_or(|at| at.elapsed() >= REFRESH);
            if stale {
                let set = self.fetch().await.map_err(TokenError::Issuer)?;
                *self.keys.write().await = Keys { set: Some(set), read: Some(Instant::now()) };
            }
        }
        Err(TokenError::Invalid("its key is not one of the issuer's"))
    }

    async fn fetch(&self) -> Result<JwkSet, reqwest::Error> {
        let uri = if self.settings.jwks_uri.is_empty() {
            let discovery = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
            self.http.get(discovery).send().await?.error_for_status()?.json::<Discovery>().await?.jwks_uri
        } else {
            self.settings.jwks_uri.clone()
        };
        self.http.get(uri).send().await?.error_for_status()?.json().await
    }
}
