//! Individual reviews over gRPC.

use chassis_access::{Caller, Clearance, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser};
use chrono::Utc;
use prost::Message;
use proto::reviews::v1 as wire;
use proto::r#type::v1 as types;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::entity::IndividualReview;
use super::error::IndividualReviewError;
use super::step::Step;
use super::{Change, Open, input};
use crate::case_access::sight::{Clearances, Place, View};
use crate::cases::{Cases, Student, denied};
use crate::concern::clock::{school_year, six_weeks_after};
use crate::words::{FamilyVoice, Trigger, sensitivity_from_wire};

impl IndividualReview {
    /// How much of it a caller sees: the team all of a restricted one, others that it is there, its state and dates.
    pub(crate) fn view(&self, caller: &Caller, clearance: &Clearance) -> View {
        View::of(self.sensitivity, clearance.all_restricted(), self.takes_part(caller.staff_id), clearance.protected())
    }
}

/// The id and the version that every step names.
macro_rules! target {
    ($message:expr) => {
        (&$message.individual_review_id, $message.expected_version, &$message.request_id)
    };
}

impl Cases {
    async fn seen_review(&self, caller: &Caller, action: &'static str, id: Uuid) -> Result<(IndividualReview, Student, View), Status> {
        let Some(review) = self.individual_reviews.get(id).await.or_status()? else { return Err(self.refuse(caller, action)) };
        let student = self.student(caller, action, review.student_id).await?;
        let view = review.view(caller, &student.clearance);
        if view == View::Absent { Err(denied(action)) } else { Ok((review, student, view)) }
    }

    /// Takes a step for a coordinator of the student's school, or for somebody who takes part.
    async fn take(
        &self,
        caller: &Caller,
        action: &'static str,
        (id, expected_version, request_id): (&str, i64, &str),
        message: &impl Message,
        mut p: Parser,
        step: Step,
    ) -> Result<Option<wire::IndividualReview>, Status> {
        let request_id = p.uuid("request_id", request_id);
        let id = p.uuid("individual_review_id", id);
        p.finish().or_status()?;
        let (review, student, view) = self.seen_review(caller, action, id).await?;
        let coordinates = caller.at.get("coordinator").is_some_and(|schools| student.record.schools.iter().any(|s| schools.contains(s)));
        if view != View::Open || !(coordinates || review.takes_part(caller.staff_id)) {
            return Err(denied(action));
        }
        let request = idempotency::Request::new(&caller.subject, action, request_id, &message.encode_to_vec());
        let change = Change { request, id, expected_version, author: caller.author() };
        let review = self.individual_reviews.take(&change, &step).await.or_status()?;
        // Who has just left the team sees as much as anybody.
        let view = review.view(caller, &student.clearance);
        Ok(review.shown(view))
    }

    pub(crate) async fn open(&self, request: Request<wire::OpenIndividualReviewRequest>) -> Result<Response<wire::OpenIndividualReviewResponse>, Status> {
        const ACTION: &str = "reviews.OpenIndividualReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let student_id = p.uuid("student_id", &message.student_id);
        let trigger: Option<wire::IndividualReviewTrigger> = p.required_enum("trigger", message.trigger);
        let trigger = trigger.and_then(|t| Trigger::from_wire(t.into())).unwrap_or(Trigger::Tier3);
        let concern_id = p.optional_uuid("concern_id", &message.concern_id);
        if (trigger == Trigger::Concern) != concern_id.is_some() {
            p.violation("concern_id", "must be given for the trigger concern, and only then");
        }
        let sensitivity: types::Sensitivity = p.known_enum("sensitivity", message.sensitivity);
        p.finish().or_status()?;
        let student = self.student(&caller, ACTION, student_id).await?;
        let mut sensitivity = match sensitivity {
            types::Sensitivity::Unspecified => Sensitivity::Restricted,
            said => sensitivity_from_wire(said),
        };
        if let Some(id) = concern_id {
            sensitivity = sensitivity.max(self.sensitivity_of_concern(&caller, &student, student_id, id).await?);
        }
        // Nobody opens a protected one unless they may see it: the answer would tell of one that is there.
        if sensitivity == Sensitivity::Protected && !student.clearance.protected() {
            return Err(denied(ACTION));
        }
        let today = self.clock.day(Utc::now());
        let (author, school_id) = (caller.author(), student.school_id);
        let command = Open { id: Uuid::now_v7(), student_id, school_id, trigger, concern_id, sensitivity, author, school_year: school_year(today) };
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let review = self.individual_reviews.open(&request, &command).await.or_status()?;
        let view = review.view(&caller, &student.clearance);
        Ok(Response::new(wire::OpenIndividualReviewResponse { individual_review: review.shown(view) }))
    }

    async fn sensitivity_of_concern(&self, caller: &Caller, student: &Student, student_id: Uuid, id: Uuid) -> Result<Sensitivity, Status> {
        let concern = self.concerns.get(id).await.or_status()?.filter(|c| c.student_id == student_id);
        let open = concern.filter(|c| c.view(caller, &student.clearance) == View::Open);
        Ok(open.ok_or(IndividualReviewError::NoConcern).or_status()?.sensitivity)
    }

    pub(crate) async fn individual_review(
        &self,
        request: Request<wire::GetIndividualReviewRequest>,
    ) -> Result<Response<wire::GetIndividualReviewResponse>, Status> {
        const ACTION: &str = "reviews.GetIndividualReview";
        let caller = Caller::of(&request)?;
        let mut p = Parser::new();
        let id = p.uuid("individual_review_id", &request.into_inner().individual_review_id);
        p.finish().or_status()?;
        let (review, student, view) = self.seen_review(&caller, ACTION, id).await?;
        if view == View::Open {
            self.access.log_read(&caller, ACTION, &student.granted.basis, review.sensitivity, Some(review.student_id), 1).await.or_status()?;
        }
        Ok(Response::new(wire::GetIndividualReviewResponse { individual_review: review.shown(view), access_basis: student.granted.basis }))
    }

    pub(crate) async fn individual_review_list(
        &self,
        request: Request<wire::ListIndividualReviewsRequest>,
    ) -> Result<Response<wire::ListIndividualReviewsResponse>, Status> {
        const ACTION: &str = "reviews.ListIndividualReviews";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let student_id = p.optional_uuid("student_id", &message.student_id);
        let school_id = p.optional_uuid("school_id", &message.school_id);
        p.finish().or_status()?;
        let filter = format!("{student_id:?} {school_id:?} {}", message.open_only);
        let page = PageToken::page::<Place>(message.page_size, &message.page_token, &filter, 50, 200).or_status()?;
        let (reach, basis) = self.reach(&caller, ACTION, student_id, school_id).await?;
        let mut rows = self.individual_reviews.list(&reach, message.open_only, &page).await.or_status()?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |row| row.place);
        let mut clearances = Clearances::new(&self.access, &caller);
        let mut reviews = Vec::with_capacity(rows.len());
        let mut highest = Sensitivity::General;
        for row in rows {
            let view = row.record.view(&caller, clearances.of(row.record.student_id, &row.schools));
            if view == View::Open {
                highest = highest.max(row.record.sensitivity);
            }
            reviews.extend(row.record.shown(view));
        }
        self.access.log_read(&caller, ACTION, &basis, highest, student_id.or(school_id), reviews.len()).await.or_status()?;
        Ok(Response::new(wire::ListIndividualReviewsResponse { individual_reviews: reviews, next_page_token, access_basis: basis }))
    }

    pub(crate) async fn decline(
        &self,
        request: Request<wire::DeclineIndividualReviewRequest>,
    ) -> Result<Response<wire::DeclineIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let step = Step::Decline {
            reason: p.required_text("reason", &message.reason, 500),
            seconded_by: p.uuid("seconded_by", &message.seconded_by),
            by: caller.author(),
        };
        let individual_review = self.take(&caller, "reviews.DeclineIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::DeclineIndividualReviewResponse { individual_review }))
    }

    pub(crate) async fn prepare(
        &self,
        request: Request<wire::PrepareIndividualReviewRequest>,
    ) -> Result<Response<wire::PrepareIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let step = Step::Prepare { lead_id: p.uuid("lead_id", &message.lead_id), team: input::team(&mut p, &message.team) };
        let individual_review = self.take(&caller, "reviews.PrepareIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::PrepareIndividualReviewResponse { individual_review }))
    }

    pub(crate) async fn schedule(
        &self,
        request: Request<wire::ScheduleIndividualReviewRequest>,
    ) -> Result<Response<wire::ScheduleIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let sent = message.invitation.clone().unwrap_or_default();
        let step = Step::Schedule { meets_on: p.date("meets_on", &message.meets_on), invitation: input::invitation(&mut p, &sent, self.clock.day(Utc::now())) };
        let individual_review = self.take(&caller, "reviews.ScheduleIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::ScheduleIndividualReviewResponse { individual_review }))
    }

    pub(crate) async fn hold(&self, request: Request<wire::HoldIndividualReviewRequest>) -> Result<Response<wire::HoldIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let voice: Option<wire::FamilyVoice> = p.required_enum("family_voice", message.family_voice);
        let step = Step::Hold {
            attended: p.uuids("attended_staff_ids", &message.attended_staff_ids, 20),
            family_voice: voice.and_then(|v| FamilyVoice::from_wire(v.into())).unwrap_or(FamilyVoice::Unreachable),
            family_words: p.text("family_words", &message.family_words, 2000),
        };
        let individual_review = self.take(&caller, "reviews.HoldIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::HoldIndividualReviewResponse { individual_review }))
    }

    pub(crate) async fn decide(&self, request: Request<wire::DecideIndividualReviewRequest>) -> Result<Response<wire::DecideIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let step = Step::Decide {
            findings: input::findings(&mut p, &message.findings),
            decisions: input::decisions(&mut p, &message.decisions),
            review_on: p.optional_date("review_on", &message.review_on).unwrap_or_else(|| six_weeks_after(self.clock.day(Utc::now()))),
            family_words: p.text("family_words", &message.family_words, 2000),
            agreed: p.uuids("agreed_staff_ids", &message.agreed_staff_ids, 20),
        };
        let individual_review = self.take(&caller, "reviews.DecideIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::DecideIndividualReviewResponse { individual_review }))
    }

    pub(crate) async fn review(&self, request: Request<wire::ReviewIndividualReviewRequest>) -> Result<Response<wire::ReviewIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let reason = if message.close { p.required_text("reason", &message.reason, 500) } else { p.text("reason", &message.reason, 500) };
        let step = Step::Review { outcomes: input::outcomes(&mut p, &message.outcomes), close: message.close.then_some(reason) };
        let individual_review = self.take(&caller, "reviews.ReviewIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::ReviewIndividualReviewResponse { individual_review }))
    }

    pub(crate) async fn suspend(
        &self,
        request: Request<wire::SuspendIndividualReviewRequest>,
    ) -> Result<Response<wire::SuspendIndividualReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let step = if message.suspend {
            Step::Suspend { reason: p.required_text("reason", &message.reason, 500), look_again_on: p.date("look_again_on", &message.look_again_on) }
        } else {
            Step::Resume
        };
        let individual_review = self.take(&caller, "reviews.SuspendIndividualReview", target!(message), &message, p, step).await?;
        Ok(Response::new(wire::SuspendIndividualReviewResponse { individual_review }))
    }
}
