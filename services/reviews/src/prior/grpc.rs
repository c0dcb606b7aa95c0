//! Prior entries over gRPC.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use prost::Message as _;
use proto::reviews::v1 as wire;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::entity::{Answer, Prior};
use crate::grpc::Reviews;
use crate::student_review::error::StudentReviewError;
use crate::student_review::grpc::own_source;
use crate::student_review::{Change, input};

impl From<Prior> for wire::PriorEntry {
    fn from(prior: Prior) -> Self {
        Self {
            entry: Some(prior.entry.into()),
            school_year: prior.school_year,
            season: prior.season.wire(),
            answer: prior.answer.map(|a| a.wire()).unwrap_or_default(),
        }
    }
}

impl Reviews {
    pub(crate) async fn prior_entries(&self, request: Request<wire::ListPriorEntriesRequest>) -> Result<Response<wire::ListPriorEntriesResponse>, Status> {
        const ACTION: &str = "reviews.ListPriorEntries";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let class_review_id = p.uuid("class_review_id", &message.class_review_id);
        let student_id = p.uuid("student_id", &message.student_id);
        p.finish().or_status()?;
        let (granted, author) = self.author_of(&caller, ACTION, class_review_id, student_id).await?;
        let priors = self.priors.list(class_review_id, student_id, message.include_answered, &author.sight).await.or_status()?;
        let shown = author.sight.highest(priors.iter().map(|prior| &prior.entry));
        self.access.log_read(&caller, ACTION, &granted.basis, shown, Some(student_id), 1).await.or_status()?;
        Ok(Response::new(wire::ListPriorEntriesResponse { entries: priors.into_iter().map(Into::into).collect(), access_basis: granted.basis }))
    }

    pub(crate) async fn answer_prior(&self, request: Request<wire::AnswerPriorEntryRequest>) -> Result<Response<wire::AnswerPriorEntryResponse>, Status> {
        const ACTION: &str = "reviews.AnswerPriorEntry";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let change = Change {
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
            class_review_id: p.uuid("class_review_id", &message.class_review_id),
            student_id: p.uuid("student_id", &message.student_id),
            expected_version: 0,
        };
        let prior_id = p.uuid("prior_entry_id", &message.prior_entry_id);
        let word: wire::PriorAnswer = p.known_enum("answer", message.answer);
        let new_id = match word {
            wire::PriorAnswer::StillTrue | wire::PriorAnswer::Changed => p.uuid("new_entry_id", &message.new_entry_id),
            _ => Uuid::nil(),
        };
        p.finish().or_status()?;
        let (_, author) = self.author_of(&caller, ACTION, change.class_review_id, change.student_id).await?;
        let answer = match word {
            wire::PriorAnswer::Unspecified => None,
            wire::PriorAnswer::StillTrue => Some(Answer::StillTrue(new_id)),
            wire::PriorAnswer::NoLonger => Some(Answer::NoLonger),
            wire::PriorAnswer::Changed => {
                let priors = self.priors.list(change.class_review_id, change.student_id, true, &author.sight).await.or_status()?;
                let prior = priors.into_iter().find(|p| p.entry.id == prior_id).ok_or(StudentReviewError::NoPrior).or_status()?;
                // The polarity stays, whatever is said of it.
                let stated = message.changed.clone().unwrap_or_default();
                let changed = wire::Entry { entry_id: message.new_entry_id.clone(), polarity: prior.entry.polarity.wire(), ..stated };
                let mut p = Parser::new();
                let entry = input::entry_at(&mut p, "changed", &changed, own_source(&caller));
                p.finish().or_status()?;
                Some(Answer::Changed(Box::new(entry)))
            }
        };
        let entry = self.priors.answer(&change, prior_id, answer, &author).await.or_status()?;
        Ok(Response::new(wire::AnswerPriorEntryResponse { entry: entry.map(Into::into) }))
    }
}
