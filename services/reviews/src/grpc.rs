//! The gRPC service: every method goes to the folder of what it is about.

use chassis_access::{Access, AccessError, Caller, Granted, Record};
use chassis_rpc::Channel;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::status;
use proto::reviews::v1::review_service_server::ReviewService;
use proto::reviews::v1::*;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::activity::Activity;
use crate::amendment::Amendments;
use crate::class_review::ClassReviews;
use crate::class_review::places::{Place, Places};
use crate::cycle::Cycles;
use crate::live::Live;
use crate::prior::Priors;
use crate::student_review::StudentReviews;
use crate::tier::Tiers;

/// What the methods need.
#[derive(Clone)]
pub(crate) struct Reviews {
    pub(crate) access: Access,
    pub(crate) cycles: Cycles,
    pub(crate) class_reviews: ClassReviews,
    pub(crate) student_reviews: StudentReviews,
    pub(crate) activity: Activity,
    pub(crate) priors: Priors,
    pub(crate) amendments: Amendments,
    pub(crate) live: Live,
    pub(crate) tiers: Tiers,
    pub(crate) places: Places,
    pub(crate) rosters: RosterServiceClient<Channel>,
}

impl Reviews {
    /// Decides by the class and school of a class review. One that is not there looks like one that is forbidden.
    pub(crate) async fn decide(&self, caller: &Caller, action: &'static str, class_review_id: Uuid) -> Result<(Granted, Record, Place), Status> {
        let denied = || status(AccessError::Denied { action: action.to_owned() });
        let place = self.places.of(class_review_id).await.or_status()?.ok_or_else(denied)?;
        let record = place.record();
        let granted = self.access.authorize(caller, action, &record).or_status()?;
        Ok((granted, record, place))
    }
}

/// One method each: its name in the contract, its messages, and where it is.
macro_rules! methods {
    ($($name:ident($request:ty) -> $response:ty = $target:ident;)+) => {
        #[tonic::async_trait]
        impl ReviewService for Reviews {
            type StreamClassReviewStream = crate::live::Answers;

            async fn stream_class_review(
                &self,
                request: Request<tonic::Streaming<StreamClassReviewRequest>>,
            ) -> Result<Response<crate::live::Answers>, Status> {
                self.stream(request).await
            }

            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                self.$target(request).await
            })+
        }
    };
}

methods! {
    create_review_cycle(CreateReviewCycleRequest) -> CreateReviewCycleResponse = create_cycle;
    list_review_cycles(ListReviewCyclesRequest) -> ListReviewCyclesResponse = list_cycles;
    list_codes(ListCodesRequest) -> ListCodesResponse = codes;
    start_class_review(StartClassReviewRequest) -> StartClassReviewResponse = start_review;
    get_class_review(GetClassReviewRequest) -> GetClassReviewResponse = class_review;
    list_class_reviews(ListClassReviewsRequest) -> ListClassReviewsResponse = class_review_list;
    submit_class_review(SubmitClassReviewRequest) -> SubmitClassReviewResponse = submit;
    sign_class_review(SignClassReviewRequest) -> SignClassReviewResponse = sign;
    get_student_review(GetStudentReviewRequest) -> GetStudentReviewResponse = student_review;
    put_entry(PutEntryRequest) -> PutEntryResponse = put;
    remove_entry(RemoveEntryRequest) -> RemoveEntryResponse = remove;
    update_student_review(UpdateStudentReviewRequest) -> UpdateStudentReviewResponse = update;
    complete_student_review(CompleteStudentReviewRequest) -> CompleteStudentReviewResponse = complete;
    skip_student_review(SkipStudentReviewRequest) -> SkipStudentReviewResponse = skip;
    reopen_student_review(ReopenStudentReviewRequest) -> ReopenStudentReviewResponse = reopen;
    list_student_review_history(ListStudentReviewHistoryRequest) -> ListStudentReviewHistoryResponse = history;
    schedule_class_review(ScheduleClassReviewRequest) -> ScheduleClassReviewResponse = schedule;
    transition_class_review(TransitionClassReviewRequest) -> TransitionClassReviewResponse = transition;
    refresh_class_review(RefreshClassReviewRequest) -> RefreshClassReviewResponse = refresh;
    list_prior_entries(ListPriorEntriesRequest) -> ListPriorEntriesResponse = prior_entries;
    answer_prior_entry(AnswerPriorEntryRequest) -> AnswerPriorEntryResponse = answer_prior;
    record_activity(RecordActivityRequest) -> RecordActivityResponse = record_activity;
    record_need(RecordNeedRequest) -> RecordNeedResponse = record_need;
    reclassify_need(ReclassifyNeedRequest) -> ReclassifyNeedResponse = reclassify;
    promote_observation(PromoteObservationRequest) -> PromoteObservationResponse = promote;
    set_entry_sensitivity(SetEntrySensitivityRequest) -> SetEntrySensitivityResponse = set_sensitivity;
    suggest_tier(SuggestTierRequest) -> SuggestTierResponse = suggest;
    list_tier_assignments(ListTierAssignmentsRequest) -> ListTierAssignmentsResponse = tier_assignments;
    assign_tier(AssignTierRequest) -> AssignTierResponse = assign_tier;
    list_tier_movements(ListTierMovementsRequest) -> ListTierMovementsResponse = tier_movements;
}
