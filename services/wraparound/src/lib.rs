//! The whole district in one process: up, import, generate, story and the like.

pub mod generate;
pub mod private_postgres;
