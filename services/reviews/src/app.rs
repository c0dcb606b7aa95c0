//! How the service is put together.

use std::sync::Arc;

use anyhow::Context as _;
use chassis_access::RelationshipFeed;
use chassis_boot::{Context, Parts};
use chassis_events::{Handler, Topic};
use chassis_pg::Migrations;
use proto::reviews::v1::concern_service_server::ConcernServiceServer;
use proto::reviews::v1::review_service_server::ReviewServiceServer;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use serde::Deserialize;

use crate::cases::Cases;
use crate::concern::clock::Clock;
use crate::grpc::Reviews;
use crate::student_review::leavers::Leavers;
use crate::taxonomy::Taxonomy;
use crate::{activity, amendment, case_access, class_review, concern, cycle, individual_review, live, prior, student_review, tier};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/reviews");

/// The service's schema.
pub const MIGRATIONS: Migrations = Migrations { schema: "reviews", own: &MIGRATOR };

/// State of class reviews; key class_review_id.
pub const CLASS_REVIEW_TOPIC: &str = "reviews.class-review.v1";
/// Student reviews; key student_id.
pub const STUDENT_REVIEW_TOPIC: &str = "reviews.student-review.v1";
/// Tiers that were decided; key student_id.
pub const TIER_TOPIC: &str = "reviews.tier.v1";
/// Protected needs; key student_id, readers by name.
pub const PROTECTED_NEED_TOPIC: &str = "reviews.protected-need.v1";

/// Needs that are understood as other needs now; key student_id.
pub const RECLASSIFIED_TOPIC: &str = "reviews.need-reclassified.v1";
/// Concerns that are not protected; key student_id.
pub const CONCERN_TOPIC: &str = "reviews.concern.v1";
/// Individual reviews that are not protected; key student_id.
pub const INDIVIDUAL_REVIEW_TOPIC: &str = "reviews.individual-review.v1";
/// Protected concerns and individual reviews; key student_id, readers by name.
pub const PROTECTED_CASE_TOPIC: &str = "reviews.protected-case.v1";
/// Who is on the protected case of a student; key student_id.
pub const CASE_ACCESS_TOPIC: &str = "reviews.case-access.v1";

/// See `default.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// When a school day ends, as `15:30`.
    pub school_day_ends_at: String,
    /// What staff read first when they raise an urgent concern.
    pub crisis_instruction: String,
}

impl Settings {
    /// The clock by which answers are due.
    fn clock(&self) -> anyhow::Result<Clock> {
        let ends = chrono::NaiveTime::parse_from_str(&self.school_day_ends_at, "%H:%M").context("service.school_day_ends_at is not a time such as 15:30")?;
        Ok(Clock::new(chassis_clock::zone(), ends))
    }
}

/// The service.
#[derive(Debug)]
pub struct App;

impl chassis_boot::Service for App {
    type Own = Settings;
    const NAME: &'static str = "reviews";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    const TOPICS: &'static [Topic] = &[
        Topic::full(CLASS_REVIEW_TOPIC),
        Topic::full(STUDENT_REVIEW_TOPIC),
        Topic::full(TIER_TOPIC),
        Topic::full(PROTECTED_NEED_TOPIC),
        Topic::full(RECLASSIFIED_TOPIC),
        Topic::full(CONCERN_TOPIC),
        Topic::full(INDIVIDUAL_REVIEW_TOPIC),
        Topic::full(PROTECTED_CASE_TOPIC),
        Topic::full(CASE_ACCESS_TOPIC),
    ];

    fn migrations() -> Option<Migrations> {
        Some(MIGRATIONS)
    }

    fn handlers(_context: &Context<Settings>) -> Vec<(&'static str, Arc<dyn Handler>)> {
        vec![("relationships", Arc::new(RelationshipFeed)), ("leavers", Arc::new(Leavers))]
    }

    async fn build(context: Context<Settings>) -> anyhow::Result<Parts> {
        Taxonomy::load().context("the code lists are not usable")?;
        let rosters = RosterServiceClient::new(context.channel(&context.settings.peers.rosters)?);
        let clock = context.settings.service.clock()?;
        let cases = Cases {
            access: context.access.clone(),
            concerns: concern::Concerns::new(context.pool.clone()),
            individual_reviews: individual_review::IndividualReviews::new(context.pool.clone()),
            case_accesses: case_access::CaseAccesses::new(context.pool.clone()),
            clock,
            crisis_instruction: context.settings.service.crisis_instruction.clone(),
        };
        let reviews = Reviews {
            access: context.access.clone(),
            cycles: cycle::Cycles::new(context.pool.clone()),
            class_reviews: class_review::ClassReviews::new(context.pool.clone()),
            student_reviews: student_review::StudentReviews::new(context.pool.clone(), clock),
            activity: activity::Activity::new(context.pool.clone()),
            priors: prior::Priors::new(context.pool.clone(), clock),
            amendments: amendment::Amendments::new(context.pool.clone(), clock),
            live: live::Live::new(context.pool.clone(), context.stop.clone()),
            tiers: tier::Tiers::new(context.pool.clone()),
            places: class_review::places::Places::new(context.pool.clone()),
            rosters,
        };
        Ok(Parts::grpc(tonic::service::Routes::new(ReviewServiceServer::new(reviews)).add_service(ConcernServiceServer::new(cases))))
    }
}
