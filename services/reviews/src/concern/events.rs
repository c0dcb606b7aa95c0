//! What concerns tell the other services. Protected ones go on the topic of protected cases, and only there.

use chassis_access::Sensitivity;
use chassis_events::Event;
use chassis_rpc::observe::traceparent;
use chrono::{DateTime, Utc};
use proto::reviews::v1 as wire;

use super::entity::Concern;
use crate::app::{CONCERN_TOPIC, PROTECTED_CASE_TOPIC};
use crate::words::{sensitivity_wire, time_wire};

/// A concern changed.
pub fn changed(concern: &Concern, now: DateTime<Utc>) -> Event {
    let message = wire::ConcernChanged {
        concern_id: concern.id.to_string(),
        student_id: concern.student_id.to_string(),
        school_id: concern.school_id.to_string(),
        school_year: concern.school_year,
        state: concern.state.wire(),
        urgency: concern.urgency.wire(),
        triage: concern.answer.as_ref().map(|a| a.triage.wire()).unwrap_or_default(),
        raise_time: Some(time_wire(concern.raised_at)),
        due_time: Some(time_wire(concern.due_at)),
        triage_time: concern.answer.as_ref().map(|a| time_wire(a.at)),
        sensitivity: sensitivity_wire(concern.sensitivity),
        version: concern.version,
        time: Some(time_wire(now)),
    };
    let topic = if concern.sensitivity == Sensitivity::Protected { PROTECTED_CASE_TOPIC } else { CONCERN_TOPIC };
    Event::new(topic, concern.student_id, &message, traceparent())
}
