//! Measured minutes: when somebody was at work, gaps of over two minutes left out.
//!
//! What is written says so by itself, so that the autosave pays nothing; pages say the rest now and then. Protected
//! entries do not count: the minutes must not tell of them.

mod grpc;
pub(crate) mod repo;
#[cfg(test)]
mod tests;

use sqlx::PgPool;
use uuid::Uuid;

use crate::student_review::error::StudentReviewError;

/// The longest gap that counts as work, in seconds.
pub const LONGEST_GAP: i32 = 120;

/// Use cases of activity.
#[derive(Clone, Debug)]
pub struct Activity {
    pool: PgPool,
}

impl Activity {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Notes that somebody is at work, and answers the class's seconds so far. What comes more often than every five
    /// seconds, or while the review is not under way, is passed over.
    pub async fn note(&self, class_review_id: Uuid, student_id: Option<Uuid>, staff_id: Uuid) -> Result<i32, StudentReviewError> {
        let mut conn = self.pool.acquire().await?;
        if let Some(student_id) = student_id
            && !repo::is_on_review(&mut conn, class_review_id, student_id).await?
        {
            return Err(StudentReviewError::NoStudent);
        }
        repo::note(&mut conn, class_review_id, student_id, staff_id).await?;
        let of_class = repo::of_classes(&mut conn, &[class_review_id]).await?;
        Ok(of_class.first().map(|(_, seconds)| *seconds).unwrap_or_default())
    }
}
