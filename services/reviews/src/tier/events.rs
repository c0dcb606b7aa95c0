//! What decided tiers tell the other services.

use chassis_events::Event;
use chassis_rpc::observe::traceparent;
use proto::reviews::v1 as wire;

use super::Assignment;
use crate::app::TIER_TOPIC;
use crate::words::{tier_wire, time_wire};

/// A tier was decided. The words for `other` stay here.
pub fn assigned(assignment: &Assignment) -> Event {
    let message = wire::TierAssigned {
        student_id: assignment.student_id.to_string(),
        school_id: assignment.school_id.to_string(),
        school_year: assignment.school_year,
        tier: tier_wire(Some(assignment.tier)),
        suggested_tier: tier_wire(Some(assignment.suggested)),
        reason: assignment.reason.clone(),
        source: assignment.source.clone(),
        effective_time: Some(time_wire(assignment.effective_at)),
        tier_assignment_id: assignment.id.to_string(),
        review_cycle_id: assignment.cycle_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    Event::new(TIER_TOPIC, assignment.student_id, &message, traceparent())
}
