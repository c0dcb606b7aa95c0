//! How the service is put together.

use std::sync::Arc;

use chassis_access::RelationshipFeed;
use chassis_boot::{Context, Parts, Service};
use chassis_events::{Handler, Topic};
use chassis_pg::Migrations;
use proto::reporting::v1::reporting_service_server::ReportingServiceServer;
use serde::Deserialize;

use crate::equity::roster::Roster;
use crate::fact::{Outcomes, People};
use crate::grpc::Reporting;
use crate::suppression::LEAST_THRESHOLD;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/reporting");

/// The schema.
pub const MIGRATIONS: Migrations = Migrations { schema: "reporting", own: &MIGRATOR };

/// The service's own settings; `default.toml` documents each key.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Settings {
    /// Least number of students in a shown cell.
    pub small_cell_threshold: u32,
}

/// The reporting service.
pub struct App;

impl Service for App {
    type Own = Settings;
    const NAME: &'static str = "reporting";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    const TOPICS: &'static [Topic] = &[];

    fn migrations() -> Option<Migrations> {
        Some(MIGRATIONS)
    }

    // Each consumer holds connections, so topics that belong together share one.
    fn handlers(_context: &Context<Settings>) -> Vec<(&'static str, Arc<dyn Handler>)> {
        vec![("relationships", Arc::new(RelationshipFeed)), ("people_and_reviews", Arc::new(People)), ("plans_and_partners", Arc::new(Outcomes))]
    }

    async fn build(context: Context<Settings>) -> anyhow::Result<Parts> {
        let threshold = context.settings.service.small_cell_threshold;
        anyhow::ensure!(
            threshold >= LEAST_THRESHOLD,
            "service.small_cell_threshold is {threshold}; numbers about fewer than {LEAST_THRESHOLD} students must not be shown: set {LEAST_THRESHOLD} or more"
        );
        let roster = Roster::new(context.channel(&context.settings.peers.rosters)?, context.identity.clone());
        let reporting = Reporting { pool: context.pool.clone(), access: context.access.clone(), groups: Arc::new(roster), threshold };
        Ok(Parts::grpc(tonic::service::Routes::new(ReportingServiceServer::new(reporting))))
    }
}
