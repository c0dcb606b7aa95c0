//! PostgreSQL for tests: a server of their own, and fresh databases in it.

use std::sync::OnceLock;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use wraparound::private_postgres::{PrivatePostgres, PrivatePostgresOptions};

use crate::scratch;

/// A throw-away server that a test may restart or kill as it likes. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct TestPostgres {
    // Dropped in this order: first the server, then its data.
    server: PrivatePostgres,
    _folder: TempDir,
}

impl TestPostgres {
    /// Starts a server of its own.
    ///
    /// # Errors
    /// When no PostgreSQL is installed or it does not start; the message says which and why.
    pub fn start() -> anyhow::Result<Self> {
        let folder = scratch::folder("postgres")?;
        let options = PrivatePostgresOptions { data_dir: folder.path().to_path_buf(), throw_away: true };
        Ok(Self { server: PrivatePostgres::start(options)?, _folder: folder })
    }

    /// The address of one of its databases, as superuser.
    pub fn url(&self, database: &str) -> String {
        self.server.url(database).expose_secret().to_owned()
    }

    /// The server itself, to restart it or to learn its process id.
    pub fn server(&mut self) -> &mut PrivatePostgres {
        &mut self.server
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn fresh_database(&self, name_hint: &str) -> anyhow::Result<String> {
        let name = create_database(&self.url("postgres"), name_hint).await?;
        Ok(self.url(&name))
    }
}

/// Makes an empty database in the one server that all tests of this process share, and gives its address.
///
/// # Errors
/// When the shared server could not be started, does not answer or refuses.
pub async fn fresh_database(name_hint: &str) -> anyhow::Result<String> {
    // Starting blocks; the tests that wait for it have nothing else to do.
    let shared = tokio::task::spawn_blocking(shared).await.context("the start of the shared PostgreSQL was interrupted")??;
    shared.fresh_database(name_hint).await
}

fn shared() -> anyhow::Result<&'static TestPostgres> {
    static SHARED: OnceLock<Result<TestPostgres, String>> = OnceLock::new();
    SHARED.get_or_init(|| TestPostgres::start().map_err(|error| format!("{error:#}"))).as_ref().map_err(|message| anyhow::anyhow!("{message}"))
}

async fn create_database(server: &str, name_hint: &str) -> anyhow::Result<String> {
    let mut hint: String = name_hint.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    // With the id it stays below PostgreSQL's 63 bytes for a name.
    hint.truncate(24);
    let name = format!("{hint}_{}", uuid::Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(server).await.context("the test PostgreSQL does not answer")?;
    // Only letters, digits and underscores by now; the name of a database cannot be a parameter.
    sqlx::query(AssertSqlSafe(format!(r#"create database "{name}""#)))
        .execute(&mut connection)
        .await
        .with_context(|| format!("cannot make the database {name}"))?;
    connection.close().await.context("the test PostgreSQL hung up")?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn databases_are_fresh_and_apart() {
        let one = fresh_database("Über-Journey of a very long name indeed").await.unwrap();
        let two = fresh_database("journey").await.unwrap();
        assert_ne!(one, two);
        let mut connection = PgConnection::connect(&one).await.unwrap();
        sqlx::query("create table only_here ()").execute(&mut connection).await.unwrap();
        let mut connection = PgConnection::connect(&two).await.unwrap();
        sqlx::query("select from only_here").execute(&mut connection).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_restart_keeps_the_address_and_the_data() {
        let mut postgres = TestPostgres::start().unwrap();
        let url = postgres.fresh_database("restart").await.unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::query("create table kept ()").execute(&mut connection).await.unwrap();
        postgres.server().restart().unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::query("select from kept").execute(&mut connection).await.unwrap();
    }
}
