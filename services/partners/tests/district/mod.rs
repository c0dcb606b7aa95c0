//! A small fictional district for the tests: partners with papers, services with places, families with consents.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part of it, and a panic there is the report")]

use chassis_pg::idempotency::Request;
use chrono::{Days, Utc};
use partners::consent::{self, Consent};
use partners::partner::{self, Agreement, Partner};
use partners::referral::{self, Actor, Draft, Mode, Reason, Referral, ReferralError, Side, Transition, Urgency};
use partners::service::{self, Capacity, Service};
use sqlx::PgPool;
use uuid::Uuid;

pub const STAFF: Actor = Actor { side: Side::Requester, staff_id: Uuid::from_u128(7) };
pub const PARTNER: Actor = Actor { side: Side::Partner, staff_id: Uuid::nil() };

pub async fn database() -> PgPool {
    chassis_pg::testing::database(&partners::MIGRATIONS).await
}

pub fn request() -> Request {
    Request::new("test", "partners.Test", Uuid::now_v7(), b"")
}

pub async fn partner(pool: &PgPool, sector: &str) -> Uuid {
    let partner = Partner { partner_id: Uuid::now_v7(), name: "Fictional Helpers".into(), sector: sector.into(), status: "active".into(), version: 1 };
    partner::put(pool, &partner, 0, &request()).await.unwrap();
    partner.partner_id
}

pub async fn agreement(pool: &PgPool, partner_id: Uuid) {
    let today = Utc::now().date_naive();
    let agreement = Agreement { agreement_id: Uuid::now_v7(), partner_id, kind: "data_sharing".into(), valid_from: today, valid_to: today };
    partner::put_agreement(pool, &agreement, &request()).await.unwrap();
}

pub async fn service(pool: &PgPool, partner_id: Uuid, category: &str, maximum: i32) -> Uuid {
    let service = Service {
        service_id: Uuid::now_v7(),
        partner_id,
        partner_name: String::new(),
        name: "Homework club".into(),
        category: category.into(),
        description: "Reading with older students".into(),
        status: "active".into(),
        minimum_age: 0,
        maximum_age: 0,
        languages: vec!["en".into()],
        school_ids: vec![],
        version: 1,
        capacity: Capacity { maximum: -1, taken: 0, waitlisted: 0, updated_at: Utc::now() },
    };
    service::put(pool, &service, 0, &request()).await.unwrap();
    service::set_capacity(pool, service.service_id, maximum, &request()).await.unwrap();
    service.service_id
}

pub async fn consent(pool: &PgPool, student_id: Uuid, partner_id: Uuid, scopes: &[&str]) -> Uuid {
    let today = Utc::now().date_naive();
    let consent = Consent {
        consent_id: Uuid::now_v7(),
        student_id,
        partner_id,
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        purpose: "service".into(),
        signer_kind: "guardian".into(),
        method: "paper".into(),
        valid_from: today,
        expires_on: today + Days::new(30),
        language: "en".into(),
        recorded_by: STAFF.staff_id,
        revoked_at: None,
    };
    consent::put(pool, &consent, &request()).await.unwrap().consent_id
}

pub fn draft(student_id: Uuid, service_id: Uuid, mode: Mode, scopes: &[&str]) -> Draft {
    Draft {
        referral_id: Uuid::now_v7(),
        student_id,
        school_id: Uuid::from_u128(100),
        need_ids: vec![Uuid::now_v7(), Uuid::now_v7()],
        need_codes: vec!["ACA-RDG".into(), "SEB-SUB".into()],
        plan_item_id: None,
        service_id,
        urgency: Urgency::Routine,
        mode,
        shared_scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        first_step_owner: "partner".into(),
        requested_by: STAFF.staff_id,
    }
}

/// A partner with papers and one service.
pub async fn ready(pool: &PgPool, maximum: i32) -> (Uuid, Uuid) {
    let partner_id = partner(pool, "SEC-CBO").await;
    agreement(pool, partner_id).await;
    (partner_id, service(pool, partner_id, "ED-TUT", maximum).await)
}

/// A referral that has been sent.
pub async fn sent(pool: &PgPool, partner_id: Uuid, service_id: Uuid) -> Referral {
    let student = Uuid::now_v7();
    consent(pool, student, partner_id, &["identity", "needs", "plan_item"]).await;
    let created = referral::create(pool, draft(student, service_id, Mode::Normal, &["identity", "needs", "plan_item"]), &request()).await.unwrap();
    referral::send(pool, created.referral_id, STAFF, 1, &request()).await.unwrap()
}

/// A transition, with a reason that suits where one is needed.
pub async fn advance(pool: &PgPool, id: Uuid, actor: Actor, transition: Transition) -> Result<Referral, ReferralError> {
    let code = match transition {
        Transition::Decline | Transition::Withdraw => "no_longer_interested",
        Transition::Stop | Transition::Pause => "no_shows",
        _ => "",
    };
    referral::advance(pool, id, actor, transition, Reason::read(code, "").unwrap(), 0, &request()).await
}

pub async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}
