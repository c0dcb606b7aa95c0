//! Two people on one class at once: writes go up a stream, everybody's changes and presence come down.
//!
//! Of each class review that somebody follows there is one room in a process, with one poller: it reads what changed
//! from the tables, so that replicas see each other's writes, and hands the records to the room's streams. Each stream
//! shows them through its own caller's sight, and sends a student only where what that caller sees has changed: what is
//! protected moves nothing for others. Presence is known within one process.

mod grpc;
mod poll;
mod room;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

pub use grpc::Answers;
pub use room::{Live, Presence};
