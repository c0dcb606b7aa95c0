//! The reviews service: whole class reviews, one student at a time, and the tiers decided there.
//!
//! Serves `wraparound.reviews.v1.ReviewService` and `ConcernService`. Publishes `reviews.class-review.v1`, `reviews.student-review.v1`,
//! `reviews.tier.v1` and, for those on the case only, `reviews.protected-need.v1`. Listens to the roster's state
//! topics, for who may do what and for students who leave a class.
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
