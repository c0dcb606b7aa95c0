//! The reporting service: what the records say of the district, as numbers.
//!
//! Serves `wraparound.reporting.v1.ReportingService`. Publishes nothing. Listens to the others' open topics, never to the
//! protected ones: what is protected is not counted here, and every definition says so.
//!
//! - [`fact`] writes events into read models. Dropping the schema and replaying the log gives the same numbers.
//! - [`measure`] says what each measure counts, of what, and how.
//! - [`equity`] lays demographic groups beside tiers, by counts that the roster gives.
//! - [`suppression`] withholds small numbers, and others that would give them away.
//! - [`unmet`] lists students whose needs nobody meets.
//! - [`freshness`] tells how far the read models have come.

pub mod app;
pub mod equity;
pub mod error;
pub mod fact;
pub mod freshness;
mod grpc;
pub mod measure;
pub mod suppression;
pub mod unmet;
#[cfg(test)]
mod worked_district;

pub use app::App;
