//! The district's database: a schema and a login role for each service, and the event log's schema beside them.
//!
//! A role owns its own schema and may read and append to the event log; it sees nothing of the others.

use std::str::FromStr as _;

use anyhow::{Context as _, ensure};
use chassis_events::EventLog as _;
use chassis_events::postgres::PostgresLog;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use super::secrets::Secrets;

/// Services that own a schema.
pub const SCHEMAS: [&str; 5] = ["rosters", "reviews", "plans", "partners", "reporting"];

/// How each service reaches the database.
#[derive(Clone, Debug)]
pub struct Logins {
    urls: Vec<(&'static str, SecretString)>,
    /// Host, port and database, without user or password: for people and the ready file.
    pub shown: String,
    /// Whether every service has a role of its own.
    pub separate: bool,
}

impl Logins {
    /// The address for a service; secret.
    pub fn url(&self, service: &str) -> Option<&SecretString> {
        self.urls.iter().find(|(name, _)| *name == service).map(|(_, url)| url)
    }
}

/// Makes a database where it is missing. `name` is our own word.
pub async fn create_database(admin: &SecretString, name: &str) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(admin.expose_secret()).await.context("the database server cannot be reached")?;
    let there: bool = sqlx::query_scalar("select exists (select 1 from pg_database where datname = $1)").bind(name).fetch_one(&mut conn).await?;
    if !there {
        // Each by itself: several statements at once are one transaction, in which no database can be made.
        for sql in [format!("create database {name}"), format!("revoke all on database {name} from public")] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
        }
    }
    conn.close().await?;
    Ok(())
}

/// Makes schemas and roles where the given user may; else every service shares that user.
pub async fn prepare(url: &SecretString, secrets: &Secrets) -> anyhow::Result<Logins> {
    let options =
        PgConnectOptions::from_str(url.expose_secret()).context("--database is not an address such as postgres://user:password@host:port/database")?;
    let shown = format!("postgres://{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await
        .with_context(|| format!("the database {shown} cannot be reached: is it running, and are user and password right?"))?;
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(&pool).await?;
    ensure!(version >= 150_000, "PostgreSQL 15 or newer is needed; the one at {shown} is {}", version / 10_000);
    PostgresLog::new(pool.clone()).ensure_topics(&[]).await.context("the event log's tables cannot be made")?;
    let separate: bool = sqlx::query_scalar("select rolsuper or rolcreaterole from pg_roles where rolname = current_user").fetch_one(&pool).await?;
    let mut urls = Vec::new();
    for service in SCHEMAS {
        let own = if separate {
            make_role(&pool, url, secrets, service).await.with_context(|| format!("the role of {service} cannot be made"))?
        } else {
            url.clone()
        };
        urls.push((service, own));
    }
    pool.close().await;
    Ok(Logins { urls, shown, separate })
}

async fn make_role(pool: &PgPool, url: &SecretString, secrets: &Secrets, service: &'static str) -> anyhow::Result<SecretString> {
    let password = secrets.derived(&format!("database role {service}"));
    let mut tx = pool.begin().await?;
    // Roles belong to the whole server: two districts on it may come here at once.
    sqlx::query("select pg_advisory_xact_lock(hashtext('wraparound roles'))").execute(&mut *tx).await?;
    // So each has roles of its own, named after its database; what would be cut off at 63 bytes would not be its own any more.
    let role: String = sqlx::query_scalar("select current_database() || '_' || $1").bind(service).fetch_one(&mut *tx).await?;
    ensure!(role.len() <= 63, "the name of the database is too long: {role} is to be a role and must not exceed 63 bytes");
    let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_roles where rolname = $1)").bind(&role).fetch_one(&mut *tx).await?;
    let verb = if exists { "alter" } else { "create" };
    let database: String = sqlx::query_scalar("select quote_ident(current_database())").fetch_one(&mut *tx).await?;
    let quoted: String = sqlx::query_scalar("select quote_ident($1)").bind(&role).fetch_one(&mut *tx).await?;
    // The service is our own word; the password is hexadecimal digits.
    let sql = format!(
        "{verb} role {quoted} login password '{password}';
         grant {quoted} to current_user;
         grant connect, temporary on database {database} to {quoted};
         create schema if not exists {service} authorization {quoted};
         grant usage on schema event_log to {quoted};
         grant select, insert, update on all tables in schema event_log to {quoted};",
        password = password.expose_secret()
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
    tx.commit().await?;
    with_login(url, &role, &password)
}

/// The same database for another user.
fn with_login(url: &SecretString, user: &str, password: &SecretString) -> anyhow::Result<SecretString> {
    let mut own = reqwest::Url::parse(url.expose_secret()).context("--database is not an address")?;
    // Refused only for addresses without a host, which PostgreSQL's never are here.
    ensure!(own.set_username(user).is_ok() && own.set_password(Some(password.expose_secret())).is_ok(), "--database names no host");
    Ok(String::from(own).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_replaces_user_and_password_only() {
        let url =
            with_login(&"postgres://postgres:x@127.0.0.1:5433/wraparound?sslmode=disable".to_owned().into(), "wraparound_plans", &"abc".to_owned().into())
                .unwrap();
        assert_eq!(url.expose_secret(), "postgres://wraparound_plans:abc@127.0.0.1:5433/wraparound?sslmode=disable");
    }

    #[tokio::test]
    async fn a_role_sees_its_own_schema_and_no_other() {
        let Ok(server) = std::env::var("WRAPAROUND_TEST_DATABASE_URL") else { return };
        let server = SecretString::from(server);
        let name = format!("district_{}", uuid::Uuid::now_v7().simple());
        create_database(&server, &name).await.unwrap();
        let mut url = reqwest::Url::parse(server.expose_secret()).unwrap();
        url.set_path(&name);
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open_or_create(dir.path()).unwrap();
        let logins = prepare(&String::from(url.clone()).into(), &secrets).await.unwrap();
        assert!(logins.separate);
        let mut plans = PgConnection::connect(logins.url("plans").unwrap().expose_secret()).await.unwrap();
        sqlx::raw_sql("create table plans.own (id int); insert into event_log.topic (name) values ('x');").execute(&mut plans).await.unwrap();
        let mut reviews = PgConnection::connect(logins.url("reviews").unwrap().expose_secret()).await.unwrap();
        assert!(sqlx::raw_sql("select * from plans.own").execute(&mut reviews).await.is_err());
        assert!(sqlx::raw_sql("delete from event_log.topic").execute(&mut reviews).await.is_err());
        assert!(sqlx::raw_sql("create table event_log.y (id int)").execute(&mut reviews).await.is_err());
        drop((plans, reviews));
        let mut admin = PgConnection::connect(server.expose_secret()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut admin).await.unwrap();
    }
}
