//! The reviews service: whole class reviews, one student at a time, the tiers decided there; concerns on any day,
//! individual reviews by a team, and who is on a protected case.
//!
//! Serves `wraparound.reviews.v1.ReviewService` and `ConcernService`. Publishes the topics that `app.rs` names: class and
//! student reviews, tiers, needs that are understood otherwise, concerns, individual reviews and, for those on the case
//! only, what is protected. Listens to the roster's state topics, for who may do what and for students who join or leave
//! a class.
//!
//! Holds ids and codes, and the notes that staff write: no names. Notes never leave but in answers to those cleared.

pub mod activity;
pub mod amendment;
pub mod app;
pub mod case_access;
mod cases;
pub mod class_review;
pub mod codes;
pub mod concern;
pub mod cycle;
pub mod error;
mod grpc;
pub mod individual_review;
pub mod live;
pub mod prior;
pub mod student_review;
pub mod taxonomy;
pub mod tier;
pub mod words;

pub use app::App;
