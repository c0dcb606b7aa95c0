//! A small fictional district for the tests: events as the other services send them, and what plans said in answer.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a panic in a test is its report")]

use chassis_access::Clearance;
use chassis_events::{Event, Handler};
use chassis_pg::idempotency::Request;
use chrono::{DateTime, Utc};
use plans::plan::{self, WholePlan};
use plans::plan_item::{self, entity::Item};
use plans::referral_feed::ReferralFeed;
use plans::review_feed::ReviewFeed;
use prost::{Message, Name};
use proto::partners::v1::{Outcome, ReferralChanged, ReferralState};
use proto::plans::v1::{NeedChanged, PlanItemChanged};
use proto::reviews::v1::{EntryFact, Polarity, ProtectedNeedsRecorded, StudentReviewChanged, StudentReviewState, TierAssigned};
use proto::r#type::v1::{Certainty, Domain, Sensitivity, Tier};
use sqlx::PgPool;
use uuid::Uuid;

/// School year of every event here.
pub const YEAR: i32 = 2027;

/// One student with one class review, and the database that knows of them.
pub struct District {
    pub pool: PgPool,
    pub student: Uuid,
    pub school: Uuid,
    pub class_review: Uuid,
}

pub fn stamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.timestamp(), nanos: 0 }
}

/// So many days before now.
pub fn days_ago(days: i64) -> DateTime<Utc> {
    Utc::now() - chrono::TimeDelta::days(days)
}

pub fn request(method: &'static str) -> Request {
    Request::new("a-tester", method, Uuid::now_v7(), b"")
}

/// An entry of a review about academics, recorded so many days ago.
pub fn entry(polarity: Polarity, code: &str, sensitivity: Sensitivity, days: i64) -> EntryFact {
    EntryFact {
        entry_id: Uuid::now_v7().to_string(),
        polarity: polarity.into(),
        code: code.to_owned(),
        domain: Domain::Academics.into(),
        severity: 2,
        certainty: Certainty::Observed.into(),
        sensitivity: sensitivity.into(),
        recorded_time: Some(stamp(days_ago(days))),
    }
}

pub fn need(code: &str, sensitivity: Sensitivity, days: i64) -> EntryFact {
    entry(Polarity::Need, code, sensitivity, days)
}

pub fn id(text: &str) -> Uuid {
    text.parse().unwrap()
}

impl District {
    pub async fn open() -> Self {
        let pool = chassis_pg::testing::database(&plans::MIGRATIONS).await;
        let district = Self { pool, student: Uuid::now_v7(), school: Uuid::now_v7(), class_review: Uuid::now_v7() };
        sqlx::query("insert into relationship (subject, relation, object) values ($1, 'attends', $2)")
            .bind(district.student)
            .bind(district.school)
            .execute(&district.pool)
            .await
            .unwrap();
        district
    }

    pub async fn apply<M: Message + Name>(&self, handler: &dyn Handler, topic: &str, message: &M) {
        let mut tx = self.pool.begin().await.unwrap();
        handler.apply(&mut tx, &Event::new(topic, self.student, message, None)).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub fn review_message(&self, version: i64, entries: &[EntryFact]) -> StudentReviewChanged {
        StudentReviewChanged {
            class_review_id: self.class_review.to_string(),
            student_id: self.student.to_string(),
            school_id: self.school.to_string(),
            class_id: Uuid::now_v7().to_string(),
            school_year: YEAR,
            state: StudentReviewState::Reviewed.into(),
            entries: entries.to_vec(),
            version,
            time: Some(stamp(Utc::now())),
            ..StudentReviewChanged::default()
        }
    }

    pub async fn reviewed(&self, version: i64, entries: &[EntryFact]) {
        self.apply(&ReviewFeed, "reviews.student-review.v1", &self.review_message(version, entries)).await;
    }

    pub async fn review_event(&self, message: &StudentReviewChanged) {
        self.apply(&ReviewFeed, "reviews.student-review.v1", message).await;
    }

    pub async fn protected(&self, version: i64, entries: &[EntryFact]) {
        let message = ProtectedNeedsRecorded {
            class_review_id: self.class_review.to_string(),
            student_id: self.student.to_string(),
            school_id: self.school.to_string(),
            school_year: YEAR,
            entries: entries.to_vec(),
            version,
            time: Some(stamp(Utc::now())),
        };
        self.apply(&ReviewFeed, "reviews.protected-need.v1", &message).await;
    }

    pub async fn tier(&self, tier: Tier, effective: DateTime<Utc>) {
        let message = TierAssigned {
            student_id: self.student.to_string(),
            school_id: self.school.to_string(),
            school_year: YEAR,
            tier: tier.into(),
            effective_time: Some(stamp(effective)),
            tier_assignment_id: Uuid::now_v7().to_string(),
            ..TierAssigned::default()
        };
        self.apply(&ReviewFeed, "reviews.tier.v1", &message).await;
    }

    /// A referral's event; `change` sets what the test is about.
    pub async fn referral(&self, topic: &str, referral: Uuid, version: i64, state: ReferralState, change: impl FnOnce(&mut ReferralChanged)) {
        let mut message = ReferralChanged {
            referral_id: referral.to_string(),
            student_id: self.student.to_string(),
            school_id: self.school.to_string(),
            partner_id: Uuid::now_v7().to_string(),
            service_id: Uuid::now_v7().to_string(),
            state: state.into(),
            outcome: Outcome::Unspecified.into(),
            version,
            time: Some(stamp(Utc::now() + chrono::TimeDelta::seconds(version))),
            service_category: "ED-TUT".to_owned(),
            ..ReferralChanged::default()
        };
        change(&mut message);
        self.apply(&ReferralFeed, topic, &message).await;
    }

    pub async fn plan(&self, clearance: &Clearance) -> WholePlan {
        plan::get(&self.pool, self.student, None, clearance).await.unwrap()
    }

    pub fn item(&self, plan_id: Uuid, need_ids: &[&str]) -> Item {
        Item {
            plan_item_id: Uuid::now_v7(),
            plan_id,
            student_id: Uuid::nil(),
            school_id: Uuid::nil(),
            school_year: 0,
            need_ids: need_ids.iter().map(|n| id(n)).collect(),
            builds_on_codes: vec![],
            kind: plan_item::entity::ItemKind::Service,
            service_category: "ED-TUT".to_owned(),
            description: "Reading twice a week".to_owned(),
            owner: None,
            first_step_owner: None,
            due_on: None,
            state: plan_item::entity::ItemState::Planned,
            ended_reason: None,
            referral_id: None,
            sensitivity: plan_item::entity::Sensitivity::General,
            version: 1,
            arrangement: plans::plan_item::entity::Arrangement { priority: 2, ..Default::default() },
        }
    }

    /// Adds an item for needs, with all clearance.
    pub async fn add(&self, need_ids: &[&str]) -> Item {
        let plan = self.plan(&Clearance::full()).await.plan;
        let command = plan_item::Add { item: self.item(plan.plan_id, need_ids), request: request("plans.AddPlanItem") };
        plan_item::add(&self.pool, &command, &Clearance::full()).await.unwrap()
    }

    pub async fn item_now(&self, item: &Item) -> Item {
        let mut conn = self.pool.acquire().await.unwrap();
        plan_item::repo::by_id(&mut conn, item.plan_item_id).await.unwrap().unwrap()
    }

    pub async fn need_now(&self, need_id: &str) -> plans::need::entity::Need {
        let mut conn = self.pool.acquire().await.unwrap();
        plans::need::repo::by_ids(&mut conn, &[id(need_id)]).await.unwrap().pop().unwrap()
    }

    /// Payloads in the outbox of one kind and topic, in order.
    pub async fn told<M: Message + Name + Default>(&self, topic: &str) -> Vec<M> {
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar("select payload from outbox where aggregatetype = $1 and type = $2 order by position")
            .bind(topic)
            .bind(M::full_name())
            .fetch_all(&self.pool)
            .await
            .unwrap();
        payloads.iter().map(|p| M::decode(&p[..]).unwrap()).collect()
    }

    pub async fn needs_told(&self) -> Vec<NeedChanged> {
        self.told("plans.need.v1").await
    }

    pub async fn items_told(&self) -> Vec<PlanItemChanged> {
        self.told("plans.item.v1").await
    }

    pub async fn outbox_size(&self) -> i64 {
        sqlx::query_scalar("select count(*) from outbox").fetch_one(&self.pool).await.unwrap()
    }
}
