//! What organisations offer, and how many places there are. Use cases, one transaction each.

pub mod entity;
pub mod error;
pub mod grpc;
pub mod places;
pub mod repo;

use chassis_pg::idempotency::{self, Claim};
use sqlx::PgPool;
use uuid::Uuid;

pub use entity::{Capacity, Service};
pub use error::ServiceError;

/// Adds a service (`expected_version` 0), with places not limited yet, or changes it.
pub async fn put(pool: &PgPool, service: &Service, expected_version: i64, request: &idempotency::Request) -> Result<Service, ServiceError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        if expected_version == 0 {
            repo::insert(&mut tx, service).await?;
            places::open(&mut tx, service.service_id).await?;
        } else if !repo::update(&mut tx, service, expected_version).await? {
            return Err(match repo::load(&mut tx, service.service_id).await? {
                Some(held) if held.partner_id != service.partner_id => ServiceError::OfAnother,
                Some(_) => ServiceError::Stale,
                None => ServiceError::NotFound,
            });
        }
    }
    let stored = repo::load(&mut tx, service.service_id).await?.ok_or(ServiceError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}

/// Sets how many places there are; may be below what is taken.
pub async fn set_capacity(pool: &PgPool, service_id: Uuid, maximum: i32, request: &idempotency::Request) -> Result<Capacity, ServiceError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        places::set_maximum(&mut tx, service_id, maximum).await?;
    }
    let stored = repo::load(&mut tx, service_id).await?.ok_or(ServiceError::NotFound)?;
    tx.commit().await?;
    Ok(stored.capacity)
}
