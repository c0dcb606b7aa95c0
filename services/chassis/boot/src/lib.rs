//! Settings, telemetry, lifecycle, the admin port and the verbs that every service answers.
//!
//! A service implements [`Service`]; its binary is `chassis_boot::main::<ItsService>()`.

pub mod admin;
mod certificates;
pub mod cli;
mod gauges;
mod http;
pub mod otlp_metrics;
pub mod run;
pub mod service;
pub mod settings;
pub mod telemetry;

pub use cli::main;
pub use run::{Running, Shared, Work, start, start_on};
pub use service::{Context, Job, Parts, Service};
pub use settings::{Settings, SettingsError};
