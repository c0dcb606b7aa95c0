//! Suggestions over the wire.

use chassis_access::Caller;
use chassis_rpc::Parser;
use proto::plans::v1::{self as wire, SuggestPlanItemsRequest, SuggestPlanItemsResponse};

use super::band_of;
use super::entity::Suggestion;
use crate::error::PlanError;
use crate::grpc::Plans;

fn to_wire(suggestion: &Suggestion) -> wire::ItemSuggestion {
    wire::ItemSuggestion {
        need_ids: suggestion.need_id.iter().map(ToString::to_string).collect(),
        builds_on_codes: suggestion.builds_on.clone(),
        service_category: suggestion.service_category.clone(),
        kind: suggestion.kind.into(),
        band: band_of(&suggestion.service_category).map_or(0, i32::from),
        reason: suggestion.reason.as_str().to_owned(),
        because: suggestion.because.clone(),
    }
}

impl Plans {
    pub(crate) async fn items_suggest(&self, caller: &Caller, message: &SuggestPlanItemsRequest) -> Result<SuggestPlanItemsResponse, PlanError> {
        const ACTION: &str = "plans.SuggestPlanItems";
        let mut p = Parser::new();
        let plan_id = p.uuid("plan_id", &message.plan_id);
        p.finish()?;
        let student = crate::plan::repo::student_of(&mut *self.pool.acquire().await?, plan_id).await?;
        let (granted, clearance) = self.student(caller, ACTION, student).await?;
        let (suggestions, highest) = super::for_plan(&self.pool, plan_id, &clearance).await?;
        self.access.log_read(caller, ACTION, &granted.basis, highest.into(), student, 1).await?;
        Ok(SuggestPlanItemsResponse { suggestions: suggestions.iter().map(to_wire).collect(), access_basis: granted.basis })
    }
}
