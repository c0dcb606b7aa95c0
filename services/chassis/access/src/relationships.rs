//! What the roster says of a person, a class or a student, kept in each service's own schema and cached for seconds.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chassis_pg::DbError;
use sqlx::PgPool;
use uuid::Uuid;

use crate::policy::Record;

/// Relationships lag behind the roster by the event log anyway; this adds at most as much.
const FRESH: Duration = Duration::from_secs(3);
const REMEMBERED: usize = 20_000;

type Pairs = std::sync::Arc<Vec<(String, Uuid)>>;

/// Reads relationships.
pub struct Relationships {
    pool: PgPool,
    cache: Mutex<HashMap<Uuid, (Instant, Pairs)>>,
}

impl Relationships {
    /// Of the schema that the pool has as its search path.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, cache: Mutex::default() }
    }

    /// (relation, object) of a subject.
    pub async fn of(&self, subject: Uuid) -> Result<Pairs, DbError> {
        let known = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&subject).cloned();
        if let Some((at, pairs)) = known
            && at.elapsed() < FRESH
        {
            return Ok(pairs);
        }
        let pairs: Vec<(String, Uuid)> = sqlx::query_as(
            "select relation, object from relationship where subject = $1
             union all
             select relation, object from relationship_grant where subject = $1 and not revoked and (expires_at is null or expires_at > now())",
        )
        .bind(subject)
        .fetch_all(&self.pool)
        .await?;
        let pairs = Pairs::new(pairs);
        let mut cache = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if cache.len() >= REMEMBERED {
            cache.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        // What is not there yet may arrive in a moment; only what is there is remembered.
        if cache.len() < REMEMBERED && !pairs.is_empty() {
            cache.insert(subject, (Instant::now(), pairs.clone()));
        }
        Ok(pairs)
    }

    /// The classes and schools of a student, for a decision.
    pub async fn record_of_student(&self, student: Uuid) -> Result<Record, DbError> {
        let pairs = self.of(student).await?;
        Ok(Record { classes: objects(&pairs, "member"), schools: objects(&pairs, "attends"), student: Some(student), ..Record::default() })
    }

    /// A class and its school, for a decision.
    pub async fn record_of_class(&self, class: Uuid) -> Result<Record, DbError> {
        let pairs = self.of(class).await?;
        Ok(Record { classes: BTreeSet::from([class]), schools: objects(&pairs, "of"), ..Record::default() })
    }
}

fn objects(pairs: &[(String, Uuid)], relation: &str) -> BTreeSet<Uuid> {
    pairs.iter().filter(|(r, _)| r == relation).map(|(_, o)| *o).collect()
}
