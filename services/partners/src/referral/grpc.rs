//! `CreateReferral`, `CheckSharing`, `SendReferral`, `TransitionReferral`, `JudgeReferral`. Reading is in `referrals.rs`.

use chassis_access::{AccessError, Caller, Record, Sensitivity};
use chassis_pg::{DbError, idempotency};
use chassis_rpc::{InvalidInput, OrStatus as _, Parser, status};
use prost::Message as _;
use proto::partners::v1 as pb;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::entity::{Draft, Referral};
use super::state::{Mode, Side, Transition, Urgency};
use super::transition::Reason;
use super::{Actor, repo, view};
use crate::referrals::Referrals;
use crate::{scope, taxonomy};

fn denied(action: &str) -> AccessError {
    AccessError::Denied { action: action.to_owned() }
}

fn draft(parser: &mut Parser, asked: &pb::Referral, need_codes: &[String], requested_by: Uuid) -> Draft {
    let mode = Mode::from_proto(parser.known_enum("referral.mode", asked.mode));
    let need_ids = parser.uuids("referral.need_ids", &asked.need_ids, 20);
    let plan_item_id = parser.optional_uuid("referral.plan_item_id", &asked.plan_item_id);
    let shared_scopes = scope::parse(parser, "referral.shared_scopes", &asked.shared_scopes);
    if need_ids.is_empty() && plan_item_id.is_none() {
        parser.violation("referral.need_ids", "must be given where there is no plan_item_id: a referral is for something");
    }
    if !need_codes.is_empty() && need_codes.len() != asked.need_ids.len() {
        parser.violation("need_codes", "must be empty, or one code for each of need_ids in their order");
    }
    if let Some(i) = need_codes.iter().position(|code| taxonomy::need(code).is_none()) {
        parser.violation(&format!("need_codes[{i}]"), "must be a code of taxonomy/1/needs.csv");
    }
    if mode == Mode::Normal && shared_scopes.is_empty() {
        parser.violation("referral.shared_scopes", "must have at least one member, such as identity; use the mode information_only to share nothing");
    }
    if mode != Mode::Normal && !shared_scopes.is_empty() {
        parser.violation("referral.shared_scopes", "must be empty in this mode, which shares nothing");
    }
    Draft {
        referral_id: parser.uuid("referral.referral_id", &asked.referral_id),
        student_id: parser.uuid("referral.student_id", &asked.student_id),
        // From the roster, once access is decided.
        school_id: Uuid::nil(),
        need_ids,
        need_codes: need_codes.to_vec(),
        plan_item_id,
        service_id: parser.uuid("referral.service_id", &asked.service_id),
        urgency: Urgency::from_proto(parser.known_enum("referral.urgency", asked.urgency)),
        mode,
        shared_scopes,
        first_step_owner: parser.one_of("referral.first_step_owner", &asked.first_step_owner, &["student", "family", "coordinator", "partner"], true),
        requested_by,
    }
}

impl Referrals {
    /// The referral of a call and who makes it, or a refusal that tells nothing.
    pub(crate) async fn admit(&self, caller: &Caller, action: &str, referral_id: Uuid) -> Result<(Referral, Actor, String), Status> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from).or_status()?;
        let found = repo::load(&mut conn, referral_id).await.or_status()?;
        drop(conn);
        let referral = found.ok_or_else(|| denied(action)).or_status()?;
        if caller.organisation_id.is_some() {
            if !referral.is_partners() {
                return Err(status(denied(action)));
            }
            let granted = self.access.authorize(caller, action, &Record::organisation(referral.partner_id)).or_status()?;
            return Ok((referral, Actor { side: Side::Partner, staff_id: Uuid::nil() }, granted.basis));
        }
        let (granted, record) = self.access.authorize_student(caller, action, referral.student_id).await.or_status()?;
        if referral.mode == Mode::Protected {
            if !self.access.clearance(caller, &record).protected() {
                return Err(status(denied(action)));
            }
            self.access.log_read(caller, action, &granted.basis, Sensitivity::Protected, Some(referral.student_id), 1).await.or_status()?;
        }
        Ok((referral, Actor { side: Side::Requester, staff_id: caller.author() }, granted.basis))
    }

    /// A referral as the caller of a write may see it.
    pub(crate) async fn shown(&self, caller: &Caller, referral: Referral) -> Result<pb::Referral, Status> {
        if caller.organisation_id.is_some() {
            return view::for_partner(&*self.names, &[referral]).await?.pop().ok_or_else(|| Status::internal("internal error"));
        }
        Ok(view::for_staff(&referral, self.moves(caller)))
    }

    /// Whether the caller's role moves referrals at all.
    pub(crate) fn moves(&self, caller: &Caller) -> bool {
        self.access.policies().role_may(caller.roles.iter(), "partners.TransitionReferral")
    }

    pub(crate) async fn create_referral_of(&self, request: Request<pb::CreateReferralRequest>) -> Result<Response<pb::CreateReferralResponse>, Status> {
        const ACTION: &str = "partners.CreateReferral";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let Some(asked) = &message.referral else { return Err(status(InvalidInput::one("referral", "must be given"))) };
        let mut parser = Parser::new();
        let mut draft = draft(&mut parser, asked, &message.need_codes, caller.author());
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        let (_, record) = self.access.authorize_student(&caller, ACTION, draft.student_id).await.or_status()?;
        // Who could not read it back does not write it.
        if draft.mode == Mode::Protected && !self.access.clearance(&caller, &record).protected() {
            return Err(status(denied(ACTION)));
        }
        // The school where the caller has the student, else the first.
        let own = caller.schools();
        let school = record.schools.iter().find(|s| own.contains(s)).or_else(|| record.schools.first());
        draft.school_id = *school.ok_or_else(|| denied(ACTION)).or_status()?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::create(&self.pool, draft, &claim).await.or_status()?;
        Ok(Response::new(pb::CreateReferralResponse { referral: Some(self.shown(&caller, stored).await?) }))
    }

    pub(crate) async fn check_sharing_of(&self, request: Request<pb::CheckSharingRequest>) -> Result<Response<pb::CheckSharingResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let referral_id = parser.uuid("referral_id", &request.get_ref().referral_id);
        parser.finish().or_status()?;
        let (referral, ..) = self.admit(&caller, "partners.CheckSharing", referral_id).await?;
        let (consent_id, missing) = super::check_sharing(&self.pool, &referral).await.or_status()?;
        Ok(Response::new(pb::CheckSharingResponse {
            allowed: missing.is_empty(),
            legal_basis: if consent_id.is_some() { "consent".to_owned() } else { String::new() },
            consent_id: consent_id.map(|id| id.to_string()).unwrap_or_default(),
            scopes: referral.shared_scopes,
            missing: missing.into_iter().map(str::to_owned).collect(),
        }))
    }

    pub(crate) async fn send_referral_of(&self, request: Request<pb::SendReferralRequest>) -> Result<Response<pb::SendReferralResponse>, Status> {
        const ACTION: &str = "partners.SendReferral";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let referral_id = parser.uuid("referral_id", &message.referral_id);
        let request_id = parser.uuid("request_id", &message.request_id);
        parser.finish().or_status()?;
        let (_, actor, _) = self.admit(&caller, ACTION, referral_id).await?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::send(&self.pool, referral_id, actor, message.expected_version, &claim).await.or_status()?;
        let disclosure_id = stored.disclosure_id.map(|id| id.to_string()).unwrap_or_default();
        Ok(Response::new(pb::SendReferralResponse { referral: Some(self.shown(&caller, stored).await?), disclosure_id }))
    }

    pub(crate) async fn transition_referral_of(
        &self,
        request: Request<pb::TransitionReferralRequest>,
    ) -> Result<Response<pb::TransitionReferralResponse>, Status> {
        const ACTION: &str = "partners.TransitionReferral";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let referral_id = parser.uuid("referral_id", &message.referral_id);
        let request_id = parser.uuid("request_id", &message.request_id);
        let asked = Transition::read(&message.transition).filter(|t| !matches!(t, Transition::Send | Transition::Judge | Transition::Lapse));
        if asked.is_none() {
            parser.violation(
                "transition",
                "must be one of open, need_info, info_given, waitlist, seat, accept, decline, unable, start, attend, pause, resume, complete, stop, withdraw, void; \
                 SendReferral sends and JudgeReferral judges",
            );
        }
        parser.finish().or_status()?;
        let Some(asked) = asked else { return Err(status(InvalidInput(Vec::new()))) };
        let reason = Reason::read(&message.reason, &message.reason_side).or_status()?;
        let (_, actor, _) = self.admit(&caller, ACTION, referral_id).await?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::advance(&self.pool, referral_id, actor, asked, reason, message.expected_version, &claim).await.or_status()?;
        metrics::counter!("referral_transitions_total", "transition" => asked.as_str()).increment(1);
        Ok(Response::new(pb::TransitionReferralResponse { referral: Some(self.shown(&caller, stored).await?) }))
    }

    pub(crate) async fn judge_referral_of(&self, request: Request<pb::JudgeReferralRequest>) -> Result<Response<pb::JudgeReferralResponse>, Status> {
        const ACTION: &str = "partners.JudgeReferral";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let referral_id = parser.uuid("referral_id", &message.referral_id);
        let request_id = parser.uuid("request_id", &message.request_id);
        let outcome: Option<pb::Outcome> = parser.required_enum("outcome", message.outcome);
        parser.finish().or_status()?;
        let (_, actor, _) = self.admit(&caller, ACTION, referral_id).await?;
        let claim = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::judge(&self.pool, referral_id, actor, outcome.unwrap_or_default(), message.expected_version, &claim).await.or_status()?;
        Ok(Response::new(pb::JudgeReferralResponse { referral: Some(self.shown(&caller, stored).await?) }))
    }
}
