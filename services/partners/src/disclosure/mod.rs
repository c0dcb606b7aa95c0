//! The disclosure ledger: who received what of a student, append-only, hash-chained for each student.
//!
//! [`Disclosed`] is the only proof that something may leave, and writing a line is the only way to get one.

pub mod entity;
pub mod events;
pub mod grpc;
pub mod ledger;

pub use entity::{Direction, Line};
pub use ledger::Disclosed;
