//! `DirectoryService`: each call by the aggregate that it is about. Holds no student data.

use chassis_access::Access;
use proto::partners::v1 as pb;
use proto::partners::v1::directory_service_server::DirectoryService;
use sqlx::PgPool;
use tonic::{Request, Response, Status};

/// What the calls need.
pub struct Directory {
    pub(crate) pool: PgPool,
    pub(crate) access: Access,
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn put_partner(&self, request: Request<pb::PutPartnerRequest>) -> Result<Response<pb::PutPartnerResponse>, Status> {
        self.put_partner_of(request).await
    }
    async fn list_partners(&self, request: Request<pb::ListPartnersRequest>) -> Result<Response<pb::ListPartnersResponse>, Status> {
        self.list_partners_of(request).await
    }
    async fn get_partner(&self, request: Request<pb::GetPartnerRequest>) -> Result<Response<pb::GetPartnerResponse>, Status> {
        self.get_partner_of(request).await
    }
    async fn put_agreement(&self, request: Request<pb::PutAgreementRequest>) -> Result<Response<pb::PutAgreementResponse>, Status> {
        self.put_agreement_of(request).await
    }
    async fn put_service(&self, request: Request<pb::PutServiceRequest>) -> Result<Response<pb::PutServiceResponse>, Status> {
        self.put_service_of(request).await
    }
    async fn get_service(&self, request: Request<pb::GetServiceRequest>) -> Result<Response<pb::GetServiceResponse>, Status> {
        self.get_service_of(request).await
    }
    async fn search_services(&self, request: Request<pb::SearchServicesRequest>) -> Result<Response<pb::SearchServicesResponse>, Status> {
        self.search_services_of(request).await
    }
    async fn set_capacity(&self, request: Request<pb::SetCapacityRequest>) -> Result<Response<pb::SetCapacityResponse>, Status> {
        self.set_capacity_of(request).await
    }
    async fn check_capacity(&self, request: Request<pb::CheckCapacityRequest>) -> Result<Response<pb::CheckCapacityResponse>, Status> {
        self.check_capacity_of(request).await
    }
}
