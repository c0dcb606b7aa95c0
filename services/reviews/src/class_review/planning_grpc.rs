//! Booking, moving and refreshing class reviews over gRPC.

use chassis_access::{AccessError, Caller};
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use prost::Message as _;
use proto::reviews::v1 as wire;
use tonic::{Request, Response, Status};

use super::entity::Step;
use super::error::ClassReviewError;
use super::{Change, Schedule};
use crate::grpc::Reviews;

/// The largest team.
const MOST_TEACHERS: usize = 10;

impl Reviews {
    pub(crate) async fn schedule(&self, request: Request<wire::ScheduleClassReviewRequest>) -> Result<Response<wire::ScheduleClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.ScheduleClassReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let cycle_id = p.uuid("review_cycle_id", &message.review_cycle_id);
        let class_id = p.uuid("class_id", &message.class_id);
        let on = p.date("scheduled_on", &message.scheduled_on);
        let minutes = p.number("booked_minutes", message.booked_minutes, 0..=480);
        let teachers = p.uuids("teacher_ids", &message.teacher_ids, MOST_TEACHERS);
        if message.teacher_ids.is_empty() {
            p.violation("teacher_ids", "must name at least one teacher of the class");
        }
        let named = p.optional_uuid("coordinator_id", &message.coordinator_id);
        p.finish().or_status()?;
        let (_, record) = self.access.authorize_class(&caller, ACTION, class_id).await.or_status()?;
        let school_id = record.schools.first().copied().ok_or(ClassReviewError::ClassUnknown).or_status()?;
        if let Some(existing) = self.class_reviews.existing(cycle_id, class_id).await.or_status()? {
            return Ok(Response::new(wire::ScheduleClassReviewResponse { class_review: Some(existing.into()) }));
        }
        let own = caller.at.get("coordinator").is_some_and(|schools| schools.contains(&school_id)).then(|| caller.author());
        let coordinator = named.or(own).ok_or_else(|| chassis_rpc::InvalidInput::one("coordinator_id", "must name a coordinator of the school")).or_status()?;
        let today = chassis_clock::today();
        let command = Schedule {
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
            author: caller.author(),
            cycle_id,
            class_id,
            school_id,
            students: self.snapshot(&caller, class_id, today).await?.students.len(),
            on,
            minutes,
            teachers,
            coordinator,
            coordinates: own == Some(coordinator),
        };
        let overview = self.class_reviews.schedule(command).await.or_status()?;
        Ok(Response::new(wire::ScheduleClassReviewResponse { class_review: Some(overview.into()) }))
    }

    pub(crate) async fn transition(
        &self,
        request: Request<wire::TransitionClassReviewRequest>,
    ) -> Result<Response<wire::TransitionClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.TransitionClassReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let id = p.uuid("class_review_id", &message.class_review_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let word = p.one_of("transition", &message.transition, &["pause", "resume", "reopen", "cancel"], false);
        let reason = p.text("reason", &message.reason, 500);
        p.finish().or_status()?;
        let (_, _, place) = self.decide(&caller, ACTION, id).await?;
        let coordinates = caller.at.get("coordinator").is_some_and(|schools| schools.contains(&place.school_id));
        let step = match word.as_str() {
            "pause" => Step::Pause { reason },
            "resume" => Step::Resume,
            // Teachers pause and go on; what ends a review, or takes its end back, is for those who answer for it.
            _ if !coordinates && !caller.has("program_manager") => return Err(chassis_rpc::status(AccessError::Denied { action: ACTION.to_owned() })),
            "reopen" => Step::Reopen { reason },
            _ => Step::Cancel { reason },
        };
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let overview = self.class_reviews.step(Change { request, id, expected_version: message.expected_version }, step).await.or_status()?;
        Ok(Response::new(wire::TransitionClassReviewResponse { class_review: Some(overview.into()) }))
    }

    pub(crate) async fn refresh(&self, request: Request<wire::RefreshClassReviewRequest>) -> Result<Response<wire::RefreshClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.RefreshClassReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let id = p.uuid("class_review_id", &message.class_review_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let roster_date = p.optional_date("roster_date", &message.roster_date).unwrap_or_else(chassis_clock::today);
        p.finish().or_status()?;
        let (_, _, place) = self.decide(&caller, ACTION, id).await?;
        let snapshot = self.snapshot(&caller, place.class_id, roster_date).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let refreshed = self.class_reviews.refresh(&request, id, &snapshot).await.or_status()?;
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        Ok(Response::new(wire::RefreshClassReviewResponse {
            class_review: Some(refreshed.overview.into()),
            added_count: count(refreshed.added),
            left_count: count(refreshed.left),
        }))
    }
}
