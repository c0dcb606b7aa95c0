//! `PutConsent`, `RevokeConsent`, `ListConsents`.

use chassis_access::{AccessError, Caller, Sensitivity};
use chassis_pg::{DbError, idempotency};
use chassis_rpc::{InvalidInput, OrStatus as _, Parser, status};
use prost::Message as _;
use proto::partners::v1 as pb;
use tonic::{Request, Response, Status};

use super::{Consent, repo};
use crate::referrals::Referrals;
use crate::taxonomy;

impl Referrals {
    pub(crate) async fn put_consent_of(&self, request: Request<pb::PutConsentRequest>) -> Result<Response<pb::PutConsentResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let Some(asked) = &message.consent else { return Err(status(InvalidInput::one("consent", "must be given"))) };
        let consent = Consent::parse(asked, caller.author()).or_status()?;
        let mut parser = Parser::new();
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        self.access.authorize_student(&caller, "partners.PutConsent", consent.student_id).await.or_status()?;
        let claim = idempotency::Request::new(&caller.subject, "partners.PutConsent", request_id, &message.encode_to_vec());
        let stored = super::put(&self.pool, &consent, &claim).await.or_status()?;
        Ok(Response::new(pb::PutConsentResponse { consent: Some(stored.proto(chassis_clock::today())) }))
    }

    pub(crate) async fn revoke_consent_of(&self, request: Request<pb::RevokeConsentRequest>) -> Result<Response<pb::RevokeConsentResponse>, Status> {
        const ACTION: &str = "partners.RevokeConsent";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let consent_id = parser.uuid("consent_id", &message.consent_id);
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let known = repo::load(&mut conn, consent_id).await.or_status()?;
        drop(conn);
        // Whether it exists is for those to know who may see the student.
        let known = known.ok_or_else(|| AccessError::Denied { action: ACTION.to_owned() }).or_status()?;
        self.access.authorize_student(&caller, ACTION, known.student_id).await.or_status()?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::revoke(&self.pool, consent_id, caller.author(), &claim).await.or_status()?;
        Ok(Response::new(pb::RevokeConsentResponse { consent: Some(stored.proto(chassis_clock::today())) }))
    }

    pub(crate) async fn list_consents_of(&self, request: Request<pb::ListConsentsRequest>) -> Result<Response<pb::ListConsentsResponse>, Status> {
        const ACTION: &str = "partners.ListConsents";
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let student_id = parser.uuid("student_id", &request.get_ref().student_id);
        parser.finish().or_status()?;
        let (granted, record) = self.access.authorize_student(&caller, ACTION, student_id).await.or_status()?;
        let protected = self.access.clearance(&caller, &record).protected();
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let mut found = repo::of_student(&mut conn, student_id).await.or_status()?;
        drop(conn);
        // That there is a consent for a protected partner says what the partner's name says.
        let hidden = |sector: &str| taxonomy::sector(sector).unwrap_or(true);
        found.retain(|(_, sector)| protected || !hidden(sector));
        if found.iter().any(|(_, sector)| hidden(sector)) {
            self.access.log_read(&caller, ACTION, &granted.basis, Sensitivity::Protected, Some(student_id), found.len()).await.or_status()?;
        }
        let today = chassis_clock::today();
        Ok(Response::new(pb::ListConsentsResponse { consents: found.iter().map(|(c, _)| c.proto(today)).collect(), access_basis: granted.basis }))
    }
}
