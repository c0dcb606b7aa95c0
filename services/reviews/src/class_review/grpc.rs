//! Class reviews over gRPC.

use std::collections::HashSet;

use chassis_access::{Caller, Record, Scope, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser};
use chrono::NaiveDate;
use prost::Message as _;
use proto::reviews::v1 as wire;
use proto::rosters::v1::ListClassMembersRequest;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::entity::Overview;
use super::error::ClassReviewError;
use super::{Change, Signer, Snapshot, Start};
use crate::grpc::Reviews;
use crate::student_review::sight::Sights;
use crate::words::{ClassReviewState, time_wire};

/// The largest class that we review: larger ones are rosters gone wrong.
const MOST_STUDENTS: usize = 500;

impl From<Overview> for wire::ClassReview {
    fn from(Overview { review, progress }: Overview) -> Self {
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        Self {
            class_review_id: review.id.to_string(),
            review_cycle_id: review.cycle_id.to_string(),
            class_id: review.class_id.to_string(),
            school_id: review.school_id.to_string(),
            state: review.state.wire(),
            student_count: progress.students,
            done_count: progress.done,
            current_student_id: id(progress.current_student),
            version: review.version,
            start_time: review.started_at.map(time_wire),
            teacher_signed_by: id(review.teacher_signed.map(|s| s.by)),
            coordinator_signed_by: id(review.coordinator_signed.map(|s| s.by)),
            complete_time: review.completed_at.map(time_wire),
            school_year: review.school_year,
            scheduled_on: review.booking.on.map(|day| day.to_string()).unwrap_or_default(),
            booked_minutes: review.booking.minutes,
            teacher_ids: review.booking.teachers.iter().map(Uuid::to_string).collect(),
            coordinator_id: id(review.booking.coordinator),
            active_seconds: progress.active_seconds,
            reopen_count: review.reopen_count,
            reason: review.reason,
            season: review.season.wire(),
            added_count: progress.added,
            left_count: progress.left,
        }
    }
}

impl Reviews {
    pub(crate) async fn start_review(&self, request: Request<wire::StartClassReviewRequest>) -> Result<Response<wire::StartClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.StartClassReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let cycle_id = p.uuid("review_cycle_id", &message.review_cycle_id);
        let class_id = p.uuid("class_id", &message.class_id);
        let roster_date = p.optional_date("roster_date", &message.roster_date).unwrap_or_else(chassis_clock::today);
        p.finish().or_status()?;
        let (_, record) = self.access.authorize_class(&caller, ACTION, class_id).await.or_status()?;
        let school_id = record.schools.first().copied().ok_or(ClassReviewError::ClassUnknown).or_status()?;
        if let Some(existing) = self.class_reviews.existing(cycle_id, class_id).await.or_status()?
            && existing.review.state != ClassReviewState::Scheduled
        {
            return Ok(Response::new(wire::StartClassReviewResponse { class_review: Some(existing.into()) }));
        }
        let snapshot = self.snapshot(&caller, class_id, roster_date).await?;
        let command = Start {
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
            author: caller.author(),
            cycle_id,
            class_id,
            school_id,
            roster_date,
            snapshot,
        };
        let started = self.class_reviews.start(command).await.or_status()?;
        Ok(Response::new(wire::StartClassReviewResponse { class_review: Some(started.into()) }))
    }

    /// The class on a day, as the caller may see it.
    pub(super) async fn snapshot(&self, caller: &Caller, class_id: Uuid, date: NaiveDate) -> Result<Snapshot, Status> {
        let question = ListClassMembersRequest { class_id: class_id.to_string(), as_of_date: date.to_string() };
        let answer = self.rosters.clone().list_class_members(caller.forward(question)).await?.into_inner();
        if answer.students.len() > MOST_STUDENTS {
            let refusal = chassis_rpc::InvalidInput::one("class_id", format!("has more than {MOST_STUDENTS} students; check the roster"));
            return Err(chassis_rpc::status(refusal));
        }
        let mut seen = HashSet::new();
        let mut students = Vec::with_capacity(answer.students.len());
        for student in answer.students {
            let id: Uuid = student.student_id.parse().map_err(|_| Status::internal("rosters answered an id that is not a UUID"))?;
            if seen.insert(id) {
                students.push((id, student.grade));
            }
        }
        Ok(Snapshot { students })
    }

    pub(crate) async fn class_review(&self, request: Request<wire::GetClassReviewRequest>) -> Result<Response<wire::GetClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.GetClassReview";
        let caller = Caller::of(&request)?;
        let mut p = Parser::new();
        let id = p.uuid("class_review_id", &request.into_inner().class_review_id);
        p.finish().or_status()?;
        let (granted, record, _) = self.decide(&caller, ACTION, id).await?;
        let sights = Sights::of(&self.access, &caller, &record);
        let (overview, students) = self.student_reviews.of_class_review(ACTION, id).await.or_status()?;
        let shown = students.iter().map(|s| sights.of_student(s.student_id).highest(s.entries.iter())).max().unwrap_or(Sensitivity::General);
        self.access.log_read(&caller, ACTION, &granted.basis, shown, Some(id), students.len()).await.or_status()?;
        Ok(Response::new(wire::GetClassReviewResponse {
            class_review: Some(overview.into()),
            students: students.into_iter().map(|student| sights.show(student)).collect(),
            access_basis: granted.basis,
        }))
    }

    pub(crate) async fn class_review_list(&self, request: Request<wire::ListClassReviewsRequest>) -> Result<Response<wire::ListClassReviewsResponse>, Status> {
        const ACTION: &str = "reviews.ListClassReviews";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let cycle_id = p.optional_uuid("review_cycle_id", &message.review_cycle_id);
        let school_id = p.optional_uuid("school_id", &message.school_id);
        p.finish().or_status()?;
        let filter = format!("{cycle_id:?} {school_id:?}");
        let page = PageToken::page::<Uuid>(message.page_size, &message.page_token, &filter, 100, 500).or_status()?;
        let scope = match school_id {
            Some(school) => {
                let granted = self.access.authorize(&caller, ACTION, &Record::school(school)).or_status()?;
                Scope { schools: vec![school], basis: granted.basis, ..Scope::default() }
            }
            None => self.access.scope(&caller, ACTION).or_status()?,
        };
        let mut rows = self.class_reviews.list(cycle_id, &scope, &page).await.or_status()?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |row| row.review.id);
        // Rows are classes: no student's record is in them.
        self.access.log_read(&caller, ACTION, &scope.basis, Sensitivity::General, school_id, 0).await.or_status()?;
        Ok(Response::new(wire::ListClassReviewsResponse {
            class_reviews: rows.into_iter().map(Into::into).collect(),
            next_page_token,
            access_basis: scope.basis,
        }))
    }

    pub(crate) async fn submit(&self, request: Request<wire::SubmitClassReviewRequest>) -> Result<Response<wire::SubmitClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.SubmitClassReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let id = p.uuid("class_review_id", &message.class_review_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.finish().or_status()?;
        self.decide(&caller, ACTION, id).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let change = Change { request, id, expected_version: message.expected_version };
        let overview = self.class_reviews.submit(change).await.or_status()?;
        Ok(Response::new(wire::SubmitClassReviewResponse { class_review: Some(overview.into()) }))
    }

    pub(crate) async fn sign(&self, request: Request<wire::SignClassReviewRequest>) -> Result<Response<wire::SignClassReviewResponse>, Status> {
        const ACTION: &str = "reviews.SignClassReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let id = p.uuid("class_review_id", &message.class_review_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let instead = p.text("instead_of_teacher_reason", &message.instead_of_teacher_reason, 500);
        p.finish().or_status()?;
        let (_, _, place) = self.decide(&caller, ACTION, id).await?;
        let at_school = |role: &str| caller.at.get(role).is_some_and(|schools| schools.contains(&place.school_id));
        // Of a team any one signs.
        let named = self.class_reviews.teachers_named(id).await.or_status()?;
        let signer = Signer {
            by: caller.author(),
            teacher: caller.teaches.contains(&place.class_id) || named.contains(&caller.author()),
            coordinator: at_school("coordinator"),
            principal: at_school("principal"),
            instead,
        };
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let change = Change { request, id, expected_version: message.expected_version };
        let overview = self.class_reviews.sign(change, signer).await.or_status()?;
        Ok(Response::new(wire::SignClassReviewResponse { class_review: Some(overview.into()) }))
    }
}
