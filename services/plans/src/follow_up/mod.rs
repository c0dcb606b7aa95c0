//! Follow-ups: raised by people or by rules, nudged, and closed by either side.

pub mod acts;
pub mod entity;
pub(crate) mod events;
pub(crate) mod grpc;
pub(crate) mod hooks;
pub mod list;
pub mod repo;
mod rule;

pub use rule::raise_by_rule;
pub(crate) use rule::{follow_enrolment, follow_item};
