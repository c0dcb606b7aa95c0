//! Fake services behind the portal: one small class in memory. Every person is fictional.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use prost::Message;
use proto::partners::v1 as partners;
use proto::plans::v1 as plans;
use proto::reporting::v1 as reporting;
use proto::reviews::v1 as reviews;
use proto::rosters::v1 as rosters;
use proto::r#type::v1::{Certainty, Domain, Tier};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::sample;

/// What the fake services hold.
pub struct World {
    pub review: reviews::ClassReview,
    pub students: Vec<reviews::StudentReview>,
    pub priors: Vec<reviews::PriorEntry>,
    /// What the roster says of the caller; where None, it does not say.
    pub roster_roles: Option<Vec<&'static str>>,
}

pub type Shared = Arc<Mutex<World>>;

type Answer = Result<Vec<u8>, Status>;

fn read<M: Message + Default>(bytes: &[u8]) -> M {
    M::decode(bytes).unwrap()
}

fn told<M: Message>(message: M) -> Answer {
    Ok(message.encode_to_vec())
}

fn stale() -> Status {
    let details = ErrorDetails::with_error_info("ETAG_MISMATCH", "wraparound", HashMap::new());
    Status::with_error_details(Code::Aborted, "somebody changed this meanwhile; read it again", details)
}

fn wrong_state(words: &str) -> Status {
    let mut details = ErrorDetails::with_error_info("WRONG_STATE", "wraparound", HashMap::new());
    details.add_precondition_failure_violation("WRONG_STATE", "student_review", words);
    Status::with_error_details(Code::FailedPrecondition, words, details)
}

/// A rule of the right shape; the real one is tested where it lives.
fn suggest(student: &mut reviews::StudentReview) {
    let needs: Vec<_> = student.entries.iter().filter(|entry| entry.polarity() == reviews::Polarity::Need).cloned().collect();
    let tier = match needs.iter().map(|need| need.severity).max() {
        None => Tier::Tier1,
        Some(1) => Tier::Tier2a,
        Some(2) => Tier::Tier2b,
        Some(_) => Tier::Tier3,
    };
    student.suggested_tier = tier.into();
    student.suggested_because = needs.iter().map(|need| need.entry_id.clone()).collect();
}

impl World {
    fn student(&mut self, id: &str) -> Result<&mut reviews::StudentReview, Status> {
        self.students.iter_mut().find(|student| student.student_id == id).ok_or_else(|| Status::not_found("no such student"))
    }

    fn moved(&mut self, id: &str, expected: i64, state: reviews::StudentReviewState) -> Result<reviews::StudentReview, Status> {
        let student = self.student(id)?;
        if student.version != expected {
            return Err(stale());
        }
        student.state = state.into();
        student.version += 1;
        let student = student.clone();
        self.review.done_count = self
            .students
            .iter()
            .filter(|student| matches!(student.state(), reviews::StudentReviewState::Reviewed | reviews::StudentReviewState::NotReviewed))
            .count() as i32;
        Ok(student)
    }

    fn put(&mut self, request: reviews::PutEntryRequest) -> Result<reviews::Entry, Status> {
        let mut entry = request.entry.unwrap_or_default();
        let code = sample::codes().into_iter().find(|code| code.code == entry.code).ok_or_else(|| Status::invalid_argument("no such code"))?;
        let student = self.student(&request.student_id)?;
        entry.domain = code.domain;
        entry.source = reviews::EntrySource::Teacher.into();
        match student.entries.iter_mut().find(|held| held.entry_id == entry.entry_id) {
            Some(held) if held.version != request.expected_version => return Err(stale()),
            Some(held) => {
                entry.version = held.version + 1;
                *held = entry.clone();
            }
            None => {
                entry.version = 1;
                student.entries.push(entry.clone());
            }
        }
        suggest(student);
        Ok(entry)
    }

    fn supersede(&mut self, student: &str, former: &str, entry: Option<reviews::Entry>, origin: reviews::EntryOrigin) -> Result<reviews::Entry, Status> {
        let mut entry = entry.unwrap_or_default();
        let code = sample::codes().into_iter().find(|code| code.code == entry.code).ok_or_else(|| Status::invalid_argument("no such code"))?;
        entry.domain = code.domain;
        entry.version = 1;
        entry.origin = origin.into();
        entry.from_entry_id = former.to_owned();
        let student = self.student(student)?;
        let held = student.entries.iter_mut().find(|held| held.entry_id == former).ok_or_else(|| Status::not_found("no such entry"))?;
        held.superseded_by = entry.entry_id.clone();
        student.entries.push(entry.clone());
        Ok(entry)
    }

    fn update(&mut self, request: reviews::UpdateStudentReviewRequest) -> Result<reviews::StudentReview, Status> {
        let student = self.student(&request.student_id)?;
        if student.version != request.expected_version {
            return Err(stale());
        }
        student.version += 1;
        student.no_concern_domains = request.no_concern_domains;
        student.assigned_tier = request.assigned_tier;
        student.tier_reason = request.tier_reason;
        student.no_strength_reason = request.no_strength_reason;
        Ok(student.clone())
    }
}

fn answer(world: &Shared, method: &str, bytes: &[u8]) -> Answer {
    if let Some(told) = super::practice::answer(method, bytes) {
        return told;
    }
    let mut world = world.lock().unwrap();
    match method {
        "rosters.v1.RosterService/ListSchools" => told(rosters::ListSchoolsResponse { schools: sample::schools(), ..Default::default() }),
        "rosters.v1.RosterService/ListClasses" => {
            told(rosters::ListClassesResponse { classes: sample::classes(), access_basis: "class_teacher".into(), ..Default::default() })
        }
        "rosters.v1.RosterService/GetClass" => told(rosters::GetClassResponse { class: sample::classes().into_iter().next(), ..Default::default() }),
        "rosters.v1.RosterService/BatchGetStudents" => told(rosters::BatchGetStudentsResponse { students: sample::students(), ..Default::default() }),
        "rosters.v1.RosterService/BatchGetStaff" => told(rosters::BatchGetStaffResponse::default()),
        "rosters.v1.RosterService/ListClassMembers" => told(rosters::ListClassMembersResponse {
            students: sample::students(),
            staff: vec![rosters::StaffMember {
                staff_id: sample::id(950),
                display_name: "Ms. Okafor".into(),
                roles: vec!["teacher".into()],
                ..Default::default()
            }],
            ..Default::default()
        }),
        "rosters.v1.RosterService/GetCaller" => match &world.roster_roles {
            None => Err(Status::unavailable("rosters is away")),
            Some(roles) if roles.is_empty() => Err(Status::permission_denied("no role")),
            Some(roles) => told(rosters::GetCallerResponse {
                roles: roles.iter().map(|role| rosters::CallerRole { role: (*role).into(), ..Default::default() }).collect(),
                ..Default::default()
            }),
        },
        "rosters.v1.RosterService/SearchStudents" => told(rosters::SearchStudentsResponse { students: sample::students(), ..Default::default() }),
        "rosters.v1.RosterService/GetStudent" => {
            let id = read::<rosters::GetStudentRequest>(bytes).student_id;
            told(rosters::GetStudentResponse { student: sample::students().into_iter().find(|student| student.student_id == id), ..Default::default() })
        }
        "reviews.v1.ReviewService/ListCodes" => told(reviews::ListCodesResponse { taxonomy_version: "taxonomy/1".into(), codes: sample::codes() }),
        "reviews.v1.ReviewService/ListReviewCycles" => told(reviews::ListReviewCyclesResponse { cycles: vec![sample::cycle()] }),
        "reviews.v1.ReviewService/ListClassReviews" => {
            told(reviews::ListClassReviewsResponse { class_reviews: vec![world.review.clone()], ..Default::default() })
        }
        "reviews.v1.ReviewService/GetClassReview" => told(reviews::GetClassReviewResponse {
            class_review: Some(world.review.clone()),
            students: world.students.clone(),
            access_basis: "class_teacher".into(),
        }),
        "reviews.v1.ReviewService/GetStudentReview" => {
            let request: reviews::GetStudentReviewRequest = read(bytes);
            told(reviews::GetStudentReviewResponse { student_review: Some(world.student(&request.student_id)?.clone()), ..Default::default() })
        }
        "reviews.v1.ReviewService/PutEntry" => told(reviews::PutEntryResponse { entry: Some(world.put(read(bytes))?) }),
        "reviews.v1.ReviewService/RemoveEntry" => {
            let request: reviews::RemoveEntryRequest = read(bytes);
            let student = world.student(&request.student_id)?;
            student.entries.retain(|entry| entry.entry_id != request.entry_id);
            suggest(student);
            told(reviews::RemoveEntryResponse {})
        }
        "reviews.v1.ReviewService/UpdateStudentReview" => told(reviews::UpdateStudentReviewResponse { student_review: Some(world.update(read(bytes))?) }),
        "reviews.v1.ReviewService/CompleteStudentReview" => {
            let request: reviews::CompleteStudentReviewRequest = read(bytes);
            if world.student(&request.student_id)?.assigned_tier == 0 {
                return Err(wrong_state("no tier is assigned; assign one"));
            }
            told(reviews::CompleteStudentReviewResponse {
                student_review: Some(world.moved(&request.student_id, request.expected_version, reviews::StudentReviewState::Reviewed)?),
            })
        }
        "reviews.v1.ReviewService/SkipStudentReview" => {
            let request: reviews::SkipStudentReviewRequest = read(bytes);
            told(reviews::SkipStudentReviewResponse {
                student_review: Some(world.moved(&request.student_id, request.expected_version, reviews::StudentReviewState::NotReviewed)?),
            })
        }
        "reviews.v1.ReviewService/ReopenStudentReview" => {
            let request: reviews::ReopenStudentReviewRequest = read(bytes);
            told(reviews::ReopenStudentReviewResponse {
                student_review: Some(world.moved(&request.student_id, request.expected_version, reviews::StudentReviewState::InProgress)?),
            })
        }
        "reviews.v1.ReviewService/ListPriorEntries" => told(reviews::ListPriorEntriesResponse { entries: world.priors.clone(), ..Default::default() }),
        "reviews.v1.ReviewService/AnswerPriorEntry" => {
            let request: reviews::AnswerPriorEntryRequest = read(bytes);
            let prior = world.priors.iter_mut().find(|prior| prior.entry.as_ref().is_some_and(|entry| entry.entry_id == request.prior_entry_id));
            let prior = prior.ok_or_else(|| Status::not_found("no such entry"))?;
            prior.answer = request.answer;
            let before = prior.entry.clone().unwrap();
            let student = world.student(&request.student_id)?;
            student.entries.retain(|entry| entry.from_entry_id != request.prior_entry_id);
            let carried = (!request.new_entry_id.is_empty()).then(|| reviews::Entry {
                entry_id: request.new_entry_id.clone(),
                version: 1,
                origin: reviews::EntryOrigin::Carried.into(),
                from_entry_id: request.prior_entry_id.clone(),
                ..request.changed.unwrap_or(before)
            });
            student.entries.extend(carried.clone());
            suggest(student);
            told(reviews::AnswerPriorEntryResponse { entry: carried })
        }
        "reviews.v1.ReviewService/PromoteObservation" => {
            let request: reviews::PromoteObservationRequest = read(bytes);
            told(reviews::PromoteObservationResponse {
                entry: Some(world.supersede(&request.student_id, &request.entry_id, request.entry, reviews::EntryOrigin::Promoted)?),
            })
        }
        "reviews.v1.ReviewService/ReclassifyNeed" => {
            let request: reviews::ReclassifyNeedRequest = read(bytes);
            let entry = world.supersede(&request.student_id, &request.entry_id, request.entry, reviews::EntryOrigin::Reclassified)?;
            told(reviews::ReclassifyNeedResponse { entry: Some(entry), former: None })
        }
        "reviews.v1.ReviewService/SetEntrySensitivity" => {
            let request: reviews::SetEntrySensitivityRequest = read(bytes);
            let student = world.student(&request.student_id)?;
            let entry = student.entries.iter_mut().find(|entry| entry.entry_id == request.entry_id).ok_or_else(|| Status::not_found("no such entry"))?;
            if entry.version != request.expected_version {
                return Err(stale());
            }
            entry.sensitivity = request.sensitivity;
            entry.version += 1;
            told(reviews::SetEntrySensitivityResponse { entry: Some(entry.clone()) })
        }
        "reviews.v1.ReviewService/TransitionClassReview" => {
            let request: reviews::TransitionClassReviewRequest = read(bytes);
            let state = if request.transition == "pause" { reviews::ClassReviewState::Paused } else { reviews::ClassReviewState::InProgress };
            world.review.state = state.into();
            told(reviews::TransitionClassReviewResponse { class_review: Some(world.review.clone()) })
        }
        "reviews.v1.ReviewService/RefreshClassReview" => {
            let student = world.students.last_mut().unwrap();
            student.added = true;
            world.review.added_count = 1;
            told(reviews::RefreshClassReviewResponse { class_review: Some(world.review.clone()), added_count: 1, left_count: 0 })
        }
        "reviews.v1.ReviewService/RecordActivity" => told(reviews::RecordActivityResponse { class_active_seconds: 31 * 60 }),
        "reviews.v1.ReviewService/ScheduleClassReview" => {
            let request: reviews::ScheduleClassReviewRequest = read(bytes);
            world.review.scheduled_on = request.scheduled_on;
            world.review.booked_minutes = request.booked_minutes;
            told(reviews::ScheduleClassReviewResponse { class_review: Some(world.review.clone()) })
        }
        "reviews.v1.ConcernService/ListConcerns" => told(reviews::ListConcernsResponse {
            concerns: vec![reviews::Concern { state: reviews::ConcernState::Raised.into(), ..Default::default() }],
            ..Default::default()
        }),
        "reviews.v1.ReviewService/ListTierAssignments" => told(reviews::ListTierAssignmentsResponse { assignments: sample::tiers(), ..Default::default() }),
        "plans.v1.PlanService/GetPlan" => told(sample::plan()),
        "partners.v1.DirectoryService/ListPartners" => told(partners::ListPartnersResponse { partners: sample::partners(), ..Default::default() }),
        "partners.v1.DirectoryService/SearchServices" => told(partners::SearchServicesResponse { services: sample::services(), ..Default::default() }),
        "partners.v1.DirectoryService/GetService" => told(partners::GetServiceResponse { service: sample::services().into_iter().next() }),
        "partners.v1.ReferralService/ListReferrals" => told(partners::ListReferralsResponse { referrals: sample::referrals(), ..Default::default() }),
        "partners.v1.ReferralService/GetReferral" => told(sample::referral()),
        "partners.v1.ReferralService/CheckSharing" => told(partners::CheckSharingResponse { missing: vec!["CONSENT_MISSING".into()], ..Default::default() }),
        "partners.v1.ReferralService/ListConsents" => told(partners::ListConsentsResponse { consents: sample::consents(), ..Default::default() }),
        "reporting.v1.ReportingService/ListMeasures" => told(reporting::ListMeasuresResponse { measures: sample::measures(), small_cell_threshold: 10 }),
        "reporting.v1.ReportingService/GetMeasure" => told(sample::measure(&read(bytes))),
        "reporting.v1.ReportingService/ListStudentsWithUnmetNeeds" => Err(Status::permission_denied("not yours")),
        "plans.v1.PlanService/ListUnmetNeeds" => told(plans::ListUnmetNeedsResponse { needs: sample::plan().needs, ..Default::default() }),
        _ => Err(Status::unimplemented(method.to_owned())),
    }
}

async fn serve(world: Shared, request: Request<Body>) -> Response<Body> {
    let method = request.uri().path().trim_start_matches("/wraparound.").to_owned();
    let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with("Bearer "));
    if method.ends_with("/StreamClassReview") {
        return Status::unimplemented(method).into_http();
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let outcome = if signed { answer(&world, &method, &body[5.min(body.len())..]) } else { Err(Status::unauthenticated("no token")) };
    match outcome {
        Ok(message) => {
            let mut frame = vec![0u8];
            frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
            frame.extend_from_slice(&message);
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            let body = Full::new(Bytes::from(frame)).with_trailers(async move { Some(Ok(trailers)) });
            Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
        }
        Err(status) => status.into_http(),
    }
}

/// Starts them; answers their address.
pub async fn start(world: Shared) -> String {
    let router = Router::new().fallback(move |request: Request<Body>| serve(Arc::clone(&world), request));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(tonic::transport::Server::builder().add_routes(tonic::service::Routes::from(router)).serve_with_incoming(incoming));
    format!("http://{address}")
}

/// A need as reviews hold one.
pub fn need(id: &str, code: &str, domain: Domain, severity: i32) -> reviews::Entry {
    reviews::Entry {
        entry_id: id.into(),
        polarity: reviews::Polarity::Need.into(),
        code: code.into(),
        domain: domain.into(),
        severity,
        certainty: Certainty::Observed.into(),
        source: reviews::EntrySource::Teacher.into(),
        version: 1,
        ..Default::default()
    }
}
