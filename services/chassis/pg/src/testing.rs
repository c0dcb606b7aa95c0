//! A fresh database for a test, from the server that `WRAPAROUND_TEST_DATABASE_URL` names.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};
use uuid::Uuid;

use crate::migrations::Migrations;

/// Names the variable that `make test` sets.
pub const TEST_DATABASE_URL: &str = "WRAPAROUND_TEST_DATABASE_URL";

/// Creates a database of its own for one test, migrated, and a pool on it with the service's search path.
///
/// # Panics
/// Where no server is named or it does not answer: a test without its database has not run.
pub async fn database(migrations: &Migrations) -> PgPool {
    #[expect(clippy::expect_used, reason = "only tests call this, and they end here")]
    async fn open(migrations: &Migrations) -> PgPool {
        let url = std::env::var(TEST_DATABASE_URL).expect("WRAPAROUND_TEST_DATABASE_URL names no server: run the tests by `make test`");
        let server = PgConnectOptions::from_str(&url).expect("WRAPAROUND_TEST_DATABASE_URL is not an address of PostgreSQL");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut admin = server.connect().await.expect("the test server does not answer");
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.expect("cannot create a test database");
        let options = server.database(&name).options([("search_path", migrations.schema)]);
        let pool = PgPoolOptions::new().max_connections(10).connect_with(options).await.expect("the test database does not answer");
        migrations.apply(&pool).await.expect("migrations fail");
        pool
    }
    open(migrations).await
}
