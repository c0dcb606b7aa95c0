//! Black-box tests over the running system: journeys, faults, browser, rules, benches.

pub mod kafka;
pub mod postgres;
pub mod scratch;
