//! The whole district in one process: up, import, generate, story and the like.
//!
//! `up` starts every service with the development issuer on loopback ([`district`], [`dev_issuer`]); `--sample` and `story`
//! then act as fictional people through the public APIs alone ([`acting`], [`sample`], [`story`]).

pub mod acting;
pub mod cli;
pub mod dev_issuer;
pub mod district;
pub mod generate;
pub mod generate_command;
pub mod import;
pub mod private_postgres;
pub mod progress;
pub mod sample;
pub mod service_log;
pub mod story;
pub mod tls;
pub mod token_command;
pub mod up;
