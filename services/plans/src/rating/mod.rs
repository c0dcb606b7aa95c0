//! How much something helped, by whom. Staff's and the family's word are never mixed.

pub(crate) mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim, Request};
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::calendar::today;
pub use crate::codes::Rater;
use crate::error::PlanError;
use crate::follow_up::entity::{Rule, SubjectKind};
use crate::follow_up::raise_by_rule;

/// A rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Its id.
    pub rating_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// Of which need.
    pub need_id: Uuid,
    /// Of which item; none for the need as a whole.
    pub plan_item_id: Option<Uuid>,
    /// Who rates.
    pub rater: Rater,
    /// 1 to 5.
    pub points: i16,
    /// In their words.
    pub words: String,
    /// When.
    pub rated_on: NaiveDate,
    /// Who wrote it down.
    pub recorded_by: Uuid,
}

/// Ratings up to this many points raise a follow-up.
const LOW: i16 = 2;

/// Keeps a rating. A low one raises a follow-up, once for each rating.
pub async fn rate(pool: &PgPool, rating: &Rating, request: &Request) -> Result<Rating, PlanError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        if !repo::insert(&mut tx, rating).await? {
            return Err(PlanError::Exists("rating"));
        }
        if rating.points <= LOW {
            let (subject, id) = rating.plan_item_id.map_or((SubjectKind::Need, rating.need_id), |item| (SubjectKind::PlanItem, item));
            raise_by_rule(&mut tx, Rule::LowRating, subject, id, &rating.rating_id.to_string(), today(), &request.caller).await?;
        }
    }
    tx.commit().await?;
    Ok(rating.clone())
}
