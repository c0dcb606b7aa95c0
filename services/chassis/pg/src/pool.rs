//! The pool of one service.

use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// How to reach the database.
#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseSettings {
    /// `postgres://user:password@host:port/database`. Secret.
    pub url: SecretString,
    /// Connections of this process at the most.
    pub max_connections: u32,
    /// How long a request waits for one before it is told to try again.
    pub acquire_timeout_seconds: u64,
    /// A statement that runs longer is ended; bulk work sets its own.
    pub statement_timeout_seconds: u64,
}

/// Opens the pool of the service that owns `schema`. Connects lazily: a service starts without its database and is
/// not ready until it is there.
pub fn connect(settings: &DatabaseSettings, schema: &str) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(settings.url.expose_secret())?.application_name(&format!("wraparound-{schema}")).options([
        ("search_path", schema.to_owned()),
        ("statement_timeout", format!("{}s", settings.statement_timeout_seconds)),
        // What SQL calls today is the district's day, as in the service.
        ("timezone", chassis_clock::zone().name().to_owned()),
        ("idle_in_transaction_session_timeout", "600s".to_owned()),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(Duration::from_secs(settings.acquire_timeout_seconds))
        .test_before_acquire(false)
        .connect_lazy_with(options))
}
