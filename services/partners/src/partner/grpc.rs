//! `PutPartner`, `ListPartners`, `GetPartner`, `PutAgreement`.

use chassis_access::{Caller, Record};
use chassis_pg::{DbError, idempotency};
use chassis_rpc::{InvalidInput, OrStatus as _, PageToken, Parser, status};
use prost::Message as _;
use proto::partners::v1 as pb;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Agreement, Partner, PartnerError, repo};
use crate::directory::Directory;

impl Directory {
    pub(crate) async fn put_partner_of(&self, request: Request<pb::PutPartnerRequest>) -> Result<Response<pb::PutPartnerResponse>, Status> {
        const ACTION: &str = "partners.PutPartner";
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, ACTION, &Record::default()).or_status()?;
        let message = request.into_inner();
        let Some(asked) = &message.partner else { return Err(status(InvalidInput::one("partner", "must be given"))) };
        let partner = Partner::parse(asked).or_status()?;
        let mut parser = Parser::new();
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::put(&self.pool, &partner, message.expected_version, &claim).await.or_status()?;
        Ok(Response::new(pb::PutPartnerResponse { partner: Some(stored.into()) }))
    }

    pub(crate) async fn list_partners_of(&self, request: Request<pb::ListPartnersRequest>) -> Result<Response<pb::ListPartnersResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.role_suffices(&caller);
        let message = request.into_inner();
        let page = PageToken::page::<(String, Uuid)>(message.page_size, &message.page_token, "", 100, 500).or_status()?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let mut found = repo::list(&mut conn, page.after, page.size + 1).await.or_status()?;
        let next_page_token = PageToken::cut(&mut found, page.size, "", |p| (p.name.clone(), p.partner_id));
        Ok(Response::new(pb::ListPartnersResponse { partners: found.into_iter().map(Into::into).collect(), next_page_token }))
    }

    pub(crate) async fn get_partner_of(&self, request: Request<pb::GetPartnerRequest>) -> Result<Response<pb::GetPartnerResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.role_suffices(&caller);
        let mut parser = Parser::new();
        let partner_id = parser.uuid("partner_id", &request.get_ref().partner_id);
        parser.finish().or_status()?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let partner = repo::load(&mut conn, partner_id).await.or_status()?.ok_or(PartnerError::NotFound).or_status()?;
        // An organisation's papers are its own and the district's.
        let other = caller.organisation_id.is_some_and(|own| own != partner_id);
        let agreements = if other { Vec::new() } else { repo::agreements(&mut conn, partner_id).await.or_status()? };
        Ok(Response::new(pb::GetPartnerResponse { partner: Some(partner.into()), agreements: agreements.into_iter().map(Into::into).collect() }))
    }

    pub(crate) async fn put_agreement_of(&self, request: Request<pb::PutAgreementRequest>) -> Result<Response<pb::PutAgreementResponse>, Status> {
        const ACTION: &str = "partners.PutAgreement";
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, ACTION, &Record::default()).or_status()?;
        let message = request.into_inner();
        let Some(asked) = &message.agreement else { return Err(status(InvalidInput::one("agreement", "must be given"))) };
        let agreement = Agreement::parse(asked).or_status()?;
        let mut parser = Parser::new();
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::put_agreement(&self.pool, &agreement, &claim).await.or_status()?;
        Ok(Response::new(pb::PutAgreementResponse { agreement: Some(stored.into()) }))
    }
}
