//! Migrations of one schema: the chassis' own tables first, then the service's. Required before readiness.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::error::DbError;
use crate::lock;

/// Migrations that every service's schema begins with.
static CHASSIS: Migrator = sqlx::migrate!("../../../migrations/chassis");

/// What a service needs of its database before it is ready.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// Schema, named as the service.
    pub schema: &'static str,
    /// The service's own files.
    pub own: &'static Migrator,
}

/// Why a schema is not as this binary needs it.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A file failed.
    #[error("migration failed")]
    Failed(#[from] sqlx::migrate::MigrateError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Migrations are missing.
    #[error("schema {schema} lacks migrations; run the verb `migrate`")]
    Behind {
        /// Schema.
        schema: &'static str,
    },
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

fn table_of(migrator: &Migrator, schema: &str, table: &str) -> Migrator {
    let mut migrator = Migrator { migrations: migrator.migrations.clone(), ..Migrator::DEFAULT };
    migrator.dangerous_set_table_name(format!("{schema}.{table}"));
    // An older binary tolerates a newer schema: migrations only expand within one release.
    migrator.set_ignore_missing(true);
    // The advisory lock below covers both sets.
    migrator.set_locking(false);
    migrator
}

impl Migrations {
    /// Applies what is missing. Safe to call from many processes at once; answers when all is applied.
    pub async fn apply(&self, pool: &PgPool) -> Result<(), MigrateError> {
        let name = format!("migrate {}", self.schema);
        let mut held = loop {
            match lock::try_hold(pool, &name).await? {
                Some(held) => break held,
                None => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        let conn = held.connection();
        let schema = self.schema;
        if !schema.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return Err(DbError::Inconsistent { table: "schema", what: "a schema name that is not plain" }.into());
        }
        // A role that owns nothing in the database may still use a schema that its operator made for it.
        let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_namespace where nspname = $1)").bind(schema).fetch_one(&mut *conn).await?;
        if !exists {
            sqlx::query(sqlx::AssertSqlSafe(format!("create schema if not exists {schema}"))).execute(&mut *conn).await?;
        }
        table_of(&CHASSIS, schema, "_chassis_migrations").run_direct(None, &mut *conn, false).await?;
        table_of(self.own, schema, "_migrations").run_direct(None, &mut *conn, false).await?;
        held.release().await;
        Ok(())
    }

    /// Whether every migration that this binary knows has been applied.
    pub async fn check(&self, pool: &PgPool) -> Result<(), MigrateError> {
        for (migrator, table) in [(&CHASSIS, "_chassis_migrations"), (self.own, "_migrations")] {
            let name = format!("{}.{table}", self.schema);
            let known: Option<String> = sqlx::query_scalar("select to_regclass($1)::text").bind(&name).fetch_one(pool).await?;
            if known.is_none() {
                return Err(MigrateError::Behind { schema: self.schema });
            }
            let applied: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select version from {name} where success"))).fetch_all(pool).await?;
            if migrator.iter().any(|m| !applied.contains(&m.version)) {
                return Err(MigrateError::Behind { schema: self.schema });
            }
        }
        Ok(())
    }
}
