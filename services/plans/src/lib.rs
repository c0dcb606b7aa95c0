//! Support plans: what is done about each need, by whom, and whether it happened.
//!
//! Serves `wraparound.plans.v1.PlanService` and `DeliveryService`. Publishes `plans.plan.v1`, `plans.need.v1`, `plans.item.v1` and
//! `plans.delivery.v1`; what is protected goes to `plans.protected-need.v1` and nowhere else. Listens to reviews
//! (students reviewed, protected needs, tiers, needs understood anew, decisions of individual reviews), to partners' referrals and to the roster's relationships.
//!
//! [`plan`] has the plan's life and what the family says to it, [`goal`] goals, [`check_in`] and [`commitment`] what staff and family do together,
//! [`suggestion`] what could be added, [`need`] needs and the rule of the unmet need, [`plan_item`] what is to happen,
//! [`enrolment`] students in services, [`group`] the school's own groups, [`delivery`] the sessions,
//! [`aid`] what was given, [`activity`] what is for the whole school,
//! [`service_log`] sessions that come in a file. [`sight`] says what of it a caller may see.

pub mod activity;
pub mod aid;
pub mod app;
pub mod calendar;
pub mod case_feed;
pub mod check_in;
mod codes;
pub mod commitment;
pub mod delivery;
mod delivery_service;
pub mod enrolment;
pub mod error;
mod feed;
pub mod follow_up;
mod follow_up_service;
pub mod goal;
pub mod group;
mod grpc;
pub mod hand_over;
mod history;
pub mod need;
pub mod notice;
pub mod plan;
pub mod plan_item;
pub mod rating;
pub mod referral_feed;
pub mod review_feed;
pub mod september;
pub mod service_log;
pub mod sight;
pub mod suggestion;

pub use app::{App, MIGRATIONS};
pub use error::PlanError;
