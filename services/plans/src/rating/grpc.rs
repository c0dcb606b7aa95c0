//! Ratings over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, ListRatingsRequest, ListRatingsResponse, RateEffectivenessRequest, RateEffectivenessResponse};

use super::{Rater, Rating, repo};
use crate::calendar::today;
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::need::entity::Sensitivity;
use crate::sight::may_see;
use crate::{need, plan_item};

fn to_wire(rating: &Rating) -> wire::Rating {
    wire::Rating {
        rating_id: rating.rating_id.to_string(),
        student_id: rating.student_id.to_string(),
        need_id: rating.need_id.to_string(),
        plan_item_id: rating.plan_item_id.map(|id| id.to_string()).unwrap_or_default(),
        rater: rating.rater.into(),
        points: rating.points.into(),
        words: rating.words.clone(),
        rated_on: rating.rated_on.to_string(),
        recorded_by: rating.recorded_by.to_string(),
    }
}

impl Plans {
    pub(crate) async fn rating_put(&self, caller: &Caller, message: &RateEffectivenessRequest) -> Result<RateEffectivenessResponse, PlanError> {
        const ACTION: &str = "plans.RateEffectiveness";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.rating.clone().unwrap_or_default();
        let rater = p.required_enum::<wire::Rater>("rating.rater", asked.rater).and_then(Rater::from_proto);
        let rating = Rating {
            rating_id: p.uuid("rating.rating_id", &asked.rating_id),
            student_id: p.uuid("rating.student_id", &asked.student_id),
            need_id: p.uuid("rating.need_id", &asked.need_id),
            plan_item_id: p.optional_uuid("rating.plan_item_id", &asked.plan_item_id),
            rater: rater.unwrap_or(Rater::Coordinator),
            points: i16::try_from(p.number("rating.points", asked.points, 1..=5)).unwrap_or(1),
            words: p.text("rating.words", &asked.words, 500),
            rated_on: p.optional_date("rating.rated_on", &asked.rated_on).unwrap_or_else(today),
            recorded_by: caller.author(),
        };
        if rating.rated_on > today() {
            p.violation("rating.rated_on", "must not be in the future");
        }
        p.finish()?;
        let (_, clearance) = self.student(caller, ACTION, Some(rating.student_id)).await?;
        let mut conn = self.pool.acquire().await?;
        let need = need::repo::by_ids(&mut conn, &[rating.need_id]).await?.pop();
        if !need.is_some_and(|n| n.student_id == rating.student_id && may_see(&clearance, n.sensitivity, n.domain)) {
            return Err(PlanError::field("rating.need_id", "is not a need of this student; take one that GetPlan answers"));
        }
        if let Some(item) = rating.plan_item_id {
            let item = plan_item::repo::by_id(&mut conn, item).await?;
            if !item.is_some_and(|i| i.need_ids.contains(&rating.need_id)) {
                return Err(PlanError::field("rating.plan_item_id", "is not an item for this need; take one that GetPlan answers"));
            }
        }
        drop(conn);
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::rate(&self.pool, &rating, &request).await?;
        Ok(RateEffectivenessResponse { rating: Some(to_wire(&stored)) })
    }

    pub(crate) async fn rating_list(&self, caller: &Caller, message: &ListRatingsRequest) -> Result<ListRatingsResponse, PlanError> {
        const ACTION: &str = "plans.ListRatings";
        let mut p = Parser::new();
        let student_id = p.uuid("student_id", &message.student_id);
        p.finish()?;
        let (granted, clearance) = self.student(caller, ACTION, Some(student_id)).await?;
        let mut conn = self.pool.acquire().await?;
        let mut needs = need::repo::of_student(&mut conn, student_id).await?;
        needs.retain(|n| may_see(&clearance, n.sensitivity, n.domain));
        let ids: Vec<_> = needs.iter().map(|n| n.need_id).collect();
        let ratings = repo::of_student(&mut conn, student_id, &ids).await?;
        let summaries = repo::summaries(&mut conn, student_id, &ids).await?;
        drop(conn);
        let rated = needs.iter().filter(|n| ratings.iter().any(|r| r.need_id == n.need_id));
        let highest = rated.map(|n| n.sensitivity).max().unwrap_or(Sensitivity::General);
        self.access.log_read(caller, ACTION, &granted.basis, highest.into(), Some(student_id), 1).await?;
        let summaries = summaries.into_iter().map(|s| wire::RatingSummary {
            need_id: s.need_id.to_string(),
            plan_item_id: s.plan_item_id.map(|id| id.to_string()).unwrap_or_default(),
            staff_points: s.staff_points,
            family_points: s.family_points,
        });
        Ok(ListRatingsResponse { ratings: ratings.iter().map(to_wire).collect(), summaries: summaries.collect(), access_basis: granted.basis })
    }
}
