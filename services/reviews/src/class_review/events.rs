//! What class reviews tell the other services.

use chassis_events::Event;
use chassis_rpc::observe::traceparent;
use chrono::{DateTime, Utc};
use proto::reviews::v1 as wire;

use super::Snapshot;
use super::entity::ClassReview;
use crate::app::{CLASS_REVIEW_TOPIC, STUDENT_REVIEW_TOPIC};
use crate::words::{StudentReviewState, time_wire};

/// A class review changed.
pub fn changed(review: &ClassReview, now: DateTime<Utc>) -> Event {
    let message = wire::ClassReviewChanged {
        class_review_id: review.id.to_string(),
        review_cycle_id: review.cycle_id.to_string(),
        class_id: review.class_id.to_string(),
        school_id: review.school_id.to_string(),
        school_year: review.school_year,
        season: review.season.wire(),
        state: review.state.wire(),
        version: review.version,
        time: Some(time_wire(now)),
    };
    Event::new(CLASS_REVIEW_TOPIC, review.id, &message, traceparent())
}

/// A class review was started: it, and every student of its snapshot as pending, so that reports know of how many.
pub fn started(review: &ClassReview, snapshot: &Snapshot, now: DateTime<Utc>) -> Vec<Event> {
    let pending = snapshot.students.iter().map(|(student_id, grade)| {
        let message = wire::StudentReviewChanged {
            class_review_id: review.id.to_string(),
            student_id: student_id.to_string(),
            school_id: review.school_id.to_string(),
            class_id: review.class_id.to_string(),
            school_year: review.school_year,
            season: review.season.wire(),
            state: StudentReviewState::Pending.wire(),
            version: 1,
            time: Some(time_wire(now)),
            grade: grade.clone(),
            review_cycle_id: review.cycle_id.to_string(),
            ..Default::default()
        };
        Event::new(STUDENT_REVIEW_TOPIC, student_id, &message, traceparent())
    });
    std::iter::once(changed(review, now)).chain(pending).collect()
}
