//! Plans over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::{PageToken, Parser};
use prost::Message as _;
use proto::plans::v1::{self as wire, GetPlanRequest, GetPlanResponse, ListPlansRequest, ListPlansResponse, TransitionPlanRequest, TransitionPlanResponse};
use uuid::Uuid;

use super::entity::{CloseReason, Header, Plan, PlanTransition};
use super::family::{answer_to_wire, with_header};
use super::repo::ListQuery;
use crate::calendar::{school_year, today};
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::need::entity::Sensitivity;

/// As the contract writes a plan, with counts of what the caller may see.
pub fn to_wire(plan: &Plan, need_count: i64, unmet_need_count: i64) -> wire::Plan {
    wire::Plan {
        plan_id: plan.plan_id.to_string(),
        student_id: plan.student_id.to_string(),
        school_id: plan.school_id.to_string(),
        school_year: plan.school_year,
        state: plan.state.into(),
        tier: plan.tier.map_or(0, i32::from),
        strength_codes: plan.strength_codes.clone(),
        interest_codes: plan.interest_codes.clone(),
        version: plan.version,
        create_time: Some(super::events::timestamp(plan.created_at)),
        close_reason: plan.close_reason.clone(),
        need_count: i32::try_from(need_count).unwrap_or(i32::MAX),
        unmet_need_count: i32::try_from(unmet_need_count).unwrap_or(i32::MAX),
        ..Default::default()
    }
}

fn year(p: &mut Parser, value: i32) -> Option<i32> {
    if value == 0 { None } else { Some(p.number("school_year", value, 1900..=2200)) }
}

impl Plans {
    pub(crate) async fn plan_get(&self, caller: &Caller, message: &GetPlanRequest) -> Result<GetPlanResponse, PlanError> {
        const ACTION: &str = "plans.GetPlan";
        let mut p = Parser::new();
        let student = p.uuid("student_id", &message.student_id);
        let year = year(&mut p, message.school_year);
        p.finish()?;
        let (granted, clearance) = self.student(caller, ACTION, Some(student)).await?;
        let whole = super::get(&self.pool, student, year, &clearance).await?;
        self.access.log_read(caller, ACTION, &granted.basis, whole.sensitivity().into(), Some(student), 1).await?;
        let today = today();
        let counted = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(GetPlanResponse {
            plan: Some(with_header(to_wire(&whole.plan, counted(whole.needs.len()), counted(whole.unmet_count(today, self.unmet_after))), &whole.header)),
            needs: whole.needs.iter().map(|n| crate::need::grpc::to_wire(n, today, self.unmet_after)).collect(),
            items: whole.items.iter().map(crate::plan_item::grpc::to_wire).collect(),
            enrolments: whole.enrolments.iter().map(crate::enrolment::grpc::to_wire).collect(),
            deliveries: whole.deliveries.iter().map(crate::delivery::grpc::to_wire).collect(),
            closed_need_count: whole.closed_need_count,
            access_basis: granted.basis,
            goals: whole.goals.iter().map(crate::goal::grpc::to_wire).collect(),
            check_ins: whole.check_ins.iter().map(crate::check_in::grpc::to_wire).collect(),
            commitments: whole.commitments.iter().map(crate::commitment::grpc::to_wire).collect(),
            family_answers: whole.family_answers.iter().map(answer_to_wire).collect(),
            closed_item_count: whole.closed_item_count,
        })
    }

    pub(crate) async fn plan_list(&self, caller: &Caller, message: &ListPlansRequest) -> Result<ListPlansResponse, PlanError> {
        const ACTION: &str = "plans.ListPlans";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        let class = p.optional_uuid("class_id", &message.class_id);
        let year = year(&mut p, message.school_year).unwrap_or_else(|| school_year(today()));
        p.finish()?;
        let filter = format!("{school:?} {class:?} {year}");
        let page = PageToken::page::<Uuid>(message.page_size, &message.page_token, &filter, 100, 500)?;
        let (granted, whose, sight) = self.list(caller, ACTION, school, class).await?;
        let mut conn = self.pool.acquire().await?;
        let query = ListQuery { whose: &whose, sight: &sight, school_year: year, unmet_after: self.unmet_after, after: page.after, limit: page.size + 1 };
        let mut rows = super::repo::list(&mut conn, &query).await?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |r| r.plan.plan_id);
        self.access.log_read(caller, ACTION, &granted.basis, Sensitivity::General.into(), school.or(class), rows.len()).await?;
        let ids: Vec<Uuid> = rows.iter().map(|r| r.plan.plan_id).collect();
        let headers = super::repo::headers(&mut conn, &ids).await?;
        let none = Header::default();
        let plans = rows.iter().map(|r| with_header(to_wire(&r.plan, r.need_count, r.unmet_need_count), headers.get(&r.plan.plan_id).unwrap_or(&none)));
        let plans = plans.collect();
        Ok(ListPlansResponse { plans, next_page_token, access_basis: granted.basis })
    }

    pub(crate) async fn plan_transition(&self, caller: &Caller, message: &TransitionPlanRequest) -> Result<TransitionPlanResponse, PlanError> {
        const ACTION: &str = "plans.TransitionPlan";
        let mut p = Parser::new();
        let plan_id = p.uuid("plan_id", &message.plan_id);
        p.one_of("transition", &message.transition, PlanTransition::CODES, false);
        p.one_of("reason", &message.reason, CloseReason::CODES, true);
        let request_id = p.uuid("request_id", &message.request_id);
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, plan_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Transition {
            plan_id,
            transition: PlanTransition::from_code(&message.transition).ok_or_else(|| PlanError::field("transition", "is not known"))?,
            reason: CloseReason::from_code(&message.reason),
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let plan = super::transition(&self.pool, &command).await?;
        let whole = super::get(&self.pool, plan.student_id, Some(plan.school_year), &clearance).await?;
        let counted = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let shown = to_wire(&plan, counted(whole.needs.len()), counted(whole.unmet_count(today(), self.unmet_after)));
        Ok(TransitionPlanResponse { plan: Some(with_header(shown, &whole.header)) })
    }
}
