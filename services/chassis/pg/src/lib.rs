//! PostgreSQL: pool, errors by constraint name, idempotency records, migrations, advisory locks.
//!
//! Each service owns one schema. Connections have it as their search path, so the tables of the chassis (outbox,
//! inbox, idempotency, relationships) are found by their plain names; services write their own qualified.

pub mod error;
pub mod idempotency;
pub mod lock;
pub mod migrations;
pub mod pool;
pub mod testing;

pub use error::{DbError, expect_one};
pub use migrations::Migrations;
pub use pool::{DatabaseSettings, connect};
