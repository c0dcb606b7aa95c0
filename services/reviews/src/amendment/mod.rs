//! What is known on any day, whatever the state of the class review: a need is recorded, is understood as another need,
//! an observation becomes one, an entry is closed to some. The old is always kept.

mod grpc;
#[cfg(test)]
mod tests;

use chassis_access::{AccessError, Sensitivity};
use chassis_events::outbox;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::InvalidInput;
use chrono::Utc;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::concern::clock::Clock;
use crate::student_review::amend::{self, Touched};
use crate::student_review::entity::{Entry, Step, StudentReview};
use crate::student_review::error::StudentReviewError;
use crate::student_review::{Author, Change, Frame, entries, events, repo};
use crate::taxonomy;
use crate::words::{Origin, Polarity, sensitivity_of_code};

/// Use cases of amendments.
#[derive(Clone, Debug)]
pub struct Amendments {
    pool: PgPool,
    clock: Clock,
}

/// Another entry that takes an entry's place.
#[derive(Clone, Debug)]
pub struct Replace {
    /// Which review, and the version of the old entry.
    pub change: Change,
    /// Who.
    pub author: Author,
    /// The entry as it was.
    pub former: Uuid,
    /// The need as it is understood now.
    pub need: Entry,
    /// Why; readers of the new entry read it.
    pub reason: String,
}

/// What is replaced by which: the two ways in which a need comes from another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Reclassify,
    Promote,
}

impl Way {
    fn takes(self) -> Polarity {
        match self {
            Self::Reclassify => Polarity::Need,
            Self::Promote => Polarity::Observation,
        }
    }
    fn origin(self) -> Origin {
        match self {
            Self::Reclassify => Origin::Reclassified,
            Self::Promote => Origin::Promoted,
        }
    }
    fn refusal(self) -> StudentReviewError {
        StudentReviewError::NotThat(match self {
            Self::Reclassify => "a need",
            Self::Promote => "an observation",
        })
    }
}

/// The review around an entry and the student's review, as nobody else changes it now; in whatever state.
async fn hold(conn: &mut PgConnection, change: &Change) -> Result<(Frame, StudentReview), StudentReviewError> {
    let denied = || AccessError::Denied { action: change.request.method.to_owned() };
    let frame = repo::frame(conn, change.class_review_id).await?.ok_or_else(denied)?;
    repo::lock(conn, change.class_review_id, change.student_id).await?;
    let review = repo::find(conn, change.class_review_id, change.student_id).await?.ok_or(StudentReviewError::NoStudent)?;
    Ok((frame, review))
}

/// The entry that is changed, where this author sees it and it is as they read it.
fn current<'r>(review: &'r StudentReview, id: Uuid, change: &Change, author: &Author) -> Result<&'r Entry, StudentReviewError> {
    let entry = review.entries.iter().find(|e| e.id == id && author.sight.sees(e)).ok_or(StudentReviewError::NoEntry)?;
    if entry.version != change.expected_version {
        return Err(StudentReviewError::stale());
    }
    if !entry.stands() {
        return Err(StudentReviewError::Superseded);
    }
    Ok(entry)
}

fn find(review: StudentReview, id: Uuid) -> Result<Entry, StudentReviewError> {
    review.entries.into_iter().find(|e| e.id == id).ok_or(StudentReviewError::NoEntry)
}

impl Amendments {
    /// On this database.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// The class review of the student's latest review in a school year; of those that they have not left, if any.
    pub async fn latest(&self, student_id: Uuid, school_year: i32) -> Result<Uuid, StudentReviewError> {
        let mut conn = self.pool.acquire().await?;
        let latest = sqlx::query_scalar!(
            "select s.class_review_id
             from reviews.student_review s
             join reviews.class_review r using (class_review_id)
             join reviews.review_cycle c using (review_cycle_id)
             where s.student_id = $1 and c.school_year = $2 and r.state not in ('scheduled', 'cancelled')
             order by s.state = 'left', c.opens_on desc, s.class_review_id desc limit 1",
            student_id,
            school_year
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(DbError::from)?;
        latest.ok_or(StudentReviewError::NoReviewYet)
    }

    /// The class review in which a student's entry is.
    pub async fn of_entry(&self, student_id: Uuid, entry_id: Uuid) -> Result<Uuid, StudentReviewError> {
        let mut conn = self.pool.acquire().await?;
        entries::class_review_of(&mut conn, student_id, entry_id).await?.ok_or(StudentReviewError::NoEntry)
    }

    /// Records a need on any day.
    pub async fn record(&self, change: &Change, need: Entry, author: &Author) -> Result<Entry, StudentReviewError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            let stored = entries::find(&mut tx, change.class_review_id, change.student_id, need.id).await?;
            return stored.map(|(entry, _)| entry).ok_or(StudentReviewError::NoEntry);
        }
        if need.polarity != Polarity::Need {
            return Err(InvalidInput::one("entry.polarity", "must be a need").into());
        }
        let (frame, review) = hold(&mut tx, change).await?;
        let need = Entry { author: author.id, ..need };
        if !entries::insert(&mut tx, change.class_review_id, change.student_id, &need).await? {
            return Err(StudentReviewError::stale());
        }
        entries::revise(&mut tx, &review, need.id, author.id, "entry_put", None).await?;
        let next = amend::settle(&mut tx, &self.clock, &frame, &review, Step::Amend, Touched::by(&[&need])).await?;
        tx.commit().await?;
        find(next, need.id)
    }

    /// Gives a need another code. Answers the new entry and the old one.
    pub async fn reclassify(&self, command: &Replace) -> Result<(Entry, Entry), StudentReviewError> {
        self.replace(command, Way::Reclassify).await
    }

    /// Makes a need of an observation.
    pub async fn promote(&self, command: &Replace) -> Result<Entry, StudentReviewError> {
        Ok(self.replace(command, Way::Promote).await?.0)
    }

    async fn replace(&self, command: &Replace, way: Way) -> Result<(Entry, Entry), StudentReviewError> {
        let Replace { change, author, former, need, reason } = command;
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            let mut stored = [None, None];
            for (at, id) in stored.iter_mut().zip([need.id, *former]) {
                *at = entries::find(&mut tx, change.class_review_id, change.student_id, id).await?.map(|(entry, _)| entry);
            }
            let [new, old] = stored;
            return new.zip(old).ok_or(StudentReviewError::NoEntry);
        }
        let (frame, review) = hold(&mut tx, change).await?;
        let former = current(&review, *former, change, author)?;
        if former.polarity != way.takes() {
            return Err(way.refusal());
        }
        if way == Way::Reclassify && former.code == need.code {
            return Err(InvalidInput::one("entry.code", "is the code that the need has; PutEntry changes the rest").into());
        }
        if !author.may_change(former) {
            return Err(StudentReviewError::NotYours);
        }
        let need = Entry { polarity: Polarity::Need, author: author.id, origin: Some(way.origin()), from: Some(former.id), ..need.clone() };
        if !entries::insert(&mut tx, change.class_review_id, change.student_id, &need).await? {
            return Err(StudentReviewError::stale());
        }
        entries::supersede(&mut tx, former.id, former.version, need.id).await?;
        let action = way.origin().word();
        // Of a need that only those on the case know of, the history of what others see does not tell either: for them
        // the old entry was taken out.
        let protected = |e: &Entry| e.sensitivity == Sensitivity::Protected;
        let taken_out = protected(&need) && !protected(former);
        // And what comes from such a one looks as if it had been written as it is.
        let written = protected(former) && !protected(&need);
        entries::revise(&mut tx, &review, former.id, author.id, if taken_out { "entry_removed" } else { action }, None).await?;
        let reason = (!reason.is_empty()).then_some(reason.as_str());
        entries::revise(&mut tx, &review, need.id, author.id, if written { "entry_put" } else { action }, reason).await?;
        let next = amend::settle(&mut tx, &self.clock, &frame, &review, Step::Amend, Touched::by(&[former, &need])).await?;
        let new = next.entries.iter().find(|e| e.id == need.id).cloned().ok_or(StudentReviewError::NoEntry)?;
        outbox::append(&mut tx, &events::reclassified(&frame, &next, former, &new, Utc::now())).await?;
        tx.commit().await?;
        let old = find(next, former.id)?;
        Ok((new, old))
    }

    /// Changes who may see an entry. Answers it as it is now; the caller is shown it only where they still see it.
    pub async fn guard(&self, change: &Change, id: Uuid, sensitivity: Sensitivity, reason: &str, author: &Author) -> Result<Entry, StudentReviewError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &change.request).await? == Claim::Replay {
            let stored = entries::find(&mut tx, change.class_review_id, change.student_id, id).await?;
            return stored.map(|(entry, _)| entry).ok_or(StudentReviewError::NoEntry);
        }
        let (frame, review) = hold(&mut tx, change).await?;
        let entry = current(&review, id, change, author)?;
        if !author.may_change(entry) {
            return Err(StudentReviewError::NotYours);
        }
        let least = taxonomy::get(&entry.code).map(|line| sensitivity_of_code(line.sensitivity)).unwrap_or(Sensitivity::General);
        if sensitivity < least {
            return Err(InvalidInput::one("sensitivity", format!("is at least {} for this code", least.as_str())).into());
        }
        entries::guard(&mut tx, id, entry.version, sensitivity).await?;
        entries::revise(&mut tx, &review, id, author.id, "sensitivity_set", Some(reason)).await?;
        let guarded = Entry { sensitivity, ..entry.clone() };
        let next = amend::settle(&mut tx, &self.clock, &frame, &review, Step::Guard, Touched::by(&[entry, &guarded])).await?;
        tx.commit().await?;
        find(next, id)
    }
}
