//! `DeliveryService`: each method is handed to the folder it is about.

use chassis_access::Caller;
use proto::plans::v1::delivery_service_server::DeliveryService;
use proto::plans::v1::{
    CorrectDeliveryRequest, CorrectDeliveryResponse, GetGroupRequest, GetGroupResponse, ImportServiceLogRequest, ListActivitiesRequest, ListActivitiesResponse,
    ListAidsRequest, ListAidsResponse, ListDeliveriesRequest, ListDeliveriesResponse, ListEnrolmentsRequest, ListEnrolmentsResponse, ListGroupsRequest,
    ListGroupsResponse, PutActivityRequest, PutActivityResponse, PutGroupRequest, PutGroupResponse, RecordAidRequest, RecordAidResponse,
    RecordParticipationRequest, RecordParticipationResponse, TakeAttendanceRequest, TakeAttendanceResponse,
};
use tonic::{Request, Response, Status, Streaming};

use crate::grpc::{Plans, answer};
use crate::service_log::grpc::Answers;

#[tonic::async_trait]
impl DeliveryService for Plans {
    async fn put_group(&self, request: Request<PutGroupRequest>) -> Result<Response<PutGroupResponse>, Status> {
        answer(self.group_put(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_groups(&self, request: Request<ListGroupsRequest>) -> Result<Response<ListGroupsResponse>, Status> {
        answer(self.group_list(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn get_group(&self, request: Request<GetGroupRequest>) -> Result<Response<GetGroupResponse>, Status> {
        answer(self.group_get(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn take_attendance(&self, request: Request<TakeAttendanceRequest>) -> Result<Response<TakeAttendanceResponse>, Status> {
        answer(self.attendance_take(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn correct_delivery(&self, request: Request<CorrectDeliveryRequest>) -> Result<Response<CorrectDeliveryResponse>, Status> {
        answer(self.delivery_correct(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_deliveries(&self, request: Request<ListDeliveriesRequest>) -> Result<Response<ListDeliveriesResponse>, Status> {
        answer(self.delivery_list(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_enrolments(&self, request: Request<ListEnrolmentsRequest>) -> Result<Response<ListEnrolmentsResponse>, Status> {
        answer(self.enrolment_list(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn record_aid(&self, request: Request<RecordAidRequest>) -> Result<Response<RecordAidResponse>, Status> {
        answer(self.aid_record(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_aids(&self, request: Request<ListAidsRequest>) -> Result<Response<ListAidsResponse>, Status> {
        answer(self.aid_list(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn put_activity(&self, request: Request<PutActivityRequest>) -> Result<Response<PutActivityResponse>, Status> {
        answer(self.activity_put(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn record_participation(&self, request: Request<RecordParticipationRequest>) -> Result<Response<RecordParticipationResponse>, Status> {
        answer(self.participation_record(&Caller::of(&request)?, request.get_ref()).await)
    }
    async fn list_activities(&self, request: Request<ListActivitiesRequest>) -> Result<Response<ListActivitiesResponse>, Status> {
        answer(self.activity_list(&Caller::of(&request)?, request.get_ref()).await)
    }

    type ImportServiceLogStream = Answers;

    async fn import_service_log(&self, request: Request<Streaming<ImportServiceLogRequest>>) -> Result<Response<Answers>, Status> {
        self.service_log_import(request).await
    }
}
