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
        ("idle_in_transaction_session_timeout", "600s".to_owned()),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(Duration::from_secs(settings.acquire_timeout_seconds))
        .test_before_acquire(false)
        // What SQL calls today is the district's day, as in the service. sqlx begins each session in UTC, whatever its options say.
        .after_connect(|session, _| {
            Box::pin(async move {
                sqlx::query("select set_config('timezone', $1, false)").bind(chassis_clock::zone().name()).execute(session).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sql_reckons_days_by_the_districts_clock() {
        chassis_clock::set_zone(chassis_clock::named("Pacific/Kiritimati").unwrap()).unwrap();
        let Ok(url) = std::env::var("WRAPAROUND_TEST_DATABASE_URL") else { panic!("set WRAPAROUND_TEST_DATABASE_URL, see scripts/test-postgres.sh") };
        let settings = DatabaseSettings { url: url.into(), max_connections: 1, acquire_timeout_seconds: 5, statement_timeout_seconds: 5 };
        let pool = connect(&settings, "public").unwrap();
        let (zone, day): (String, chrono::NaiveDate) = sqlx::query_as("select current_setting('timezone'), current_date").fetch_one(&pool).await.unwrap();
        assert_eq!((zone.as_str(), day), ("Pacific/Kiritimati", chassis_clock::today()));
    }
}
