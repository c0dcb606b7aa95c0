//! Settings, telemetry, lifecycle, the admin port and the verbs that every service answers.
//!
//! A service implements [`Service`]; its binary is `chassis_boot::main::<ItsService>()`.

pub mod admin;
pub mod cli;
pub mod otlp_metrics;
pub mod run;
pub mod service;
pub mod settings;
pub mod telemetry;

pub use cli::main;
pub use run::{Running, Shared, Work, start, start_on};
pub use service::{Context, Job, Parts, Service};
pub use settings::{Settings, SettingsError};
