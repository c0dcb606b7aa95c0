//! Who needs attention in September: by a coordinator's word, else by rule (most support, an open referral), and whether they
//! were contacted.

pub(crate) mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim, Request};
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::PlanError;
use crate::history::{self, Step};

/// A student on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Student.
    pub student_id: Uuid,
    /// Where they go to school.
    pub school_id: Uuid,
    /// The year that begins in this September.
    pub school_year: i32,
    /// Needs attention.
    pub attention: bool,
    /// `coordinator`, `tier_3` or `open_referral`.
    pub because: String,
    /// What to know.
    pub note: String,
    /// When they were contacted.
    pub contacted_on: Option<NaiveDate>,
    /// By whom.
    pub contacted_by: Option<Uuid>,
    /// 0 where nobody marked them yet.
    pub version: i64,
}

/// A coordinator's word on one student.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Student.
    pub student_id: Uuid,
    /// The year that begins.
    pub school_year: i32,
    /// Needs attention.
    pub attention: bool,
    /// What to know.
    pub note: String,
    /// They were contacted today.
    pub contacted: bool,
    /// Who says so.
    pub staff_id: Uuid,
    /// 0 where nobody marked them yet.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Keeps a coordinator's word. A contact that was noted stays noted.
pub async fn mark(pool: &PgPool, command: &Mark) -> Result<Entry, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, &command.request).await? == Claim::New {
        if !repo::put(&mut tx, command).await? {
            return Err(PlanError::Stale);
        }
        let (version, state) = (command.expected_version + 1, if command.attention { "attention" } else { "no_attention" });
        let reason = if command.contacted { "contacted" } else { "" };
        let id = Uuid::new_v5(&command.student_id, &command.school_year.to_be_bytes());
        history::append(&mut tx, Step { aggregate: "september_mark", id, version, state, reason, by: &command.request.caller }).await?;
    }
    let stored = repo::marked(&mut tx, command.student_id, command.school_year).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(stored)
}
