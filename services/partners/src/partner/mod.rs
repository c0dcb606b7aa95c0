//! Organisations and their agreements. Use cases, one transaction each.

pub mod entity;
pub mod error;
pub mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim};
use sqlx::PgPool;

pub use entity::{Agreement, Partner};
pub use error::PartnerError;

/// Adds an organisation (`expected_version` 0) or changes it.
pub async fn put(pool: &PgPool, partner: &Partner, expected_version: i64, request: &idempotency::Request) -> Result<Partner, PartnerError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        if expected_version == 0 {
            repo::insert(&mut tx, partner).await?;
        } else if !repo::update(&mut tx, partner, expected_version).await? {
            return Err(if repo::load(&mut tx, partner.partner_id).await?.is_some() { PartnerError::Stale } else { PartnerError::NotFound });
        }
    }
    let stored = repo::load(&mut tx, partner.partner_id).await?.ok_or(PartnerError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}

/// Adds an agreement or changes its kind and dates. It stays with its organisation.
pub async fn put_agreement(pool: &PgPool, agreement: &Agreement, request: &idempotency::Request) -> Result<Agreement, PartnerError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New && !repo::put_agreement(&mut tx, agreement).await? {
        return Err(PartnerError::AgreementOfAnother);
    }
    let stored = repo::agreement(&mut tx, agreement.agreement_id).await?.ok_or(PartnerError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}
