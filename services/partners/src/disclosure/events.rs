//! What others hear of the ledger.

use chassis_events::Event;
use proto::partners::v1::DisclosureRecorded;

use super::entity::Line;
use crate::referral::events::timestamp;

/// Every line that went out.
pub const TOPIC: &str = "partners.disclosure.v1";

/// The event of a line.
pub fn recorded(line: &Line) -> Event {
    let message = DisclosureRecorded {
        disclosure_id: line.disclosure_id.to_string(),
        student_id: line.student_id.to_string(),
        partner_id: line.partner_id.to_string(),
        legal_basis: line.legal_basis.clone(),
        referral_id: line.referral_id.to_string(),
        scopes: line.scopes.clone(),
        time: Some(timestamp(line.at)),
    };
    Event::new(TOPIC, line.student_id, &message, chassis_rpc::observe::traceparent())
}
