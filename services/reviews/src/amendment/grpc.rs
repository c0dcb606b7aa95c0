//! Amendments over gRPC.

use chassis_access::{Caller, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use chrono::Datelike as _;
use prost::Message as _;
use proto::reviews::v1 as wire;
use proto::r#type::v1 as types;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::Replace;
use crate::grpc::Reviews;
use crate::student_review::entity::Entry;
use crate::student_review::grpc::own_source;
use crate::student_review::sight::Sight;
use crate::student_review::{Author, Change, input};
use crate::words::{Polarity, Source, sensitivity_from_wire};

/// Month in which a school year begins.
const JULY: u32 = 7;

/// The entry, where this reader may see it.
fn shown(entry: Entry, sight: &Sight) -> Option<wire::Entry> {
    sight.sees(&entry).then(|| entry.into())
}

/// What another entry takes the place of, as both calls say it.
struct Asked<'m> {
    action: &'static str,
    student_id: &'m str,
    entry_id: &'m str,
    entry: Option<&'m wire::Entry>,
    expected_version: i64,
    request_id: &'m str,
    encoded: Vec<u8>,
}

impl Reviews {
    /// The caller as an author of a student's records.
    async fn author_on(&self, caller: &Caller, action: &'static str, student_id: Uuid) -> Result<Author, Status> {
        let (_, record) = self.access.authorize_student(caller, action, student_id).await.or_status()?;
        let mut author = self.author(caller, &record.about(student_id), Uuid::nil());
        let at = |role: &str| caller.at.get(role).is_some_and(|schools| record.schools.iter().any(|school| schools.contains(school)));
        author.may_change_others = at("coordinator") || at("student_support_member");
        Ok(author)
    }

    pub(crate) async fn record_need(&self, request: Request<wire::RecordNeedRequest>) -> Result<Response<wire::RecordNeedResponse>, Status> {
        const ACTION: &str = "reviews.RecordNeed";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let student_id = p.uuid("student_id", &message.student_id);
        let entry = input::entry(&mut p, message.entry.as_ref().unwrap_or(&wire::Entry::default()), own_source(&caller));
        if entry.polarity != Polarity::Need {
            p.violation("entry.polarity", "must be a need");
        }
        p.finish().or_status()?;
        let author = self.author_on(&caller, ACTION, student_id).await?;
        let today = chassis_clock::today();
        let school_year = today.year() + i32::from(today.month() >= JULY);
        let class_review_id = self.amendments.latest(student_id, school_year).await.or_status()?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let change = Change { request, class_review_id, student_id, expected_version: 0 };
        let entry = self.amendments.record(&change, entry, &author).await.or_status()?;
        // Who wrote it is answered with it, as by PutEntry.
        Ok(Response::new(wire::RecordNeedResponse { entry: Some(entry.into()), class_review_id: class_review_id.to_string() }))
    }

    async fn replace_of(&self, caller: &Caller, mut p: Parser, asked: Asked<'_>, reason: String) -> Result<Replace, Status> {
        let request_id = p.uuid("request_id", asked.request_id);
        let student_id = p.uuid("student_id", asked.student_id);
        let former = p.uuid("entry_id", asked.entry_id);
        if asked.expected_version < 1 {
            p.violation("expected_version", "must be the version read");
        }
        let need = input::entry(&mut p, asked.entry.unwrap_or(&wire::Entry::default()), own_source(caller));
        if need.polarity != Polarity::Need {
            p.violation("entry.polarity", "must be a need");
        }
        p.finish().or_status()?;
        let author = self.author_on(caller, asked.action, student_id).await?;
        let class_review_id = self.amendments.of_entry(student_id, former).await.or_status()?;
        let request = idempotency::Request::new(&caller.subject, asked.action, request_id, &asked.encoded);
        let change = Change { request, class_review_id, student_id, expected_version: asked.expected_version };
        Ok(Replace { change, author, former, need, reason })
    }

    pub(crate) async fn reclassify(&self, request: Request<wire::ReclassifyNeedRequest>) -> Result<Response<wire::ReclassifyNeedResponse>, Status> {
        const ACTION: &str = "reviews.ReclassifyNeed";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let reason = p.required_text("reason", &message.reason, 500);
        let stated = message.entry.as_ref().map(|e| e.source).unwrap_or_default();
        if matches!(Source::from_wire(stated), None | Some(Source::Teacher)) {
            p.violation("entry.source", "must say who knew better: the family, the student, a counsellor, a nurse, a coordinator, a record or a partner");
        }
        let asked = Asked {
            action: ACTION,
            student_id: &message.student_id,
            entry_id: &message.entry_id,
            entry: message.entry.as_ref(),
            expected_version: message.expected_version,
            request_id: &message.request_id,
            encoded: message.encode_to_vec(),
        };
        let command = self.replace_of(&caller, p, asked, reason).await?;
        let (new, old) = self.amendments.reclassify(&command).await.or_status()?;
        Ok(Response::new(wire::ReclassifyNeedResponse { entry: Some(new.into()), former: shown(old, &command.author.sight) }))
    }

    pub(crate) async fn promote(&self, request: Request<wire::PromoteObservationRequest>) -> Result<Response<wire::PromoteObservationResponse>, Status> {
        const ACTION: &str = "reviews.PromoteObservation";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let asked = Asked {
            action: ACTION,
            student_id: &message.student_id,
            entry_id: &message.entry_id,
            entry: message.entry.as_ref(),
            expected_version: message.expected_version,
            request_id: &message.request_id,
            encoded: message.encode_to_vec(),
        };
        let command = self.replace_of(&caller, Parser::new(), asked, String::new()).await?;
        let need = self.amendments.promote(&command).await.or_status()?;
        Ok(Response::new(wire::PromoteObservationResponse { entry: Some(need.into()) }))
    }

    pub(crate) async fn set_sensitivity(
        &self,
        request: Request<wire::SetEntrySensitivityRequest>,
    ) -> Result<Response<wire::SetEntrySensitivityResponse>, Status> {
        const ACTION: &str = "reviews.SetEntrySensitivity";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let change = Change {
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
            class_review_id: p.uuid("class_review_id", &message.class_review_id),
            student_id: p.uuid("student_id", &message.student_id),
            expected_version: message.expected_version,
        };
        let entry_id = p.uuid("entry_id", &message.entry_id);
        let asked = p.required_enum::<types::Sensitivity>("sensitivity", message.sensitivity);
        let sensitivity: Sensitivity = asked.map(sensitivity_from_wire).unwrap_or(Sensitivity::General);
        let reason = p.required_text("reason", &message.reason, 500);
        p.finish().or_status()?;
        let (_, author) = self.author_of(&caller, ACTION, change.class_review_id, change.student_id).await?;
        let entry = self.amendments.guard(&change, entry_id, sensitivity, &reason, &author).await.or_status()?;
        Ok(Response::new(wire::SetEntrySensitivityResponse { entry: shown(entry, &author.sight) }))
    }
}
