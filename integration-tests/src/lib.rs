//! Black-box tests over the running system: journeys, faults, browser, rules, benches.

pub mod acts;
pub mod browser;
pub mod clients;
pub mod district;
pub mod kafka;
pub mod otlp;
pub mod patience;
pub mod postgres;
pub mod scratch;
pub mod tokens;
