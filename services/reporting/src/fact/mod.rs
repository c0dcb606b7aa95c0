//! From events to read models.
//!
//! Every event becomes at most one row, written by one statement that does nothing the second time. Nothing looks at
//! what another topic has brought, so topics may arrive in any order.

mod cases;
mod field;
mod partners;
mod plans;
mod reviews;
mod rosters;

use async_trait::async_trait;
use chassis_events::{ApplyError, Event, Handler};
use proto::partners::v1::{CapacityChanged, DisclosureRecorded, ReferralChanged};
use proto::plans::v1::{DeliveryLogged, GoalChanged, NeedChanged, PlanChanged, PlanItemChanged};
use proto::reviews::v1::{ClassReviewChanged, ConcernChanged, IndividualReviewChanged, StudentReviewChanged, TierAssigned};
use proto::rosters::v1::{ClassState, StudentState};
use sqlx::PgConnection;

/// Topics about who is where, and what reviews found.
pub const PEOPLE_TOPICS: [&str; 7] = [
    "rosters.student.v1",
    "rosters.class.v1",
    "reviews.class-review.v1",
    "reviews.student-review.v1",
    "reviews.tier.v1",
    "reviews.concern.v1",
    "reviews.individual-review.v1",
];

/// Topics about what was done.
pub const OUTCOME_TOPICS: [&str; 8] = [
    "plans.plan.v1",
    "plans.need.v1",
    "plans.item.v1",
    "plans.delivery.v1",
    "plans.goal.v1",
    "partners.referral.v1",
    "partners.capacity.v1",
    "partners.disclosure.v1",
];

/// Keeps students, classes, reviews, tiers, concerns and individual reviews.
#[derive(Clone, Copy, Debug)]
pub struct People;

#[async_trait]
impl Handler for People {
    fn topics(&self) -> Vec<&'static str> {
        PEOPLE_TOPICS.to_vec()
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        // An empty payload takes a key off a compacted topic; the state before it has said that the thing is gone.
        if event.payload.is_empty() {
            return Ok(());
        }
        if let Some(student) = event.decode::<StudentState>()? {
            rosters::student(conn, &student).await
        } else if let Some(class) = event.decode::<ClassState>()? {
            rosters::class(conn, &class).await
        } else if let Some(review) = event.decode::<ClassReviewChanged>()? {
            reviews::class_review(conn, &review).await
        } else if let Some(review) = event.decode::<StudentReviewChanged>()? {
            reviews::student_review(conn, &review).await
        } else if let Some(tier) = event.decode::<TierAssigned>()? {
            reviews::tier(conn, &tier).await
        } else if let Some(concern) = event.decode::<ConcernChanged>()? {
            cases::concern(conn, &concern).await
        } else if let Some(review) = event.decode::<IndividualReviewChanged>()? {
            cases::individual_review(conn, &review).await
        } else {
            Ok(())
        }
    }
}

/// Keeps plans, needs, items, deliveries, goals, referrals, capacity and disclosures.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes;

#[async_trait]
impl Handler for Outcomes {
    fn topics(&self) -> Vec<&'static str> {
        OUTCOME_TOPICS.to_vec()
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        if let Some(plan) = event.decode::<PlanChanged>()? {
            plans::plan(conn, &plan).await
        } else if let Some(need) = event.decode::<NeedChanged>()? {
            plans::need(conn, &need).await
        } else if let Some(item) = event.decode::<PlanItemChanged>()? {
            plans::item(conn, &item).await
        } else if let Some(delivery) = event.decode::<DeliveryLogged>()? {
            plans::delivery(conn, &delivery).await
        } else if let Some(goal) = event.decode::<GoalChanged>()? {
            plans::goal(conn, &goal).await
        } else if let Some(referral) = event.decode::<ReferralChanged>()? {
            partners::referral(conn, &referral).await
        } else if let Some(capacity) = event.decode::<CapacityChanged>()? {
            partners::capacity(conn, &capacity).await
        } else if let Some(disclosure) = event.decode::<DisclosureRecorded>()? {
            partners::disclosure(conn, &disclosure).await
        } else {
            Ok(())
        }
    }
}
