//! Black-box tests over the running system: journeys, faults, browser, rules, benches.

pub mod acts;
pub mod authority;
pub mod browser;
pub mod clients;
pub mod databases;
pub mod district;
pub mod fleet;
pub mod kafka;
pub mod keycloak;
pub mod otlp;
pub mod patience;
pub mod postgres;
pub mod process;
pub mod scratch;
pub mod tokens;
