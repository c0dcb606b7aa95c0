//! Support plans: what is done about each need, by whom, and whether it happened.
//!
//! Serves `wraparound.plans.v1.PlanService` and `DeliveryService`. Publishes `plans.plan.v1`, `plans.need.v1`, `plans.item.v1` and
//! `plans.delivery.v1`; what is protected goes to `plans.protected-need.v1` and nowhere else. Listens to reviews
//! (students reviewed, protected needs, tiers), to partners' referrals and to the roster's relationships.
//!
//! [`plan`] has the plan's life, [`need`] needs and the rule of the unmet need, [`plan_item`] what is to happen,
//! [`enrolment`] students in services, [`group`] the school's own groups, [`delivery`] the sessions,
//! [`aid`] what was given, [`activity`] what is for the whole school,
//! [`service_log`] sessions that come in a file. [`sight`] says what of it a caller may see.

pub mod activity;
pub mod aid;
pub mod app;
pub mod calendar;
mod codes;
pub mod delivery;
mod delivery_service;
pub mod enrolment;
pub mod error;
mod feed;
pub mod group;
mod grpc;
mod history;
pub mod need;
pub mod plan;
pub mod plan_item;
pub mod referral_feed;
pub mod review_feed;
pub mod service_log;
pub mod sight;

pub use app::{App, MIGRATIONS};
pub use error::PlanError;
