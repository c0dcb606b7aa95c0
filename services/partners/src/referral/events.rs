//! What others hear of a referral.

use chassis_events::Event;
use chrono::{DateTime, Utc};
use proto::partners::v1::ReferralChanged;

use super::entity::Changed;
use super::state::{Mode, State};

/// Referrals that may be counted.
pub const TOPIC: &str = "partners.referral.v1";
/// Referrals that only those on the case know of.
pub const PROTECTED_TOPIC: &str = "partners.protected-referral.v1";

/// A time as the contract has it.
pub fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0) }
}

/// The event of a change.
pub fn changed(changed: &Changed) -> Event {
    let r = changed.referral();
    let topic = if r.mode == Mode::Protected { PROTECTED_TOPIC } else { TOPIC };
    let message = ReferralChanged {
        referral_id: r.referral_id.to_string(),
        student_id: r.student_id.to_string(),
        school_id: r.school_id.to_string(),
        need_ids: r.need_ids.iter().map(ToString::to_string).collect(),
        plan_item_id: r.plan_item_id.map(|id| id.to_string()).unwrap_or_default(),
        partner_id: r.partner_id.to_string(),
        service_id: r.service_id.to_string(),
        state: r.state().proto().into(),
        transition: changed.step().transition.clone(),
        reason: r.reason.clone(),
        reason_side: r.reason_side.clone(),
        outcome: r.outcome.into(),
        mode: r.mode.proto().into(),
        sent_time: r.sent_at.map(timestamp),
        respond_by: if r.state() == State::Draft { String::new() } else { r.respond_by.map(|d| d.to_string()).unwrap_or_default() },
        version: r.version,
        time: Some(timestamp(r.updated_at)),
        service_category: r.service_category.clone(),
    };
    Event::new(topic, r.student_id, &message, chassis_rpc::observe::traceparent())
}
