//! The September list over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, ListSeptemberRequest, ListSeptemberResponse, MarkSeptemberRequest, MarkSeptemberResponse};

use super::{Entry, Mark, repo};
use crate::calendar::{school_year, today};
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::need::entity::Sensitivity;

fn to_wire(entry: &Entry) -> wire::SeptemberEntry {
    wire::SeptemberEntry {
        student_id: entry.student_id.to_string(),
        school_id: entry.school_id.to_string(),
        school_year: entry.school_year,
        attention: entry.attention,
        because: entry.because.clone(),
        note: entry.note.clone(),
        contacted_on: entry.contacted_on.map(|d| d.to_string()).unwrap_or_default(),
        contacted_by: entry.contacted_by.map(|id| id.to_string()).unwrap_or_default(),
        version: entry.version,
    }
}

impl Plans {
    pub(crate) async fn september_mark(&self, caller: &Caller, message: &MarkSeptemberRequest) -> Result<MarkSeptemberResponse, PlanError> {
        const ACTION: &str = "plans.MarkSeptember";
        let mut p = Parser::new();
        let student_id = p.uuid("student_id", &message.student_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let year = p.number("school_year", message.school_year, 1900..=2200);
        let note = p.text("note", &message.note, 500);
        if message.expected_version < 0 {
            p.violation("expected_version", "must be the version read, or 0");
        }
        p.finish()?;
        self.student(caller, ACTION, Some(student_id)).await?;
        let mark = Mark {
            student_id,
            school_year: year,
            attention: message.attention,
            note,
            contacted: message.contacted,
            staff_id: caller.author(),
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let entry = super::mark(&self.pool, &mark).await?;
        Ok(MarkSeptemberResponse { entry: Some(to_wire(&entry)) })
    }

    pub(crate) async fn september_list(&self, caller: &Caller, message: &ListSeptemberRequest) -> Result<ListSeptemberResponse, PlanError> {
        const ACTION: &str = "plans.ListSeptember";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        // The next to begin: from July on the year that begins in this September is the current one.
        let next = school_year(today()) + i32::from(chrono::Datelike::month(&today()) < 7 || chrono::Datelike::month(&today()) > 10);
        let year = if message.school_year == 0 { next } else { p.number("school_year", message.school_year, 1900..=2200) };
        p.finish()?;
        let (granted, whose, sight) = self.list(caller, ACTION, school, None).await?;
        let entries = repo::list(&mut *self.pool.acquire().await?, &whose, &sight, year, message.open_only).await?;
        self.access.log_read(caller, ACTION, &granted.basis, Sensitivity::General.into(), school, entries.len()).await?;
        Ok(ListSeptemberResponse { entries: entries.iter().map(to_wire).collect(), access_basis: granted.basis })
    }
}
