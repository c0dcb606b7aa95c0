//! What the roster says of a person, a class or a student, kept in each service's own schema and cached for seconds.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chassis_pg::DbError;
use sqlx::PgPool;
use uuid::Uuid;

use crate::policy::Record;
use crate::sign_in::SignInKeys;

/// Relationships lag behind the roster by the event log anyway; this adds at most as much.
const FRESH: Duration = Duration::from_secs(3);
const REMEMBERED: usize = 20_000;

type Pairs = std::sync::Arc<Vec<(String, Uuid)>>;

/// Reads relationships.
pub struct Relationships {
    pool: PgPool,
    cache: Mutex<Cache>,
    sign_in: SignInKeys,
}

/// What was read, and until when it may be believed. A count of what was forgotten keeps a read that began before from
/// being remembered after.
#[derive(Default)]
struct Cache {
    held: HashMap<Uuid, (Instant, Pairs)>,
    forgotten: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    relation: String,
    object: Uuid,
    /// Seconds for which a grant still holds; none where it has no end.
    lasts: Option<f64>,
}

impl Relationships {
    /// Of the schema that the pool has as its search path.
    pub fn new(pool: PgPool) -> Self {
        Self { sign_in: SignInKeys::new(pool.clone()), pool, cache: Mutex::default() }
    }

    /// The member of staff whom a token means: by our id, or by one that the roster file knows. None where it is nobody's.
    pub async fn staff_of(&self, said: &str) -> Result<Option<Uuid>, DbError> {
        let Ok(id) = said.parse::<Uuid>() else { return self.sign_in.staff_of(said).await };
        // Sources have UUIDs of their own. Ours is the likely one, and known by what the roster says of it.
        if !self.of(id).await?.is_empty() {
            return Ok(Some(id));
        }
        Ok(Some(self.sign_in.staff_of(said).await?.unwrap_or(id)))
    }

    /// (relation, object) of a subject.
    pub async fn of(&self, subject: Uuid) -> Result<Pairs, DbError> {
        let forgotten = {
            let cache = self.cache();
            match cache.held.get(&subject) {
                Some((until, pairs)) if *until > Instant::now() => return Ok(pairs.clone()),
                _ => cache.forgotten,
            }
        };
        let asked = Instant::now();
        let rows: Vec<Row> = sqlx::query_as(
            "select relation, object, null::float8 as lasts from relationship where subject = $1
             union all
             select relation, object, extract(epoch from expires_at - clock_timestamp())::float8 from relationship_grant
             where subject = $1 and not revoked and (expires_at is null or expires_at > clock_timestamp())",
        )
        .bind(subject)
        .fetch_all(&self.pool)
        .await?;
        // Nothing is believed for longer than the grant that ends first.
        let lasts = rows.iter().filter_map(|row| row.lasts).filter_map(|s| Duration::try_from_secs_f64(s).ok()).fold(FRESH, Duration::min);
        let pairs = Pairs::new(rows.into_iter().map(|row| (row.relation, row.object)).collect());
        let mut cache = self.cache();
        if cache.held.len() >= REMEMBERED {
            let now = Instant::now();
            cache.held.retain(|_, (until, _)| *until > now);
        }
        // What is not there yet may arrive in a moment; only what is there is remembered.
        if cache.held.len() < REMEMBERED && !pairs.is_empty() && cache.forgotten == forgotten {
            cache.held.insert(subject, (asked + lasts, pairs.clone()));
        }
        Ok(pairs)
    }

    /// Reads anew of a subject at the next question: for who just changed what it may do.
    pub fn forget(&self, subject: Uuid) {
        let mut cache = self.cache();
        cache.forgotten += 1;
        cache.held.remove(&subject);
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The classes and schools of a student, for a decision.
    pub async fn record_of_student(&self, student: Uuid) -> Result<Record, DbError> {
        let pairs = self.of(student).await?;
        Ok(Record { classes: objects(&pairs, "member"), schools: objects(&pairs, "attends"), about: Some(student), ..Record::default() })
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
