//! Review cycles: seasons in which classes are reviewed.

pub mod entity;
pub mod error;
mod grpc;
pub(crate) mod repo;
#[cfg(test)]
mod tests;

use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::taxonomy::TAXONOMY_VERSION;
use crate::tier::rule::RULES_VERSION;
use crate::words::Season;
use entity::Cycle;
use error::CycleError;

/// Use cases of cycles.
#[derive(Clone, Debug)]
pub struct Cycles {
    pool: PgPool,
}

/// What a cycle is made from.
#[derive(Clone, Debug)]
pub struct Create {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Who.
    pub author: Uuid,
    /// School year.
    pub school_year: i32,
    /// Season.
    pub season: Season,
    /// First day.
    pub opens_on: NaiveDate,
    /// Last day.
    pub closes_on: NaiveDate,
    /// What a review must have beyond domains, tier and strength.
    pub required_fields: Vec<String>,
}

/// Ids of cycles come from the request, so that a replay finds what it made.
fn id_of(request: &idempotency::Request) -> Uuid {
    Uuid::new_v5(&request.request_id, request.caller.as_bytes())
}

impl Cycles {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Opens a season.
    pub async fn create(&self, command: Create) -> Result<Cycle, CycleError> {
        let mut tx = self.pool.begin().await?;
        let id = id_of(&command.request);
        if idempotency::claim(&mut tx, &command.request).await? == Claim::Replay {
            let missing = DbError::Inconsistent { table: "reviews.review_cycle", what: "a request was claimed but its cycle is not there" };
            return Ok(repo::find(&mut tx, id).await?.ok_or(missing)?);
        }
        let cycle = Cycle {
            id,
            school_year: command.school_year,
            season: command.season,
            opens_on: command.opens_on,
            closes_on: command.closes_on,
            taxonomy_version: TAXONOMY_VERSION.to_owned(),
            tier_rules_version: RULES_VERSION.to_owned(),
            required_fields: command.required_fields,
        };
        match repo::insert(&mut tx, &cycle, command.author).await {
            Err(error) if error.constraint() == Some("review_cycle_school_year_season_key") => return Err(CycleError::Exists),
            done => done?,
        }
        tx.commit().await?;
        Ok(cycle)
    }

    /// Newest first, at most 100.
    pub async fn list(&self, school_year: Option<i32>) -> Result<Vec<Cycle>, CycleError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::list(&mut conn, school_year).await?)
    }
}
