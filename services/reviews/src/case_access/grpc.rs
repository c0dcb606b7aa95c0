//! Case access over gRPC.

use chassis_access::{Caller, Record, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser};
use chrono::{DateTime, Utc};
use prost::Message as _;
use proto::reviews::v1 as wire;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::entity::{CaseAccess, Kind};
use super::error::CaseAccessError;
use super::{Grant, Wanted};
use crate::cases::{Cases, denied};
use crate::words::time_wire;

/// Why it is opened is said in at least so many characters.
const SHORTEST_REASON: usize = 10;

impl From<CaseAccess> for wire::CaseAccess {
    fn from(access: CaseAccess) -> Self {
        Self {
            active: access.active(Utc::now()),
            case_access_id: access.id.to_string(),
            student_id: access.student_id.to_string(),
            school_id: access.school_id.to_string(),
            staff_id: access.staff_id.to_string(),
            kind: access.kind.word().to_owned(),
            reason: access.reason,
            granted_by: access.granted_by.to_string(),
            grant_time: Some(time_wire(access.granted_at)),
            expire_time: access.expires_at.map(time_wire),
            version: access.version,
        }
    }
}

impl Cases {
    pub(crate) async fn grant(&self, request: Request<wire::GrantCaseAccessRequest>) -> Result<Response<wire::GrantCaseAccessResponse>, Status> {
        const ACTION: &str = "reviews.GrantCaseAccess";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let id = p.uuid("case_access_id", &message.case_access_id);
        let student_id = p.uuid("student_id", &message.student_id);
        let staff_id = p.uuid("staff_id", &message.staff_id);
        let reason = p.required_text("reason", &message.reason, 500);
        p.finish().or_status()?;
        let student = self.student(&caller, ACTION, student_id).await?;
        // Nobody opens what is closed to them.
        if !student.clearance.protected() {
            return Err(denied(ACTION));
        }
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let author = caller.author();
        let grant = Grant { request, id, student_id, school_id: student.school_id, staff_id, kind: Kind::Named, reason, author };
        let access = self.case_accesses.grant(grant).await.or_status()?;
        self.access.relationships().forget(access.staff_id);
        Ok(Response::new(wire::GrantCaseAccessResponse { case_access: Some(access.into()) }))
    }

    pub(crate) async fn break_glass(&self, request: Request<wire::BreakGlassRequest>) -> Result<Response<wire::BreakGlassResponse>, Status> {
        const ACTION: &str = "reviews.BreakGlass";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let id = p.uuid("case_access_id", &message.case_access_id);
        let student_id = p.uuid("student_id", &message.student_id);
        let reason = p.required_text("reason", &message.reason, 500);
        if !reason.is_empty() && reason.chars().count() < SHORTEST_REASON {
            p.violation("reason", format!("must have at least {SHORTEST_REASON} characters: others read why"));
        }
        p.finish().or_status()?;
        let student = self.student(&caller, ACTION, student_id).await?;
        let staff_id = caller.staff_id.ok_or(CaseAccessError::NoStaff).or_status()?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let grant = Grant { request, id, student_id, school_id: student.school_id, staff_id, kind: Kind::BreakGlass, reason, author: staff_id };
        let access = self.case_accesses.grant(grant).await.or_status()?;
        self.access.relationships().forget(staff_id);
        self.access.log_read(&caller, ACTION, "break_glass", Sensitivity::Protected, Some(student_id), 1).await.or_status()?;
        Ok(Response::new(wire::BreakGlassResponse { case_access: Some(access.into()) }))
    }

    pub(crate) async fn revoke(&self, request: Request<wire::RevokeCaseAccessRequest>) -> Result<Response<wire::RevokeCaseAccessResponse>, Status> {
        const ACTION: &str = "reviews.RevokeCaseAccess";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let id = p.uuid("case_access_id", &message.case_access_id);
        p.finish().or_status()?;
        let access = self.case_accesses.get(id).await.or_status()?;
        // Who may take it back is decided by the student's school now; where that is gone, by the school it was given at.
        let access = match access {
            Some(access) => access,
            None => return Err(self.refuse(&caller, ACTION)),
        };
        if self.student(&caller, ACTION, access.student_id).await.is_err() {
            self.access.authorize(&caller, ACTION, &Record::school(access.school_id)).or_status()?;
        }
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let access = self.case_accesses.revoke(&request, id, message.expected_version, caller.author()).await.or_status()?;
        self.access.relationships().forget(access.staff_id);
        Ok(Response::new(wire::RevokeCaseAccessResponse { case_access: Some(access.into()) }))
    }

    pub(crate) async fn case_access_list(&self, request: Request<wire::ListCaseAccessRequest>) -> Result<Response<wire::ListCaseAccessResponse>, Status> {
        const ACTION: &str = "reviews.ListCaseAccess";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let student_id = p.optional_uuid("student_id", &message.student_id);
        let school_id = p.optional_uuid("school_id", &message.school_id);
        if student_id.is_none() && school_id.is_none() {
            p.violation("student_id", "give a student or a school");
        }
        p.finish().or_status()?;
        let filter = format!("{student_id:?} {school_id:?} {}", message.active_only);
        let page = PageToken::page::<(DateTime<Utc>, Uuid)>(message.page_size, &message.page_token, &filter, 50, 200).or_status()?;
        let granted = match (student_id, school_id) {
            (Some(student), _) => self.access.authorize_student(&caller, ACTION, student).await.or_status()?.0,
            (None, school) => self.access.authorize(&caller, ACTION, &Record::school(school.unwrap_or_default())).or_status()?,
        };
        // Principals get the alerts. That somebody was named tells of a case, which is for those who keep or supervise cases.
        let named_too = granted.basis != "school_leader";
        let wanted = Wanted { student_id, school_id, active_only: message.active_only, named_too, own: caller.staff_id };
        let mut rows = self.case_accesses.list(&wanted, &page).await.or_status()?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |row| (row.granted_at, row.id));
        if !rows.is_empty() {
            self.access.log_read(&caller, ACTION, &granted.basis, Sensitivity::Protected, student_id.or(school_id), rows.len()).await.or_status()?;
        }
        let case_accesses = rows.into_iter().map(Into::into).collect();
        Ok(Response::new(wire::ListCaseAccessResponse { case_accesses, next_page_token, access_basis: granted.basis }))
    }
}
