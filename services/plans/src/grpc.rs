//! `PlanService`: each method is handed to the folder it is about.

use chassis_access::{Access, AccessError, Caller, Clearance, Granted};
use chassis_rpc::Channel;
use chassis_rpc::{Fault, status};
use proto::plans::v1::plan_service_server::PlanService;
use proto::plans::v1::*;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::error::PlanError;
use crate::sight::{Sight, Whose};

/// The service behind `PlanService`.
#[derive(Clone)]
pub struct Plans {
    /// Its database.
    pub pool: PgPool,
    /// Access decisions.
    pub access: Access,
    /// School days after which a need with nothing in place is unmet.
    pub unmet_after: i32,
    /// Absences in a row that raise a follow-up.
    pub no_show_limit: i64,
    /// The roster, to find students in; none where no address is set.
    pub rosters: Option<RosterServiceClient<Channel>>,
    /// Ends long streams when the process stops.
    pub stop: CancellationToken,
}

/// Whether a text is a code such as `ED-TUT`.
pub(crate) fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
}

impl Plans {
    /// Decides on a student, who may not be there: that is refused in the same words.
    pub(crate) async fn student(&self, caller: &Caller, action: &str, student: Option<Uuid>) -> Result<(Granted, Clearance), PlanError> {
        let student = student.ok_or_else(|| PlanError::unknown(action))?;
        let (granted, record) = self.access.authorize_student(caller, action, student).await?;
        let clearance = self.access.clearance(caller, &record);
        Ok((granted, clearance))
    }

    /// Decides on a list: of a class, of a school, or of whatever is the caller's own.
    pub(crate) async fn list(&self, caller: &Caller, action: &str, school: Option<Uuid>, class: Option<Uuid>) -> Result<(Granted, Whose, Sight), AccessError> {
        let sight = Sight::of(&self.access, caller);
        let (granted, whose) = if let Some(class) = class {
            let (granted, record) = self.access.authorize_class(caller, action, class).await?;
            if school.is_some_and(|school| !record.schools.contains(&school)) {
                return Err(AccessError::Denied { action: action.to_owned() });
            }
            (granted, Whose::of(class))
        } else if let Some(school) = school {
            (self.access.authorize(caller, action, &chassis_access::Record::school(school))?, Whose::of(school))
        } else {
            let scope = self.access.scope(caller, action)?;
            (Granted { basis: scope.basis.clone() }, Whose::from(&scope))
        };
        Ok((granted, whose, sight))
    }
}

pub(crate) fn answer<T, F: Fault>(result: Result<T, F>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(status)
}

#[tonic::async_trait]
impl PlanService for Plans {
    async fn get_plan(&self, request: Request<GetPlanRequest>) -> Result<Response<GetPlanResponse>, Status> {
        answer(self.plan_get(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_plans(&self, request: Request<ListPlansRequest>) -> Result<Response<ListPlansResponse>, Status> {
        answer(self.plan_list(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn transition_plan(&self, request: Request<TransitionPlanRequest>) -> Result<Response<TransitionPlanResponse>, Status> {
        answer(self.plan_transition(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn add_plan_item(&self, request: Request<AddPlanItemRequest>) -> Result<Response<AddPlanItemResponse>, Status> {
        answer(self.item_add(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn transition_plan_item(&self, request: Request<TransitionPlanItemRequest>) -> Result<Response<TransitionPlanItemResponse>, Status> {
        answer(self.item_transition(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn enrol_student(&self, request: Request<EnrolStudentRequest>) -> Result<Response<EnrolStudentResponse>, Status> {
        answer(self.enrolment_offer(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn transition_enrolment(&self, request: Request<TransitionEnrolmentRequest>) -> Result<Response<TransitionEnrolmentResponse>, Status> {
        answer(self.enrolment_transition(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn log_deliveries(&self, request: Request<LogDeliveriesRequest>) -> Result<Response<LogDeliveriesResponse>, Status> {
        answer(self.deliveries_log(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn judge_need(&self, request: Request<JudgeNeedRequest>) -> Result<Response<JudgeNeedResponse>, Status> {
        answer(self.need_judge(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_unmet_needs(&self, request: Request<ListUnmetNeedsRequest>) -> Result<Response<ListUnmetNeedsResponse>, Status> {
        answer(self.unmet_list(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn update_plan(&self, request: Request<UpdatePlanRequest>) -> Result<Response<UpdatePlanResponse>, Status> {
        answer(self.plan_update(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn record_family_response(&self, request: Request<RecordFamilyResponseRequest>) -> Result<Response<RecordFamilyResponseResponse>, Status> {
        answer(self.family_answer(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn carry_over_plan(&self, request: Request<CarryOverPlanRequest>) -> Result<Response<CarryOverPlanResponse>, Status> {
        answer(self.plan_carry_over(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn put_goal(&self, request: Request<PutGoalRequest>) -> Result<Response<PutGoalResponse>, Status> {
        answer(self.goal_put(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn record_progress(&self, request: Request<RecordProgressRequest>) -> Result<Response<RecordProgressResponse>, Status> {
        answer(self.progress_record(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn transition_goal(&self, request: Request<TransitionGoalRequest>) -> Result<Response<TransitionGoalResponse>, Status> {
        answer(self.goal_transition(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn update_plan_item(&self, request: Request<UpdatePlanItemRequest>) -> Result<Response<UpdatePlanItemResponse>, Status> {
        answer(self.item_update(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn suggest_plan_items(&self, request: Request<SuggestPlanItemsRequest>) -> Result<Response<SuggestPlanItemsResponse>, Status> {
        answer(self.items_suggest(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn put_check_in(&self, request: Request<PutCheckInRequest>) -> Result<Response<PutCheckInResponse>, Status> {
        answer(self.check_in_put(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn record_check_in(&self, request: Request<RecordCheckInRequest>) -> Result<Response<RecordCheckInResponse>, Status> {
        answer(self.check_in_record(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn put_commitment(&self, request: Request<PutCommitmentRequest>) -> Result<Response<PutCommitmentResponse>, Status> {
        answer(self.commitment_put(&Caller::of(&request)?, request.get_ref()).await)
    }
}
