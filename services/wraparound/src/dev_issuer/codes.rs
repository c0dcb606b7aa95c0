//! Authorization codes: short-lived, used once, bound to who asked and to their PKCE challenge.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::claims::Identity;

const LIFETIME: Duration = Duration::from_secs(60);
const MOST: usize = 10_000;

/// What a code was given for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who signed in.
    pub who: Identity,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// PKCE challenge (S256).
    pub challenge: String,
    /// Nonce for the ID token.
    pub nonce: Option<String>,
}

/// Codes that are out.
#[derive(Debug, Default)]
pub struct Codes {
    out: Mutex<HashMap<String, (Instant, Grant)>>,
}

impl Codes {
    /// Gives a code out; none when too many are.
    pub fn give(&self, grant: Grant) -> Option<String> {
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        out.retain(|_, (at, _)| at.elapsed() < LIFETIME);
        if out.len() >= MOST {
            return None;
        }
        let code = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        out.insert(code.clone(), (Instant::now(), grant));
        Some(code)
    }

    /// Takes a code back for what it was given for: once, in time, to whoever holds the verifier.
    pub fn take(&self, code: &str, redirect_uri: &str, verifier: &str) -> Option<Grant> {
        let (at, grant) = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(code)?;
        let sound = at.elapsed() < LIFETIME && grant.redirect_uri == redirect_uri && grant.challenge == challenge_of(verifier);
        sound.then_some(grant)
    }
}

/// The S256 challenge of a verifier (RFC 7636).
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfc_example_holds() {
        assert_eq!(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_code_is_good_once_and_only_with_its_verifier() {
        let codes = Codes::default();
        let grant = || Grant { who: Identity::default(), redirect_uri: "r".to_owned(), challenge: challenge_of("v"), nonce: None };
        let code = codes.give(grant()).unwrap();
        assert!(codes.take(&code, "r", "v").is_some());
        assert!(codes.take(&code, "r", "v").is_none());
        for (redirect, verifier) in [("other", "v"), ("r", "other")] {
            let code = codes.give(grant()).unwrap();
            assert!(codes.take(&code, redirect, verifier).is_none());
        }
    }
}
