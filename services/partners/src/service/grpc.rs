//! `PutService`, `GetService`, `SearchServices`, `SetCapacity`, `CheckCapacity`.

use chassis_access::{AccessError, Caller, Record};
use chassis_pg::{DbError, idempotency};
use chassis_rpc::{InvalidInput, OrStatus as _, PageToken, Parser, status};
use prost::Message as _;
use proto::partners::v1 as pb;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::repo::Search;
use super::{Service, ServiceError, repo};
use crate::directory::Directory;
use crate::taxonomy;

impl Directory {
    async fn service(&self, service_id: Uuid) -> Result<Option<Service>, Status> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        repo::load(&mut conn, service_id).await.or_status()
    }

    pub(crate) async fn put_service_of(&self, request: Request<pb::PutServiceRequest>) -> Result<Response<pb::PutServiceResponse>, Status> {
        const ACTION: &str = "partners.PutService";
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, ACTION, &Record::default()).or_status()?;
        let message = request.into_inner();
        let Some(asked) = &message.service else { return Err(status(InvalidInput::one("service", "must be given"))) };
        let service = Service::parse(asked).or_status()?;
        let mut parser = Parser::new();
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::put(&self.pool, &service, message.expected_version, &claim).await.or_status()?;
        Ok(Response::new(pb::PutServiceResponse { service: Some(stored.into()) }))
    }

    pub(crate) async fn get_service_of(&self, request: Request<pb::GetServiceRequest>) -> Result<Response<pb::GetServiceResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.role_suffices(&caller);
        let mut parser = Parser::new();
        let service_id = parser.uuid("service_id", &request.get_ref().service_id);
        parser.finish().or_status()?;
        let service = self.service(service_id).await?.ok_or(ServiceError::NotFound).or_status()?;
        Ok(Response::new(pb::GetServiceResponse { service: Some(service.into()) }))
    }

    pub(crate) async fn search_services_of(&self, request: Request<pb::SearchServicesRequest>) -> Result<Response<pb::SearchServicesResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.role_suffices(&caller);
        let message = request.into_inner();
        let mut parser = Parser::new();
        let query = parser.text("query", &message.query, 100);
        let school_id = parser.optional_uuid("school_id", &message.school_id);
        if !message.category.is_empty() && taxonomy::category(&message.category).is_none() {
            parser.violation("category", "must be a code of taxonomy/1/service_categories.csv, or empty");
        }
        parser.finish().or_status()?;
        let what = format!("{} {query} {school_id:?}", message.category);
        let page = PageToken::page::<(bool, String, Uuid)>(message.page_size, &message.page_token, &what, 25, 100).or_status()?;
        let category = (!message.category.is_empty()).then_some(message.category);
        let search = Search { category, words: repo::words(&query), school_id, after: page.after };
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let mut found = repo::search(&mut conn, &search, page.size + 1).await.or_status()?;
        let next_page_token = PageToken::cut(&mut found, page.size, &what, |s| (s.capacity.left() == Some(0), s.name.clone(), s.service_id));
        Ok(Response::new(pb::SearchServicesResponse { services: found.into_iter().map(Into::into).collect(), next_page_token }))
    }

    pub(crate) async fn set_capacity_of(&self, request: Request<pb::SetCapacityRequest>) -> Result<Response<pb::SetCapacityResponse>, Status> {
        const ACTION: &str = "partners.SetCapacity";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let service_id = parser.uuid("service_id", &message.service_id);
        let request_id = parser.uuid("request_id", &message.request_id);
        let maximum = parser.number("maximum", message.maximum, -1..=1_000_000);
        parser.finish().or_status()?;
        let service = self.service(service_id).await?.ok_or_else(|| AccessError::Denied { action: ACTION.to_owned() }).or_status()?;
        self.access.authorize(&caller, ACTION, &Record::organisation(service.partner_id)).or_status()?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let capacity = super::set_capacity(&self.pool, service_id, maximum, &claim).await.or_status()?;
        Ok(Response::new(pb::SetCapacityResponse { capacity: Some(capacity.proto()) }))
    }

    pub(crate) async fn check_capacity_of(&self, request: Request<pb::CheckCapacityRequest>) -> Result<Response<pb::CheckCapacityResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.role_suffices(&caller);
        let mut parser = Parser::new();
        let service_id = parser.uuid("service_id", &request.get_ref().service_id);
        parser.finish().or_status()?;
        let service = self.service(service_id).await?.ok_or(ServiceError::NotFound).or_status()?;
        let capacity = service.capacity;
        Ok(Response::new(pb::CheckCapacityResponse { answer: capacity.answer().into(), places_left: capacity.left().unwrap_or(-1) }))
    }
}
