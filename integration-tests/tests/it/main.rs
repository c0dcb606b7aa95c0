//! Everything that is tested over the running system, in one binary.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test reports")]

mod access;
mod browser;
mod event_contract;
mod faults;
mod fleet;
mod foreign_client;
mod groups;
mod house;
mod images;
mod journey;
mod kafka_broker;
mod model;
mod privacy;
mod rules;
mod sample;
mod sign_in;
mod twins;
