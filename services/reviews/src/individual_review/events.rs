//! What individual reviews tell the other services. Protected ones go on the topic of protected cases, and only there.

use chassis_access::Sensitivity;
use chassis_events::Event;
use chassis_rpc::observe::traceparent;
use chrono::{DateTime, NaiveDate, Utc};
use proto::reviews::v1 as wire;
use uuid::Uuid;

use super::entity::{Decision, IndividualReview};
use crate::app::{INDIVIDUAL_REVIEW_TOPIC, PROTECTED_CASE_TOPIC};
use crate::words::{sensitivity_wire, time_wire};

fn fact(decision: &Decision) -> wire::DecisionFact {
    wire::DecisionFact {
        decision_id: decision.id.to_string(),
        need_ids: decision.need_ids.iter().map(Uuid::to_string).collect(),
        item_kind: decision.item_kind.clone(),
        service_category: decision.service_category.clone(),
        owner: decision.owner.clone(),
        due_on: date(decision.due_on),
        owner_id: decision.owner_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// A date as the contract says it; empty where there is none.
pub(super) fn date(day: Option<NaiveDate>) -> String {
    day.map(|d| d.to_string()).unwrap_or_default()
}

/// An individual review changed.
pub fn changed(review: &IndividualReview, now: DateTime<Utc>) -> Event {
    let message = wire::IndividualReviewChanged {
        individual_review_id: review.id.to_string(),
        student_id: review.student_id.to_string(),
        school_id: review.school_id.to_string(),
        school_year: review.school_year,
        state: review.state.wire(),
        trigger: review.trigger.wire(),
        family_voice: review.family_voice.map(|v| v.wire()).unwrap_or_default(),
        held_on: date(review.held_on),
        review_on: date(review.review_on),
        decisions: review.last_decisions().map(fact).collect(),
        sensitivity: sensitivity_wire(review.sensitivity),
        version: review.version,
        time: Some(time_wire(now)),
    };
    let topic = if review.sensitivity == Sensitivity::Protected { PROTECTED_CASE_TOPIC } else { INDIVIDUAL_REVIEW_TOPIC };
    Event::new(topic, review.student_id, &message, traceparent())
}
