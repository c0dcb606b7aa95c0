//! Tangible aid: winter clothes, food, a voucher. Written once, and as closed as the needs it answers.

pub mod entity;
pub(crate) mod grpc;
pub mod repo;

use std::collections::HashMap;

use chassis_access::Clearance;
use chassis_pg::idempotency::{self, Claim, Request};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::calendar::today;
use crate::codes::Sensitivity;
use crate::error::PlanError;
use crate::history::{self, Step};
use crate::need::{self, entity::Need};
use crate::sight::may_see;

use entity::Aid;

/// Notes aid.
#[derive(Clone, Debug)]
pub struct Record {
    /// As given. Its school is filled in by the caller.
    pub aid: Aid,
    /// So that it happens once.
    pub request: Request,
}

/// Aid with what it is as sensitive as.
pub type SeenAid = (Aid, Sensitivity);

/// Notes aid for needs that the caller may see, or for none.
pub async fn record(pool: &PgPool, command: &Record, clearance: &Clearance) -> Result<SeenAid, PlanError> {
    let aid = &command.aid;
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    if claim == Claim::New {
        if aid.given_on > today() {
            return Err(PlanError::field("aid.given_on", "must not be in the future"));
        }
        let needs = need::repo::by_ids(&mut tx, &aid.need_ids).await?;
        for (i, id) in aid.need_ids.iter().enumerate() {
            if !needs.iter().any(|n| n.need_id == *id && n.student_id == aid.student_id && may_see(clearance, n.sensitivity, n.domain)) {
                return Err(PlanError::field(&format!("aid.need_ids[{i}]"), "is not a need of this student; take one that GetPlan answers"));
            }
        }
        let mut once = aid.clone();
        once.need_ids.sort_unstable();
        once.need_ids.dedup();
        if !repo::insert(&mut tx, &once, &command.request.caller).await? {
            return Err(PlanError::Exists("aid"));
        }
        history::append(&mut tx, Step { aggregate: "aid", id: aid.aid_id, version: 1, state: "given", reason: "", by: &command.request.caller }).await?;
    }
    let stored = seen(&mut tx, aid.student_id, Some(aid.aid_id), clearance).await?.pop().ok_or_else(|| PlanError::unknown(command.request.method))?;
    tx.commit().await?;
    Ok(stored)
}

/// Aid of a student that the caller may see: none of which answers a need that they may not see.
pub async fn list(pool: &PgPool, student_id: Uuid, clearance: &Clearance) -> Result<Vec<SeenAid>, PlanError> {
    let mut aids = seen(&mut *pool.acquire().await?, student_id, None, clearance).await?;
    aids.truncate(200);
    Ok(aids)
}

async fn seen(conn: &mut PgConnection, student_id: Uuid, only: Option<Uuid>, clearance: &Clearance) -> Result<Vec<SeenAid>, PlanError> {
    let aids = repo::of_student(conn, student_id, only).await?;
    let need_ids: Vec<Uuid> = aids.iter().flat_map(|a| a.need_ids.iter().copied()).collect();
    let needs: HashMap<Uuid, Need> = need::repo::by_ids(conn, &need_ids).await?.into_iter().map(|n| (n.need_id, n)).collect();
    let of = |aid: &Aid| aid.need_ids.iter().filter_map(|id| needs.get(id)).collect::<Vec<_>>();
    let open = |aid: &Aid| of(aid).iter().all(|n| may_see(clearance, n.sensitivity, n.domain));
    Ok(aids.into_iter().filter(open).map(|aid| (aid.clone(), entity::sensitivity(of(&aid).into_iter()))).collect())
}
