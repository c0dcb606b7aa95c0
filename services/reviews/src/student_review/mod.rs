//! One student's review within a class review: entries, the tier, done or not, and its history.

pub(crate) mod amend;
pub mod entity;
pub(crate) mod entries;
pub mod error;
pub(crate) mod events;
pub(crate) mod grpc;
pub mod history;
pub(crate) mod input;
pub mod leavers;
mod put;
pub(crate) mod repo;
pub mod sight;
#[cfg(test)]
pub(crate) mod tests;

use chassis_access::{AccessError, Sensitivity};
use chassis_events::outbox;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::PageRequest;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::class_review::entity::Overview;
use crate::concern::{self, clock::Clock};
use crate::taxonomy::Domain;
use crate::tier::rule::Tier;
use crate::tier::{self, Assignment};
use crate::words::{ClassReviewState, Season};
use crate::{class_review, prior};
use amend::Touched;
use entity::{Entry, Step, StudentReview, suggest};
use error::StudentReviewError;
use sight::Sight;

/// The class review around a student's review.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Class review.
    pub class_review_id: Uuid,
    /// Its state.
    pub state: ClassReviewState,
    /// Class.
    pub class_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// Cycle.
    pub cycle_id: Uuid,
    /// School year.
    pub school_year: i32,
    /// Season.
    pub season: Season,
    /// Whether it was complete once: what is written now is an amendment.
    pub reopened: bool,
    /// What the cycle asks for beyond domains, tier and strength.
    pub required_fields: Vec<String>,
}

impl Frame {
    /// What writing is in this class review.
    pub fn writing(&self) -> Step {
        Step::Write { reopened: self.reopened }
    }
}

/// Which review is changed, from which version.
#[derive(Clone, Debug)]
pub struct Change {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Class review.
    pub class_review_id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// The version read: the entry's where an entry is changed, else the review's.
    pub expected_version: i64,
}

/// Who writes.
#[derive(Clone, Debug, Default)]
pub struct Author {
    /// Staff id.
    pub id: Uuid,
    /// What they see.
    pub sight: Sight,
    /// Teachers change only what they wrote; coordinators and the support team also what others wrote.
    pub may_change_others: bool,
}

impl Author {
    pub(crate) fn may_change(&self, entry: &Entry) -> bool {
        self.may_change_others || entry.author == self.id
    }
}

/// An entry to be written.
#[derive(Clone, Debug)]
pub struct Put {
    /// Which review.
    pub change: Change,
    /// Who.
    pub author: Author,
    /// The entry; its version, author and times are not looked at.
    pub entry: Entry,
}

/// What is not an entry.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Domains without concern.
    pub no_concern: Vec<Domain>,
    /// Tier.
    pub assigned_tier: Option<Tier>,
    /// Why it differs.
    pub tier_reason: String,
    /// Words for `other`.
    pub tier_reason_text: String,
    /// Why no strength was noted.
    pub no_strength_reason: String,
}

/// Use cases of student reviews.
#[derive(Clone, Debug)]
pub struct StudentReviews {
    pool: PgPool,
    clock: Clock,
}

/// The class review, which must be under way, and the student's review in it, as nobody else changes it now.
pub(crate) async fn open(conn: &mut PgConnection, change: &Change) -> Result<(Frame, StudentReview), StudentReviewError> {
    let denied = || AccessError::Denied { action: change.request.method.to_owned() };
    let frame = repo::frame(conn, change.class_review_id).await?.ok_or_else(denied)?;
    if frame.state != ClassReviewState::InProgress {
        return Err(StudentReviewError::ClassReview(frame.state));
    }
    repo::lock(conn, change.class_review_id, change.student_id).await?;
    let review = repo::find(conn, change.class_review_id, change.student_id).await?.ok_or(StudentReviewError::NoStudent)?;
    Ok((frame, review))
}

/// The entries of the latest review in which anything was written of a student; none where there is none.
pub(crate) async fn latest_entries(conn: &mut PgConnection, student_id: Uuid) -> Result<Vec<Entry>, DbError> {
    let Some(class_review_id) = repo::latest(conn, student_id).await? else { return Ok(Vec::new()) };
    Ok(repo::find(conn, class_review_id, student_id).await?.map(|review| review.entries).unwrap_or_default())
}

impl StudentReviews {
    /// On this database.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// One student's review with every entry; the caller is shown what they may see of it.
    pub async fn get(&self, class_review_id: Uuid, student_id: Uuid) -> Result<StudentReview, StudentReviewError> {
        let mut conn = self.pool.acquire().await?;
        repo::find(&mut conn, class_review_id, student_id).await?.ok_or(StudentReviewError::NoStudent)
    }

    /// A class review and all its students.
    pub async fn of_class_review(&self, action: &str, id: Uuid) -> Result<(Overview, Vec<StudentReview>), StudentReviewError> {
        let mut conn = self.pool.acquire().await?;
        let overview = class_review::repo::find(&mut conn, id).await?.ok_or_else(|| AccessError::Denied { action: action.to_owned() })?;
        Ok((overview, repo::of_class_review(&mut conn, id, None).await?))
    }

    /// Adds or changes an entry.
    pub async fn put(&self, command: &Put) -> Result<Entry, StudentReviewError> {
        put::put(&self.pool, &self.clock, command).await
    }

    /// Takes an entry out.
    pub async fn remove(&self, change: &Change, entry_id: Uuid, author: &Author) -> Result<(), StudentReviewError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            return Ok(());
        }
        let (frame, review) = open(&mut tx, change).await?;
        review.transition(frame.writing())?;
        let entry = review.entries.iter().find(|e| e.id == entry_id && author.sight.sees(e)).ok_or(StudentReviewError::NoEntry)?;
        if entry.version != change.expected_version {
            return Err(StudentReviewError::stale());
        }
        if !author.may_change(entry) {
            return Err(StudentReviewError::NotYours);
        }
        if !entry.stands() {
            return Err(StudentReviewError::Superseded);
        }
        entries::remove(&mut tx, entry_id, entry.version).await?;
        entries::revise(&mut tx, &review, entry_id, author.id, "entry_removed", None).await?;
        // Where it answered an entry of an earlier review, that one is open again.
        prior::repo::forget(&mut tx, change.class_review_id, change.student_id, entry_id).await?;
        amend::settle(&mut tx, &self.clock, &frame, &review, frame.writing(), Touched::by(&[entry])).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets what is not an entry.
    pub async fn update(&self, change: &Change, decision: Decision, author: &Author) -> Result<StudentReview, StudentReviewError> {
        self.change(change, author, "updated", |frame, review| {
            let mut next = review.transition(frame.writing())?;
            next.no_concern = decision.no_concern;
            next.assigned_tier = decision.assigned_tier;
            next.tier_reason = decision.tier_reason;
            next.tier_reason_text = decision.tier_reason_text;
            next.no_strength_reason = decision.no_strength_reason;
            let told = next.is_reviewed();
            Ok((next, Effects { told, ..Effects::default() }))
        })
        .await
    }

    /// Marks a student reviewed and assigns the tier.
    pub async fn complete(&self, change: &Change, author: &Author) -> Result<StudentReview, StudentReviewError> {
        self.change(change, author, "completed", |frame, review| {
            let next = review.transition(Step::Complete { gaps: review.gaps(&frame.required_fields, |e| author.sight.sees(e)) })?;
            let tier = next.assigned_tier.map(|tier| {
                // Protected needs stay out of what is kept and published as the suggestion: it would tell of them.
                let told = next.entries.iter().filter(|e| e.sensitivity != Sensitivity::Protected && author.sight.sees(e));
                Assignment::of_review(frame, &next, tier, suggest(told).tier, author.id, Utc::now())
            });
            Ok((next, Effects { told: true, tier, completed: true }))
        })
        .await
    }

    /// Marks a student not reviewed.
    pub async fn skip(&self, change: &Change, reason: String, author: &Author) -> Result<StudentReview, StudentReviewError> {
        self.change(change, author, "skipped", |_, review| Ok((review.transition(Step::Skip { reason })?, Effects::told()))).await
    }

    /// Takes "reviewed" or "not reviewed" back.
    pub async fn reopen(&self, change: &Change, author: &Author) -> Result<StudentReview, StudentReviewError> {
        self.change(change, author, "reopened", |frame, review| Ok((review.transition(Step::Reopen { reopened: frame.reopened })?, Effects::told()))).await
    }

    /// The one shape of every write here but the autosave.
    async fn change(
        &self,
        change: &Change,
        author: &Author,
        action: &str,
        step: impl FnOnce(&Frame, &StudentReview) -> Result<(StudentReview, Effects), StudentReviewError> + Send,
    ) -> Result<StudentReview, StudentReviewError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            return repo::find(&mut tx, change.class_review_id, change.student_id).await?.ok_or(StudentReviewError::NoStudent);
        }
        let (frame, review) = open(&mut tx, change).await?;
        if review.version != change.expected_version {
            return Err(StudentReviewError::stale());
        }
        let (next, effects) = step(&frame, &review)?;
        repo::update(&mut tx, &next, author.id, action).await?;
        if effects.completed {
            let whose = concern::Whose { student_id: next.student_id, school_id: frame.school_id, school_year: frame.school_year };
            concern::raise_for_urgent(&mut tx, &self.clock, whose, &next.entries, Utc::now()).await?;
        }
        effects.write(&mut tx, &frame, &next, Utc::now()).await?;
        tx.commit().await?;
        Ok(next)
    }

    /// What was written, newest first.
    pub async fn history(
        &self,
        class_review_id: Uuid,
        student_id: Uuid,
        sight: &Sight,
        page: &PageRequest<i64>,
    ) -> Result<Vec<history::Revision>, StudentReviewError> {
        let mut conn = self.pool.acquire().await?;
        Ok(history::list(&mut conn, class_review_id, student_id, sight, page).await?)
    }
}

/// What a change brings about beyond the row itself.
#[derive(Debug, Default)]
struct Effects {
    told: bool,
    tier: Option<Assignment>,
    completed: bool,
}

impl Effects {
    fn told() -> Self {
        Self { told: true, ..Self::default() }
    }

    async fn write(self, conn: &mut PgConnection, frame: &Frame, review: &StudentReview, now: DateTime<Utc>) -> Result<(), StudentReviewError> {
        let mut told = Vec::new();
        if self.told {
            told.push(events::changed(frame, review, now));
        }
        if self.completed && repo::had_protected_needs(conn, frame.class_review_id, review.student_id).await? {
            told.push(events::protected_needs(frame, review, now));
        }
        if let Some(assignment) = self.tier {
            tier::repo::insert(conn, &assignment).await?;
            told.push(tier::events::assigned(&assignment));
        }
        Ok(outbox::append_all(conn, &told).await?)
    }
}
