//! Who is on an open class review: students who joined the class since the snapshot are added, leavers become left.

use std::collections::HashMap;

use chassis_access::AccessError;
use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Overview, WrongStep};
use super::error::ClassReviewError;
use super::{ClassReviews, Snapshot, repo};
use crate::student_review::entity::{Step, StudentReview};
use crate::student_review::{self, Frame};
use crate::words::ClassReviewState;

/// What became of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// As stored.
    pub overview: Overview,
    /// How many were added now.
    pub added: usize,
    /// How many left now.
    pub left: usize,
}

/// Whether students may come and go.
pub(crate) fn is_open(state: ClassReviewState) -> bool {
    matches!(state, ClassReviewState::InProgress | ClassReviewState::Paused)
}

/// Adds students to an open review, and tells of them. Answers how many were not there.
pub(crate) async fn add(conn: &mut PgConnection, frame: &Frame, joined: &[(Uuid, String)]) -> Result<usize, DbError> {
    if joined.is_empty() {
        return Ok(0);
    }
    let added = repo::add_students(conn, frame.class_review_id, joined).await?;
    let now = Utc::now();
    let reviews = student_review::repo::of_class_review(conn, frame.class_review_id, Some(&added)).await?;
    let told: Vec<Event> = reviews.iter().map(|review| student_review::events::changed(frame, review, now)).collect();
    outbox::append_all(conn, &told).await?;
    Ok(added.len())
}

/// Lets a student leave or come back; false where the review stays as it is, because it is done.
pub(crate) async fn move_student(conn: &mut PgConnection, frame: &Frame, review: &StudentReview, step: Step) -> Result<bool, DbError> {
    let action = if step == Step::Return { "returned" } else { "left" };
    let Ok(next) = review.transition(step) else { return Ok(false) };
    student_review::repo::update(conn, &next, Uuid::nil(), action).await?;
    outbox::append(conn, &student_review::events::changed(frame, &next, Utc::now())).await?;
    Ok(true)
}

impl ClassReviews {
    /// Holds an open review against the class as it is now.
    pub async fn refresh(&self, request: &idempotency::Request, id: Uuid, now: &Snapshot) -> Result<Refreshed, ClassReviewError> {
        let gone = || AccessError::Denied { action: request.method.to_owned() };
        let mut tx = self.pool.begin().await?;
        let replay = idempotency::claim(&mut tx, request).await? == Claim::Replay;
        let (mut added, mut left) = (0, 0);
        if !replay {
            repo::lock(&mut tx, id).await?;
            let frame = student_review::repo::frame(&mut tx, id).await?.ok_or_else(gone)?;
            if !is_open(frame.state) {
                return Err(WrongStep::State { state: frame.state, verb: "refreshed" }.into());
            }
            let present: HashMap<Uuid, &String> = now.students.iter().map(|(student, grade)| (*student, grade)).collect();
            let known = student_review::repo::of_class_review(&mut tx, id, None).await?;
            for review in &known {
                student_review::repo::lock(&mut tx, id, review.student_id).await?;
            }
            // Read again under the locks: an autosave may have begun one.
            let known = student_review::repo::of_class_review(&mut tx, id, None).await?;
            for review in &known {
                let here = present.contains_key(&review.student_id);
                let step = if here { Step::Return } else { Step::Leave };
                if move_student(&mut tx, &frame, review, step).await? && !here {
                    left += 1;
                }
            }
            let joined: Vec<(Uuid, String)> = now.students.iter().filter(|(s, _)| known.iter().all(|r| r.student_id != *s)).cloned().collect();
            added = add(&mut tx, &frame, &joined).await?;
        }
        let overview = repo::find(&mut tx, id).await?.ok_or_else(gone)?;
        tx.commit().await?;
        Ok(Refreshed { overview, added, left })
    }
}
