//! A database and a role for each service, as operators make them before an install.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use wraparound::district::database::{self, SCHEMAS};
use wraparound::district::secrets::Secrets;

use crate::postgres;

/// Addresses by service.
#[derive(Clone, Debug, Default)]
pub struct Databases {
    own: BTreeMap<&'static str, String>,
    admin: BTreeMap<&'static str, String>,
}

impl Databases {
    /// One a service, each with a role that may enter no other.
    ///
    /// # Panics
    /// When the test server refuses.
    pub async fn apart() -> Self {
        let mut databases = Self::default();
        for service in SCHEMAS {
            let admin = postgres::fresh_database(&format!("fleet_{service}")).await.unwrap_or_else(|error| panic!("{error:#}"));
            let own = make_role(&admin, service).await.unwrap_or_else(|error| panic!("{service}: {error}"));
            databases.own.insert(service, own);
            databases.admin.insert(service, admin);
        }
        databases
    }

    /// One for all, with a schema and a role a service.
    ///
    /// # Panics
    /// When the test server refuses.
    pub async fn together(secrets: &Secrets) -> Self {
        let admin = postgres::fresh_database("fleet").await.unwrap_or_else(|error| panic!("{error:#}"));
        let logins = database::prepare(&SecretString::from(admin.clone()), secrets).await.unwrap_or_else(|error| panic!("{error:#}"));
        let own = SCHEMAS.into_iter().filter_map(|service| Some((service, logins.url(service)?.expose_secret().to_owned()))).collect();
        Self { own, admin: SCHEMAS.into_iter().map(|service| (service, admin.clone())).collect() }
    }

    /// The address that a service has, with its own role.
    pub fn own(&self, service: &str) -> Option<&str> {
        self.own.get(service).map(String::as_str)
    }

    /// The same database, as superuser.
    ///
    /// # Panics
    /// For a service without one.
    pub fn admin(&self, service: &str) -> &str {
        self.admin.get(service).map_or_else(|| panic!("{service} owns no data"), String::as_str)
    }

    /// Another place for a service's data.
    #[must_use]
    pub fn with(mut self, service: &'static str, own: String, admin: String) -> Self {
        self.own.insert(service, own);
        self.admin.insert(service, admin);
        self
    }
}

async fn make_role(admin: &str, service: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut url = reqwest::Url::parse(admin)?;
    let database = url.path().trim_start_matches('/').to_owned();
    let (role, password) = (format!("{database}_own"), uuid::Uuid::now_v7().simple().to_string());
    let mut connection = PgConnection::connect(admin).await?;
    // Only letters, digits and underscores. What every operator does: nobody may enter but who must.
    let sql = format!(
        "create role {role} login password '{password}';
         revoke all on database {database} from public;
         revoke all on schema public from public;
         grant connect, temporary on database {database} to {role};
         create schema {service} authorization {role};"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await?;
    let set = url.set_username(&role).is_ok() && url.set_password(Some(&password)).is_ok();
    assert!(set, "{admin} names no host");
    Ok(url.into())
}
