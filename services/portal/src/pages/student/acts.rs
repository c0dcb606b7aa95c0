//! What can be done on a student's page. Each form sends one command and comes back to the page.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use proto::partners::v1::{Consent, PutConsentRequest};
use proto::plans::v1::{
    AddPlanItemRequest, Attendance, Delivery, EnrolStudentRequest, EnrolmentState, JudgeNeedRequest, LogDeliveriesRequest, NeedState, OwnerKind, PlanItem,
    TransitionEnrolmentRequest, TransitionPlanItemRequest, TransitionPlanRequest, UnmetReason,
};
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::said::Said;
use crate::words;

/// Ends an act with a sentence, on the page it came from.
fn back(app: &Portal, post: &Post, student_id: Uuid, words: &str) -> Result<Response, Fault> {
    app.done(post, &format!("/students/{student_id}"), Said::plain(words))
}

/// Who owns something, from a form.
pub fn owner_of(value: &str) -> OwnerKind {
    OwnerKind::from_str_name(&format!("OWNER_KIND_{}", value.to_uppercase())).unwrap_or(OwnerKind::Unspecified)
}

/// Moves the plan.
pub async fn move_plan(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = TransitionPlanRequest {
        plan_id: post.text("plan_id").to_owned(),
        transition: post.text("transition").to_owned(),
        reason: post.text("reason").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.plans(&post.caller).transition_plan(request).await?;
    back(&app, &post, student_id, "The plan is moved on.")
}

/// Adds an item to the plan.
pub async fn add_item(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let item = PlanItem {
        plan_item_id: post.id_or_new("plan_item_id"),
        need_ids: post.all("need_id"),
        builds_on_codes: post.all("builds_on"),
        kind: words::item_kind_of(post.text("kind")).into(),
        // Choosing "not a service" is an answer; leaving the field open is not, and the browser says so.
        service_category: Some(post.text("service_category")).filter(|c| *c != "none").unwrap_or_default().to_owned(),
        description: post.text("description").to_owned(),
        owner: owner_of(post.text("owner")).into(),
        first_step_owner: owner_of(post.text("first_step_owner")).into(),
        due_on: post.text("due_on").to_owned(),
        ..Default::default()
    };
    let request = AddPlanItemRequest { plan_id: post.text("plan_id").to_owned(), item: Some(item), request_id: post.request_id() };
    app.clients.plans(&post.caller).add_plan_item(request).await?;
    back(&app, &post, student_id, "It is added to the plan.")
}

/// Moves an item.
pub async fn move_item(State(app): State<Arc<Portal>>, Path((student_id, item_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let request = TransitionPlanItemRequest {
        plan_item_id: item_id.to_string(),
        transition: post.text("transition").to_owned(),
        reason: UnmetReason::Unspecified.into(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
        ..Default::default()
    };
    app.clients.plans(&post.caller).transition_plan_item(request).await?;
    back(&app, &post, student_id, "The item is moved on.")
}

/// Enrols the student in a service for an item.
pub async fn enrol(State(app): State<Arc<Portal>>, Path((student_id, item_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let group_id = post.text("group_id").to_owned();
    // A group's schedule is the dose.
    let dose = |name: &str| if group_id.is_empty() { post.small(name) } else { 0 };
    let request = EnrolStudentRequest {
        plan_item_id: item_id.to_string(),
        enrolment_id: post.id_or_new("enrolment_id"),
        service_id: String::new(),
        sessions_per_week: dose("sessions_per_week"),
        minutes_per_session: dose("minutes_per_session"),
        weeks: dose("weeks"),
        request_id: post.request_id(),
        group_id: group_id.clone(),
        starts_on: String::new(),
    };
    let enrolment = app.clients.plans(&post.caller).enrol_student(request).await?.into_inner().enrolment.unwrap_or_default();
    let said =
        if enrolment.state() == EnrolmentState::Waitlisted { "The group is full: the student is on its waiting list." } else { "The service is offered." };
    back(&app, &post, student_id, said)
}

/// Moves an enrolment.
pub async fn move_enrolment(State(app): State<Arc<Portal>>, Path((student_id, enrolment_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let request = TransitionEnrolmentRequest {
        enrolment_id: enrolment_id.to_string(),
        transition: post.text("transition").to_owned(),
        reason: post.text("reason").to_owned(),
        on_date: String::new(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
        ..Default::default()
    };
    app.clients.plans(&post.caller).transition_enrolment(request).await?;
    back(&app, &post, student_id, "The enrolment is moved on.")
}

/// Logs one session.
pub async fn log_delivery(State(app): State<Arc<Portal>>, Path((student_id, enrolment_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let attendance = Attendance::from_str_name(&format!("ATTENDANCE_{}", post.text("attendance").to_uppercase())).unwrap_or(Attendance::Unspecified);
    let was_there = matches!(attendance, Attendance::Present | Attendance::Partial);
    let delivery = Delivery {
        delivery_id: post.id_or_new("delivery_id"),
        enrolment_id: enrolment_id.to_string(),
        delivered_on: post.text("delivered_on").to_owned(),
        planned_minutes: post.small("planned_minutes"),
        delivered_minutes: if was_there { post.small("delivered_minutes") } else { 0 },
        attendance: attendance.into(),
        ..Default::default()
    };
    let request = LogDeliveriesRequest { deliveries: vec![delivery], request_id: post.request_id() };
    app.clients.plans(&post.caller).log_deliveries(request).await?;
    back(&app, &post, student_id, "The session is logged.")
}

/// Judges a need.
pub async fn judge(State(app): State<Arc<Portal>>, Path((student_id, need_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let state = NeedState::from_str_name(&format!("NEED_STATE_{}", post.text("state").to_uppercase())).unwrap_or(NeedState::Unspecified);
    let request =
        JudgeNeedRequest { need_id: need_id.to_string(), state: state.into(), expected_version: post.number("version"), request_id: post.request_id() };
    app.clients.plans(&post.caller).judge_need(request).await?;
    back(&app, &post, student_id, "The need is judged.")
}

/// Records a family's consent to share with one partner.
pub async fn record_consent(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let consent = Consent {
        consent_id: post.id_or_new("consent_id"),
        student_id: student_id.to_string(),
        partner_id: post.text("partner_id").to_owned(),
        scopes: post.all("scope"),
        purpose: "service".to_owned(),
        signer_kind: post.text("signer_kind").to_owned(),
        method: post.text("method").to_owned(),
        valid_from: post.text("valid_from").to_owned(),
        expires_on: post.text("expires_on").to_owned(),
        state: String::new(),
        language: post.text("language").to_owned(),
    };
    let request = PutConsentRequest { consent: Some(consent), request_id: post.request_id() };
    app.clients.referrals(&post.caller).put_consent(request).await?;
    back(&app, &post, student_id, "The consent is recorded.")
}
