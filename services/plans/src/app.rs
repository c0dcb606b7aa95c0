//! The service, put together.

use std::sync::Arc;

use chassis_access::RelationshipFeed;
use chassis_boot::{Context, Parts};
use chassis_events::{Handler, Topic};
use chassis_pg::Migrations;
use proto::plans::v1::delivery_service_server::DeliveryServiceServer;
use proto::plans::v1::follow_up_service_server::FollowUpServiceServer;
use proto::plans::v1::plan_service_server::PlanServiceServer;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use serde::Deserialize;

use crate::case_feed::CaseFeed;
use crate::grpc::Plans;
use crate::referral_feed::ReferralFeed;
use crate::review_feed::ReviewFeed;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/plans");

/// What the service needs of its database.
pub const MIGRATIONS: Migrations = Migrations { schema: "plans", own: &MIGRATOR };

/// Topic of plans.
pub const PLAN_TOPIC: &str = "plans.plan.v1";
/// Topic of needs that are not protected.
pub const NEED_TOPIC: &str = "plans.need.v1";
/// Topic of items none of whose needs is protected.
pub const ITEM_TOPIC: &str = "plans.item.v1";
/// Topic of deliveries, but for those of protected items.
pub const DELIVERY_TOPIC: &str = "plans.delivery.v1";
/// Topic of protected needs, and of the items and deliveries that answer them.
pub const PROTECTED_TOPIC: &str = "plans.protected-need.v1";

/// Topic of goals that are not protected.
pub const GOAL_TOPIC: &str = "plans.goal.v1";
/// Topic of follow-ups that are not protected.
pub const FOLLOW_UP_TOPIC: &str = "plans.follow-up.v1";
/// Topic of hand-overs between schools.
pub const TRANSITION_TOPIC: &str = "plans.transition.v1";

/// The service's own settings; `default.toml` documents them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// School days after which a need with nothing in place is unmet.
    pub unmet_after_school_days: u16,
    /// No-shows in a row that raise a follow-up.
    pub no_show_limit: u16,
}

/// The plans service.
#[derive(Clone, Copy, Debug)]
pub struct App;

impl chassis_boot::Service for App {
    type Own = Settings;
    const NAME: &'static str = "plans";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    const TOPICS: &'static [Topic] = &[
        Topic::full(PLAN_TOPIC),
        Topic::full(NEED_TOPIC),
        Topic::full(ITEM_TOPIC),
        Topic::full(DELIVERY_TOPIC),
        Topic::full(PROTECTED_TOPIC),
        Topic::full(GOAL_TOPIC),
        Topic::full(FOLLOW_UP_TOPIC),
        Topic::full(TRANSITION_TOPIC),
    ];

    fn migrations() -> Option<Migrations> {
        Some(MIGRATIONS)
    }

    fn handlers(_context: &Context<Settings>) -> Vec<(&'static str, Arc<dyn Handler>)> {
        vec![
            ("relationships", Arc::new(RelationshipFeed)),
            ("reviews", Arc::new(ReviewFeed)),
            ("referrals", Arc::new(ReferralFeed)),
            ("cases", Arc::new(CaseFeed)),
        ]
    }

    async fn build(context: Context<Settings>) -> anyhow::Result<Parts> {
        let address = &context.settings.peers.rosters;
        let rosters = if address.is_empty() { None } else { Some(RosterServiceClient::new(context.channel(address)?)) };
        let own = &context.settings.service;
        let plans = Plans {
            pool: context.pool,
            access: context.access,
            unmet_after: own.unmet_after_school_days.into(),
            no_show_limit: own.no_show_limit.into(),
            rosters,
            stop: context.stop,
        };
        let routes = tonic::service::Routes::new(PlanServiceServer::new(plans.clone()))
            .add_service(FollowUpServiceServer::new(plans.clone()))
            .add_service(DeliveryServiceServer::new(plans));
        Ok(Parts::grpc(routes))
    }
}
