//! Tokens for anybody, signed with the key of a district's development issuer, right or wrong as a test needs them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a token says of its bearer.
#[derive(Clone, Debug)]
pub struct Claims {
    /// `sub`.
    pub subject: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Schools at which they hold; the whole district where None.
    pub school_ids: Option<Vec<String>>,
    /// Roster id of a member of staff.
    pub staff_id: Option<String>,
    /// Organisation outside the district.
    pub organisation_id: Option<String>,
    /// When it ends, in seconds from now; may be past.
    pub lasts: i64,
    /// `aud`.
    pub audience: String,
    /// `iss`; the district's own where None.
    pub issuer: Option<String>,
}

impl Claims {
    /// Somebody with one role.
    pub fn role(role: &str) -> Self {
        Self { roles: vec![role.to_owned()], ..Self::nobody(&format!("test:{role}")) }
    }

    /// A member of staff with the roles that the roster gives them.
    pub fn staff(staff_id: &str) -> Self {
        Self { staff_id: Some(staff_id.to_owned()), ..Self::nobody(&format!("staff:{staff_id}")) }
    }

    /// A partner's own system.
    pub fn partner(organisation_id: &str) -> Self {
        Self { organisation_id: Some(organisation_id.to_owned()), ..Self::role("partner_system") }.named(&format!("partner:{organisation_id}"))
    }

    /// Only at these schools.
    #[must_use]
    pub fn at(self, school_ids: &[&str]) -> Self {
        Self { school_ids: Some(school_ids.iter().map(|id| (*id).to_owned()).collect()), ..self }
    }

    /// With this subject.
    #[must_use]
    pub fn named(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }

    fn nobody(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            roles: vec![],
            school_ids: None,
            staff_id: None,
            organisation_id: None,
            lasts: 3600,
            audience: "wraparound".to_owned(),
            issuer: None,
        }
    }
}

/// Signs tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    issuer: String,
    key: Vec<u8>,
    public: Value,
}

impl Tokens {
    /// With the key of a running development issuer.
    ///
    /// # Panics
    /// When it does not answer or its key is not where it should be.
    pub async fn of(data_dir: &Path, issuer: &str) -> Self {
        chassis_boot::run::install_crypto();
        let path = data_dir.join("secrets/issuer-key");
        let key = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let answer = async { reqwest::get(format!("{issuer}/jwks")).await?.error_for_status()?.json::<Value>().await };
        let keys = answer.await.unwrap_or_else(|error| panic!("the development issuer does not tell its keys: {error}"));
        Self { issuer: issuer.to_owned(), key, public: keys["keys"][0].clone() }
    }

    /// A token as the issuer would sign it.
    ///
    /// # Panics
    /// When the key is of no use.
    pub fn mint(&self, claims: &Claims) -> String {
        self.encode(Algorithm::ES256, &EncodingKey::from_ec_der(&self.key), claims)
    }

    /// A token that takes the issuer's public key for a secret, which a careless verifier would believe.
    pub fn mint_with_public_key(&self, claims: &Claims) -> String {
        self.encode(Algorithm::HS256, &EncodingKey::from_secret(self.public.to_string().as_bytes()), claims)
    }

    /// The published key.
    pub fn public(&self) -> &Value {
        &self.public
    }

    /// The payload of a token for these claims.
    pub fn payload(&self, claims: &Claims) -> Value {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())).unwrap_or(0);
        let mut payload = json!({
            "iss": claims.issuer.as_ref().unwrap_or(&self.issuer),
            "aud": claims.audience,
            "sub": claims.subject,
            "iat": now,
            "exp": now + claims.lasts,
            "jti": Uuid::now_v7().to_string(),
            "roles": claims.roles,
        });
        for (name, value) in [("staff_id", &claims.staff_id), ("organisation_id", &claims.organisation_id)] {
            if let Some(value) = value {
                payload[name] = value.as_str().into();
            }
        }
        if let Some(schools) = &claims.school_ids {
            payload["school_ids"] = schools.clone().into();
        }
        payload
    }

    fn encode(&self, algorithm: Algorithm, key: &EncodingKey, claims: &Claims) -> String {
        let header = Header { kid: self.public["kid"].as_str().map(str::to_owned), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, &self.payload(claims), key).unwrap_or_else(|error| panic!("cannot sign: {error}"))
    }
}
