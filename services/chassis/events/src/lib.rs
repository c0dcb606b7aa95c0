//! Events from one service to the others, lost never and applied once.
//!
//! A use case appends to the [`outbox`] in its own transaction. The [`relay`] publishes outbox rows to the log and
//! deletes them once the log has them. A [`consumer`] writes an event's effect, its [`inbox`](consumer) row and its
//! position in one transaction; what cannot be applied becomes a [`dead_letter`].
//!
//! Two logs stand behind the one trait [`log::EventLog`]: [`kafka`] for a district, [`postgres`] for one machine.

pub mod consumer;
pub mod dead_letter;
pub mod envelope;
pub mod kafka;
mod lag;
pub mod log;
pub mod outbox;
pub mod postgres;
pub mod relay;
pub mod restored;

pub use consumer::{ApplyError, Consumer, Handler};
pub use envelope::Event;
pub use log::{EventLog, LogError, Topic};
