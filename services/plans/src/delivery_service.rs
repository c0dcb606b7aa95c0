//! `DeliveryService`: each method is handed to the folder it is about.

use chassis_access::Caller;
use proto::plans::v1::delivery_service_server::DeliveryService;
use proto::plans::v1::{
    CorrectDeliveryRequest, CorrectDeliveryResponse, GetGroupRequest, GetGroupResponse, ListDeliveriesRequest, ListDeliveriesResponse, ListEnrolmentsRequest,
    ListEnrolmentsResponse, ListGroupsRequest, ListGroupsResponse, PutGroupRequest, PutGroupResponse, TakeAttendanceRequest, TakeAttendanceResponse,
};
use tonic::{Request, Response, Status};

use crate::grpc::{Plans, answer};

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
}
