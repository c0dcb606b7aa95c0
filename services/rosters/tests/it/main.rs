//! The service against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod groups;
mod imports;
mod package;
mod reads;
mod real_sets;
mod sign_in;
