//! The service, put together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chassis_access::RelationshipFeed;
use chassis_boot::{Context, Parts};
use chassis_events::{Handler, Topic};
use chassis_pg::{DbError, Migrations, lock};
use proto::rosters::v1::import_service_server::ImportServiceServer;
use proto::rosters::v1::roster_service_server::RosterServiceServer;
use serde::Deserialize;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::import::{self, Imports};
use crate::oneroster::Limits;
use crate::roster::Roster;
use crate::standing;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/rosters");

/// What the service needs of its database.
pub const MIGRATIONS: Migrations = Migrations { schema: "rosters", own: &MIGRATOR };

/// How often the passing of time is looked at: memberships that end, students who stay missing.
const TIDY_EVERY: Duration = Duration::from_secs(15 * 60);

/// The service's own settings; `default.toml` documents them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct Settings {
    pub absence_grace_days: u16,
    pub max_package_mib: u64,
    pub max_unpacked_mib: u64,
    pub roles: BTreeMap<String, String>,
}

impl Settings {
    fn limits(&self) -> Limits {
        Limits { zip_bytes: self.max_package_mib << 20, unpacked_bytes: self.max_unpacked_mib << 20, ..Limits::default() }
    }
}

/// The rosters service.
#[derive(Clone, Copy, Debug)]
pub struct App;

impl chassis_boot::Service for App {
    type Own = Settings;
    const NAME: &'static str = "rosters";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    const TOPICS: &'static [Topic] = &[Topic::state(standing::STUDENT_TOPIC), Topic::state(standing::CLASS_TOPIC), Topic::state(standing::STAFF_TOPIC)];

    fn migrations() -> Option<Migrations> {
        Some(MIGRATIONS)
    }

    fn handlers(_context: &Context<Settings>) -> Vec<(&'static str, Arc<dyn Handler>)> {
        vec![("relationships", Arc::new(RelationshipFeed))]
    }

    async fn build(context: Context<Settings>) -> anyhow::Result<Parts> {
        let own = &context.settings.service;
        let imports = import::grpc::ImportServer {
            imports: Imports::new(context.pool.clone(), &own.roles),
            access: context.access.clone(),
            limits: own.limits(),
            stop: context.stop.clone(),
        };
        let roster = RosterServiceServer::new(Roster { pool: context.pool.clone(), access: context.access });
        let routes = tonic::service::Routes::new(roster).add_service(ImportServiceServer::new(imports));
        let (pool, grace_days) = (context.pool, i32::from(own.absence_grace_days));
        Ok(Parts::grpc(routes).job(move |stop| tidy(pool, grace_days, stop)))
    }

    async fn republish(context: Context<Settings>) -> anyhow::Result<u64> {
        let mut tx = context.pool.begin().await?;
        let published = standing::republish(&mut tx).await?;
        tx.commit().await?;
        Ok(published.total())
    }
}

/// Lets the passing of time take effect. One replica does it; a failure is tried again at the next round.
async fn tidy(pool: PgPool, grace_days: i32, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match tidy_once(&pool, grace_days).await {
            Ok(0) => {}
            Ok(published) => tracing::info!(published, "the passing of time changed who is where"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "tidying failed; it will be tried again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TIDY_EVERY) => {}
        }
    }
}

async fn tidy_once(pool: &PgPool, grace_days: i32) -> Result<u64, DbError> {
    // Under the lock of imports: both write the states.
    let Some(held) = lock::try_hold(pool, import::LOCK).await? else { return Ok(0) };
    let mut tx = pool.begin().await?;
    sqlx::query("set local statement_timeout = 0").execute(&mut *tx).await?;
    standing::let_go(&mut tx, grace_days).await?;
    let published = standing::refresh(&mut tx, &mut |_| {}).await?;
    tx.commit().await?;
    held.release().await;
    Ok(published.total())
}
