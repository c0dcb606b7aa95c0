//! Who is on a case, for every service that decides on protected records. Never why.

use chassis_events::Event;
use chassis_rpc::observe::traceparent;
use chrono::{DateTime, Utc};
use proto::reviews::v1 as wire;

use super::entity::CaseAccess;
use crate::app::CASE_ACCESS_TOPIC;
use crate::words::time_wire;

/// Case access was given or taken back.
pub fn changed(access: &CaseAccess, now: DateTime<Utc>) -> Event {
    let message = wire::CaseAccessChanged {
        case_access_id: access.id.to_string(),
        student_id: access.student_id.to_string(),
        school_id: access.school_id.to_string(),
        staff_id: access.staff_id.to_string(),
        kind: access.kind.word().to_owned(),
        expire_time: access.expires_at.map(time_wire),
        revoked: access.revoked.is_some(),
        version: access.version,
        time: Some(time_wire(now)),
    };
    Event::new(CASE_ACCESS_TOPIC, access.student_id, &message, traceparent())
}
