//! What entries written in a transaction bring about for their review: its state and version, and what is told.
//!
//! A protected entry moves nothing that others see: neither state nor version, and nothing on the open topics.

use chassis_access::Sensitivity;
use chassis_events::outbox;
use chrono::Utc;
use sqlx::PgConnection;

use super::entity::{Entry, Step, StudentReview};
use super::error::StudentReviewError;
use super::{Frame, Put, entries, events, repo};
use crate::concern;
use crate::concern::clock::Clock;
use crate::words::StudentReviewState;

/// What entries of which kind were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Some that are not protected.
    pub open: bool,
    /// Some that are.
    pub protected: bool,
}

impl Touched {
    /// By these entries, as they were before and as they are now.
    pub fn by(entries: &[&Entry]) -> Self {
        let protected = |e: &&&Entry| e.sensitivity == Sensitivity::Protected;
        Self { open: !entries.iter().all(|e| protected(&e)), protected: entries.iter().any(|e| protected(&e)) }
    }
}

/// Takes the step, as far as others may see it, and tells of it where the review is no longer being written. Answers
/// the review as it is then.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    clock: &Clock,
    frame: &Frame,
    before: &StudentReview,
    step: Step,
    touched: Touched,
) -> Result<StudentReview, StudentReviewError> {
    let any_day = step == Step::Amend;
    let stepped = before.transition(step)?;
    let mut next = if touched.open { stepped } else { before.clone() };
    let begun = matches!(before.state, StudentReviewState::Pending | StudentReviewState::InProgress);
    if begun {
        // Entries have versions of their own, and completing tells of them all.
        next.version = before.version;
    } else if touched.protected {
        next.protected_changes += 1;
    }
    if next != *before {
        entries::advance(conn, before, &next).await?;
    }
    let next = repo::find(conn, before.class_review_id, before.student_id).await?.ok_or(StudentReviewError::NoStudent)?;
    let now = Utc::now();
    if any_day || !begun {
        let whose = concern::Whose { student_id: next.student_id, school_id: frame.school_id, school_year: frame.school_year };
        concern::raise_for_urgent(conn, clock, whose, &next.entries, now).await?;
    }
    if !begun {
        let open = touched.open.then(|| events::changed(frame, &next, now));
        let protected = touched.protected.then(|| events::protected_needs(frame, &next, now));
        let told: Vec<_> = open.into_iter().chain(protected).collect();
        outbox::append_all(conn, &told).await?;
    }
    Ok(next)
}

/// Writes an entry into a review that was done already. `former` is the entry as it was, none where it is new.
pub(super) async fn put(
    conn: &mut PgConnection,
    clock: &Clock,
    frame: &Frame,
    review: &StudentReview,
    command: &Put,
    former: Option<Entry>,
) -> Result<Entry, StudentReviewError> {
    let mut touching = vec![&command.entry];
    match &former {
        Some(former) => {
            entries::change(conn, &command.entry, former.version).await?;
            touching.push(former);
        }
        None => {
            let entry = Entry { author: command.author.id, ..command.entry.clone() };
            if !entries::insert(conn, review.class_review_id, review.student_id, &entry).await? {
                return Err(StudentReviewError::stale());
            }
        }
    }
    entries::revise(conn, review, command.entry.id, command.author.id, "entry_put", None).await?;
    let next = settle(conn, clock, frame, review, frame.writing(), Touched::by(&touching)).await?;
    next.entries.into_iter().find(|e| e.id == command.entry.id).ok_or(StudentReviewError::NoEntry)
}
