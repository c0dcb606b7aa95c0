//! Who a token means when it does not hold our id of a member of staff: the roster sends a digest of each id that its
//! file knows them by, and here the digest of the token's id is looked for.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chassis_pg::DbError;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

/// As long as relationships are believed.
const FRESH: Duration = Duration::from_secs(3);
const REMEMBERED: usize = 20_000;

/// What a digest is made of: an id without the blanks around it, its ASCII letters small. Letters beyond are left as they
/// are, because the databases that make these digests, too, fold them by their own language.
pub fn key_of(id: &str) -> [u8; 32] {
    Sha256::digest(id.trim_matches([' ', '\t', '\r', '\n']).to_ascii_lowercase().as_bytes()).into()
}

/// Looks up who it is.
pub(crate) struct SignInKeys {
    pool: PgPool,
    held: Mutex<HashMap<[u8; 32], (Instant, Uuid)>>,
}

impl SignInKeys {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, held: Mutex::default() }
    }

    /// The one member of staff whom the roster knows by this id. None where it knows none, or several.
    pub(crate) async fn staff_of(&self, id: &str) -> Result<Option<Uuid>, DbError> {
        let key = key_of(id);
        let asked = Instant::now();
        if let Some((until, staff)) = self.held().get(&key)
            && *until > asked
        {
            return Ok(Some(*staff));
        }
        let found: Vec<Uuid> = sqlx::query_scalar("select staff_id from sign_in_key where key = $1 limit 2").bind(key.as_slice()).fetch_all(&self.pool).await?;
        let [staff] = found[..] else {
            if !found.is_empty() {
                tracing::warn!(
                    "a token's staff id is that of several members of staff, so it stands for none; auth.staff_id_claim should name a claim that is unique"
                );
            }
            return Ok(None);
        };
        let mut held = self.held();
        if held.len() >= REMEMBERED {
            held.retain(|_, (until, _)| *until > asked);
        }
        // Who is not there yet may arrive in a moment; only who is there is remembered.
        if held.len() < REMEMBERED {
            held.insert(key, (asked + FRESH, staff));
        }
        Ok(Some(staff))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], (Instant, Uuid)>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_however_it_is_written() {
        assert_eq!(key_of(" A.Reyes@District.example\n"), key_of("a.reyes@district.example"));
        assert_ne!(key_of("a.reyes@district.example"), key_of("areyes@district.example"));
        assert_ne!(key_of("Ä"), key_of("ä"), "as the databases do it");
    }
}
