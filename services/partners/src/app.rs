//! The service, put together.

use std::sync::Arc;
use std::time::Duration;

use chassis_access::RelationshipFeed;
use chassis_boot::{Context, Parts};
use chassis_events::{Handler, Topic};
use chassis_pg::Migrations;
use proto::partners::v1::directory_service_server::DirectoryServiceServer;
use proto::partners::v1::referral_service_server::ReferralServiceServer;
use serde::Deserialize;

use crate::directory::Directory;
use crate::names::Roster;
use crate::referral::watch::Hub;
use crate::referrals::{Referrals, ReferralsServer};
use crate::{disclosure, referral, service};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/partners");

/// The schema.
pub const MIGRATIONS: Migrations = Migrations { schema: "partners", own: &MIGRATOR };

/// See `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct Settings {
    pub heartbeat_seconds: u64,
}

/// The partners service.
#[derive(Clone, Copy, Debug)]
pub struct App;

impl chassis_boot::Service for App {
    type Own = Settings;
    const NAME: &'static str = "partners";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    const TOPICS: &'static [Topic] = &[
        Topic::full(referral::events::TOPIC),
        Topic::full(referral::events::PROTECTED_TOPIC),
        Topic::state(service::places::TOPIC),
        Topic::full(disclosure::events::TOPIC),
    ];

    fn migrations() -> Option<Migrations> {
        Some(MIGRATIONS)
    }

    fn handlers(_context: &Context<Settings>) -> Vec<(&'static str, Arc<dyn Handler>)> {
        vec![("relationships", Arc::new(RelationshipFeed))]
    }

    async fn build(context: Context<Settings>) -> anyhow::Result<Parts> {
        let roster = Roster::new(context.channel(&context.settings.peers.rosters)?, context.identity.clone());
        let hub = Hub::default();
        let referrals = Referrals {
            pool: context.pool.clone(),
            access: context.access.clone(),
            names: Arc::new(roster),
            hub: hub.clone(),
            heartbeat: Duration::from_secs(context.settings.service.heartbeat_seconds.max(1)),
            stop: context.stop.clone(),
        };
        let directory = Directory { pool: context.pool.clone(), access: context.access.clone() };
        let routes =
            tonic::service::Routes::new(DirectoryServiceServer::new(directory)).add_service(ReferralServiceServer::new(ReferralsServer(Arc::new(referrals))));
        let pool = context.pool;
        Ok(Parts::grpc(routes).job(|stop| async move { hub.listen(pool, stop).await }))
    }

    async fn republish(context: Context<Settings>) -> anyhow::Result<u64> {
        let mut tx = context.pool.begin().await?;
        let told = service::places::republish(&mut tx).await?;
        tx.commit().await?;
        Ok(told)
    }
}
