//! `FollowUpService`: each method is handed to the folder it is about.

use chassis_access::Caller;
use proto::plans::v1::follow_up_service_server::FollowUpService;
use proto::plans::v1::*;
use tonic::{Request, Response, Status};

use crate::grpc::{Plans, answer};

/// One method each: its name in the contract, its messages, and where it is.
macro_rules! methods {
    ($($name:ident($request:ty) -> $response:ty = $target:ident;)+) => {
        #[tonic::async_trait]
        impl FollowUpService for Plans {
            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                answer(self.$target(&Caller::of(&request)?, request.get_ref()).await)
            })+
        }
    };
}

methods! {
    raise_follow_up(RaiseFollowUpRequest) -> RaiseFollowUpResponse = follow_up_raise;
    list_follow_ups(ListFollowUpsRequest) -> ListFollowUpsResponse = follow_up_list;
    transition_follow_up(TransitionFollowUpRequest) -> TransitionFollowUpResponse = follow_up_transition;
    nudge_follow_up(NudgeFollowUpRequest) -> NudgeFollowUpResponse = follow_up_nudge;
    rate_effectiveness(RateEffectivenessRequest) -> RateEffectivenessResponse = rating_put;
    list_ratings(ListRatingsRequest) -> ListRatingsResponse = rating_list;
    start_transition(StartTransitionRequest) -> StartTransitionResponse = hand_over_start;
    update_transition(UpdateTransitionRequest) -> UpdateTransitionResponse = hand_over_update;
    list_transitions(ListTransitionsRequest) -> ListTransitionsResponse = hand_over_list;
    mark_september(MarkSeptemberRequest) -> MarkSeptemberResponse = september_mark;
    list_september(ListSeptemberRequest) -> ListSeptemberResponse = september_list;
    list_not_noticed(ListNotNoticedRequest) -> ListNotNoticedResponse = not_noticed_list;
}
