//! The issuer's signing key: made at the first start, kept for its owner's eyes.

use std::path::Path;

use anyhow::Context as _;
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::district::secrets::read_or_write;

/// An ES256 key.
pub struct SigningKey {
    key: EncodingKey,
    kid: String,
    public: Jwk,
}

impl SigningKey {
    /// Opens the key in a file, making it where there is none.
    pub fn open_or_create(path: &Path) -> anyhow::Result<Self> {
        let der = read_or_write(path, || {
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| anyhow::anyhow!("no randomness for the issuer's key"))?;
            Ok(document.as_ref().to_vec())
        })?;
        let key = EncodingKey::from_ec_der(&der);
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256)
            .with_context(|| format!("{} does not hold the issuer's key; remove it to have a new one made", path.display()))?;
        let digest = Sha256::digest(serde_json::to_vec(&public.algorithm)?);
        let kid: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_operations = None::<Vec<KeyOperations>>;
        Ok(Self { key, kid, public })
    }

    /// The public half, for `jwks`.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// A signed token.
    pub fn sign(&self, claims: &impl Serialize) -> anyhow::Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).context("the issuer cannot sign")
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    #[test]
    fn what_it_signs_its_public_half_verifies_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("issuer-key");
        let claims = serde_json::json!({ "sub": "a", "aud": "b", "exp": 4_000_000_000_u64 });
        let token = SigningKey::open_or_create(&path).unwrap().sign(&claims).unwrap();
        let again = SigningKey::open_or_create(&path).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["b"]);
        jsonwebtoken::decode::<serde_json::Value>(&token, &DecodingKey::from_jwk(again.public()).unwrap(), &validation).unwrap();
    }
}
