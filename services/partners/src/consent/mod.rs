//! What families agreed to share: with whom, what, from when to when. Taking it back ends what relied on it.

pub mod entity;
pub mod error;
pub mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim};
use chrono::{NaiveDate, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub use entity::{Consent, Cover};
pub use error::ConsentError;

use crate::referral;

/// Proof that a consent and an agreement cover these scopes of this student for this partner, today. [`check`] alone
/// makes one, and the ledger writes nothing without it.
#[derive(Debug)]
pub struct Covered {
    consent_id: Uuid,
    student_id: Uuid,
    partner_id: Uuid,
    scopes: Vec<String>,
}

impl Covered {
    /// The consent.
    pub fn consent_id(&self) -> Uuid {
        self.consent_id
    }
    /// Whose record.
    pub fn student_id(&self) -> Uuid {
        self.student_id
    }
    /// Who may receive.
    pub fn partner_id(&self) -> Uuid {
        self.partner_id
    }
    /// What.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

/// What is missing before something may be shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(pub Vec<&'static str>);

/// Whether `scopes` of a student may go to a partner on a day. Holds the consents until the transaction ends, so that
/// none is taken back in between.
pub async fn check(
    conn: &mut PgConnection,
    student_id: Uuid,
    partner_id: Uuid,
    scopes: &[String],
    today: NaiveDate,
) -> Result<Result<Covered, Missing>, chassis_pg::DbError> {
    let consents = repo::of_student_and_partner(conn, student_id, partner_id).await?;
    let papers = repo::papers(conn, partner_id, today).await?;
    let mut missing = Vec::new();
    let cover = entity::cover(&consents, scopes, today);
    match cover {
        Cover::By(_) => {}
        Cover::ScopeNotCovered => missing.push("SCOPE_NOT_COVERED"),
        Cover::Missing => missing.push("CONSENT_MISSING"),
    }
    if !papers.data_sharing {
        missing.push("AGREEMENT_MISSING");
    }
    // Some sectors receive a student's data on a legal basis only, which no consent replaces.
    if !crate::taxonomy::receives_by_consent(&papers.sector) {
        missing.push("LEGAL_BASIS_REQUIRED");
    }
    Ok(match cover {
        Cover::By(consent_id) if missing.is_empty() => Ok(Covered { consent_id, student_id, partner_id, scopes: scopes.to_vec() }),
        _ => Err(Missing(missing)),
    })
}

/// Records a consent. The same consent again is answered as it stands; another one under its id is refused.
pub async fn put(pool: &PgPool, consent: &Consent, request: &idempotency::Request) -> Result<Consent, ConsentError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        repo::insert(&mut tx, consent).await?;
    }
    let stored = repo::load(&mut tx, consent.consent_id).await?.ok_or(ConsentError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}

/// Takes a consent back: open referrals that rely on it are withdrawn and what was shared is recalled, all at once.
pub async fn revoke(pool: &PgPool, consent_id: Uuid, by_staff_id: Uuid, request: &idempotency::Request) -> Result<Consent, ConsentError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        let consent = repo::lock(&mut tx, consent_id).await?.ok_or(ConsentError::NotFound)?;
        if consent.revoked_at.is_none() {
            repo::revoke(&mut tx, consent_id, Utc::now()).await?;
            referral::end_what_relied_on(&mut tx, consent_id, by_staff_id).await?;
        }
    }
    let stored = repo::load(&mut tx, consent_id).await?.ok_or(ConsentError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}
