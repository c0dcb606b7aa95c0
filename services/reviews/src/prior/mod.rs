//! Entries of a student's latest earlier review: shown to be answered, never carried over without an answer.

pub mod entity;
mod grpc;
pub(crate) mod repo;
#[cfg(test)]
mod tests;

use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::concern::clock::Clock;
use crate::student_review::amend::{self, Touched};
use crate::student_review::entity::{Entry, StudentReview};
use crate::student_review::error::StudentReviewError;
use crate::student_review::sight::Sight;
use crate::student_review::{Author, Change, Frame, entries, open};
use entity::{Answer, Prior};

/// Use cases of prior entries.
#[derive(Clone, Debug)]
pub struct Priors {
    pool: PgPool,
    clock: Clock,
}

impl Priors {
    /// On this database.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// What was noted then, by domain, as far as this reader may see it.
    pub async fn list(&self, class_review_id: Uuid, student_id: Uuid, answered: bool, sight: &Sight) -> Result<Vec<Prior>, DbError> {
        let mut conn = self.pool.acquire().await?;
        let mut priors = repo::list(&mut conn, class_review_id, Some(&[student_id]), answered).await?;
        priors.retain(|prior| sight.sees(&prior.entry));
        Ok(priors)
    }

    /// Answers one of them, or takes the answer back where there is none. Answers the entry that was made of it.
    pub async fn answer(&self, change: &Change, prior_id: Uuid, answer: Option<Answer>, author: &Author) -> Result<Option<Entry>, StudentReviewError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            let Some(id) = answer.as_ref().and_then(Answer::new_id) else { return Ok(None) };
            return Ok(entries::find(&mut tx, change.class_review_id, change.student_id, id).await?.map(|(entry, _)| entry));
        }
        let (frame, review) = open(&mut tx, change).await?;
        review.transition(frame.writing())?;
        let priors = repo::list(&mut tx, change.class_review_id, Some(&[change.student_id]), true).await?;
        let prior = priors.into_iter().find(|p| p.entry.id == prior_id && author.sight.sees(&p.entry)).ok_or(StudentReviewError::NoPrior)?;
        let made = match answer {
            Some(answer) => give(&mut tx, &self.clock, &frame, &review, &prior, answer, author).await?,
            None => {
                take_back(&mut tx, &self.clock, &frame, &review, &prior, author).await?;
                None
            }
        };
        tx.commit().await?;
        Ok(made)
    }
}

async fn give(
    conn: &mut PgConnection,
    clock: &Clock,
    frame: &Frame,
    review: &StudentReview,
    prior: &Prior,
    answer: Answer,
    author: &Author,
) -> Result<Option<Entry>, StudentReviewError> {
    let word = answer.word();
    let new = prior.carried(answer, author.id);
    let new_id = new.as_ref().map(|e| e.id);
    if let Some(new) = &new
        && !entries::insert(conn, review.class_review_id, review.student_id, new).await?
    {
        return Err(StudentReviewError::stale());
    }
    if !repo::insert(conn, review, prior.entry.id, word, new_id, author.id).await? {
        return Err(StudentReviewError::PriorAnswered);
    }
    entries::revise(conn, review, new_id.unwrap_or(prior.entry.id), author.id, "prior_answered", None).await?;
    let next = amend::settle(conn, clock, frame, review, frame.writing(), Touched::by(&[new.as_ref().unwrap_or(&prior.entry)])).await?;
    Ok(next.entries.into_iter().find(|e| Some(e.id) == new_id))
}

async fn take_back(
    conn: &mut PgConnection,
    clock: &Clock,
    frame: &Frame,
    review: &StudentReview,
    prior: &Prior,
    author: &Author,
) -> Result<(), StudentReviewError> {
    if prior.answer.is_none() {
        return Ok(());
    }
    let carried = review.entries.iter().find(|e| Some(e.id) == prior.made);
    match carried {
        Some(entry) => {
            if !author.sight.sees(entry) {
                return Err(StudentReviewError::NoEntry);
            }
            if !entry.stands() {
                return Err(StudentReviewError::Superseded);
            }
            if !author.may_change(entry) {
                return Err(StudentReviewError::NotYours);
            }
            entries::remove(conn, entry.id, entry.version).await?;
            entries::revise(conn, review, entry.id, author.id, "entry_removed", None).await?;
        }
        None => entries::revise(conn, review, prior.entry.id, author.id, "prior_answered", None).await?,
    }
    repo::delete(conn, review, prior.entry.id).await?;
    amend::settle(conn, clock, frame, review, frame.writing(), Touched::by(&[carried.unwrap_or(&prior.entry)])).await?;
    Ok(())
}
