//! To which class and school a class review belongs. That never changes, so it is remembered: the autosave then
//! decides access without asking the database.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chassis_access::Record;
use chassis_pg::DbError;
use sqlx::PgPool;
use uuid::Uuid;

/// Class reviews remembered at the most; then all are forgotten and read again as needed.
const REMEMBERED: usize = 50_000;

/// Where a class review belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Class.
    pub class_id: Uuid,
    /// School.
    pub school_id: Uuid,
}

impl Place {
    /// For a decision.
    pub fn record(self) -> Record {
        Record { classes: BTreeSet::from([self.class_id]), schools: BTreeSet::from([self.school_id]), ..Record::default() }
    }
}

/// Knows places.
#[derive(Clone, Debug)]
pub struct Places {
    pool: PgPool,
    known: Arc<Mutex<HashMap<Uuid, Place>>>,
}

impl Places {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, known: Arc::default() }
    }

    /// The place of a class review; none where there is no such review.
    pub async fn of(&self, class_review_id: Uuid) -> Result<Option<Place>, DbError> {
        if let Some(place) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&class_review_id) {
            return Ok(Some(*place));
        }
        let place = sqlx::query_as!(Place, "select class_id, school_id from reviews.class_review where class_review_id = $1", class_review_id)
            .fetch_optional(&self.pool)
            .await?;
        if let Some(place) = place {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(class_review_id, place);
        }
        Ok(place)
    }
}
