//! Who is on the case of a student: named by the coordinator, or for a few hours by breaking the glass.

pub mod entity;
pub mod error;
mod events;
mod grpc;
mod repo;
pub mod sight;
#[cfg(test)]
mod tests;

use chassis_access::AccessError;
use chassis_events::outbox;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::PageRequest;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::concern::clock;
use crate::error::Refusal;
use entity::{CaseAccess, Kind};
use error::CaseAccessError;

/// Use cases of case access.
#[derive(Clone, Debug)]
pub struct CaseAccesses {
    pool: PgPool,
}

/// What is given to whom.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Idempotency.
    pub request: idempotency::Request,
    /// Its id, chosen by the client.
    pub id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// To whom.
    pub staff_id: Uuid,
    /// How.
    pub kind: Kind,
    /// Why.
    pub reason: String,
    /// By whom.
    pub author: Uuid,
}

/// Which ones a list holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Of a student.
    pub student_id: Option<Uuid>,
    /// Of a school.
    pub school_id: Option<Uuid>,
    /// Only those that hold now.
    pub active_only: bool,
    /// Also those who were named: that somebody was tells that there is a case.
    pub named_too: bool,
    /// The caller, who may see that they were named.
    pub own: Option<Uuid>,
}

impl CaseAccesses {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// One case access.
    pub async fn get(&self, id: Uuid) -> Result<Option<CaseAccess>, CaseAccessError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::find(&mut conn, id).await?)
    }

    /// Newest first.
    pub async fn list(&self, wanted: &Wanted, page: &PageRequest<(DateTime<Utc>, Uuid)>) -> Result<Vec<CaseAccess>, CaseAccessError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::list(&mut conn, wanted, page).await?)
    }

    /// Puts somebody on a case. It holds here once this answers; the event brings it to the other services.
    pub async fn grant(&self, grant: Grant) -> Result<CaseAccess, CaseAccessError> {
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, &grant.request).await? == Claim::Replay {
            return repo::find(&mut tx, grant.id).await?.ok_or(CaseAccessError::Exists);
        }
        let now = clock::now();
        let access = CaseAccess {
            id: grant.id,
            student_id: grant.student_id,
            school_id: grant.school_id,
            staff_id: grant.staff_id,
            kind: grant.kind,
            reason: grant.reason,
            granted_by: grant.author,
            granted_at: now,
            expires_at: grant.kind.lasts().map(|lasts| now + lasts),
            revoked: None,
            version: 1,
        };
        if !repo::insert(&mut tx, &access).await? {
            return Err(CaseAccessError::Exists);
        }
        repo::put_relationship(&mut tx, &access).await?;
        outbox::append(&mut tx, &events::changed(&access, now)).await?;
        tx.commit().await?;
        Ok(access)
    }

    /// Takes somebody off a case.
    pub async fn revoke(&self, request: &idempotency::Request, id: Uuid, expected_version: i64, author: Uuid) -> Result<CaseAccess, CaseAccessError> {
        let gone = || AccessError::Denied { action: request.method.to_owned() };
        let mut tx = self.pool.begin().await?;
        if idempotency::claim(&mut tx, request).await? == Claim::Replay {
            return Ok(repo::find(&mut tx, id).await?.ok_or_else(gone)?);
        }
        repo::lock(&mut tx, id).await?;
        let access = repo::find(&mut tx, id).await?.ok_or_else(gone)?;
        if access.version != expected_version {
            return Err(CaseAccessError::Refused(Refusal::Stale));
        }
        let now = clock::now();
        let next = access.transition(author, now)?;
        repo::revoke(&mut tx, &next, author).await?;
        repo::put_relationship(&mut tx, &next).await?;
        outbox::append(&mut tx, &events::changed(&next, now)).await?;
        tx.commit().await?;
        Ok(next)
    }
}
