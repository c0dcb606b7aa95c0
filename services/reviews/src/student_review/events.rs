//! What student reviews tell the other services. Protected entries go on their own topic, and only there.

use chassis_access::Sensitivity;
use chassis_events::Event;
use chassis_rpc::observe::traceparent;
use chrono::{DateTime, Utc};
use proto::reviews::v1 as wire;

use super::Frame;
use super::entity::{Entry, StudentReview};
use crate::app::{PROTECTED_NEED_TOPIC, RECLASSIFIED_TOPIC, STUDENT_REVIEW_TOPIC};
use crate::words::{Polarity, certainty_wire, domain_wire, sensitivity_wire, time_wire};

fn fact(entry: &Entry) -> wire::EntryFact {
    wire::EntryFact {
        entry_id: entry.id.to_string(),
        polarity: entry.polarity.wire(),
        code: entry.code.clone(),
        domain: domain_wire(entry.domain),
        severity: i32::from(entry.severity),
        certainty: entry.certainty.map(certainty_wire).unwrap_or_default(),
        sensitivity: sensitivity_wire(entry.sensitivity),
        recorded_time: Some(time_wire(entry.recorded_at)),
    }
}

fn open_to_readers(entry: &Entry) -> bool {
    entry.sensitivity != Sensitivity::Protected
}

/// A student's review changed its state. Entries are told once it is reviewed.
pub fn changed(frame: &Frame, review: &StudentReview, now: DateTime<Utc>) -> Event {
    // An observation is not for others yet, and what another entry took the place of is for them no longer.
    let told = |e: &&Entry| review.is_reviewed() && e.stands() && e.polarity != Polarity::Observation && open_to_readers(e);
    let message = wire::StudentReviewChanged {
        class_review_id: review.class_review_id.to_string(),
        student_id: review.student_id.to_string(),
        school_id: frame.school_id.to_string(),
        class_id: frame.class_id.to_string(),
        school_year: frame.school_year,
        season: frame.season.wire(),
        state: review.state.wire(),
        not_reviewed_reason: review.not_reviewed_reason.clone(),
        entries: review.entries.iter().filter(told).map(fact).collect(),
        // With protected ones: a number that lacks them would tell of them.
        answered_domains: i32::try_from(review.answered(|_| true)).unwrap_or_default(),
        version: review.version,
        time: Some(time_wire(now)),
        grade: review.grade.clone(),
        review_cycle_id: frame.cycle_id.to_string(),
    };
    Event::new(STUDENT_REVIEW_TOPIC, review.student_id, &message, traceparent())
}

/// The protected needs of a review that was completed.
pub fn protected_needs(frame: &Frame, review: &StudentReview, now: DateTime<Utc>) -> Event {
    let needs = review.entries.iter().filter(|e| !open_to_readers(e) && e.polarity == Polarity::Need && e.stands());
    let message = wire::ProtectedNeedsRecorded {
        class_review_id: review.class_review_id.to_string(),
        student_id: review.student_id.to_string(),
        school_id: frame.school_id.to_string(),
        school_year: frame.school_year,
        entries: needs.map(fact).collect(),
        version: review.version + review.protected_changes,
        time: Some(time_wire(now)),
    };
    Event::new(PROTECTED_NEED_TOPIC, review.student_id, &message, traceparent())
}

/// An entry is understood as another need now. Where either is protected, only those on the case are told.
pub fn reclassified(frame: &Frame, review: &StudentReview, former: &Entry, need: &Entry, now: DateTime<Utc>) -> Event {
    let open = open_to_readers(former) && open_to_readers(need);
    let message = wire::NeedReclassified {
        student_id: review.student_id.to_string(),
        school_id: frame.school_id.to_string(),
        school_year: frame.school_year,
        from_entry_id: former.id.to_string(),
        need: Some(fact(need)),
        class_review_id: review.class_review_id.to_string(),
        time: Some(time_wire(now)),
        version: if open { review.version } else { review.version + review.protected_changes },
    };
    Event::new(if open { RECLASSIFIED_TOPIC } else { PROTECTED_NEED_TOPIC }, review.student_id, &message, traceparent())
}
