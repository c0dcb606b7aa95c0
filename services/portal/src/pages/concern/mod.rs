//! Concerns: raised by any staff on any day, answered within their clock, closed with how they ended.

pub mod view;
pub mod words;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::reviews::v1::{
    CloseConcernRequest, Concern, GetConcernRequest, IndividualReviewState, ListConcernsRequest, RaiseConcernRequest, TriageConcernRequest,
};
use proto::rosters::v1::GetStudentRequest;
use proto::r#type::v1::Sensitivity;
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::said::Said;
use crate::session::Caller;

use view::{Around, ConcernListPage, ConcernPage, RaisePage, RaisedPage, code_groups, view};

/// Who answers concerns. The services decide; this only leaves out forms they would refuse.
const ANSWERERS: &[&str] = &["coordinator", "case_manager", "student_support_member", "principal", "assistant_principal"];

/// Which concerns to show.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    all: String,
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Concerns that wait, of the caller's students.
pub async fn list(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response, Fault> {
    let all = query.all == "yes";
    let request = ListConcernsRequest { open_only: !all, page_size: 200, ..Default::default() };
    let answer = app.clients.concerns(&caller).list_concerns(request).await?.into_inner();
    let students = app.student_names(&caller, answer.concerns.iter().map(|one| one.student_id.clone())).await;
    let staff = app.staff_names(&caller, answer.concerns.iter().map(|one| one.raised_by.clone()).collect()).await;
    let codes = app.code_list_or_none(&caller).await;
    let around = Around { students: &students, staff: &staff, codes: &codes, now: now() };
    render(&ConcernListPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::MyDay, "Concerns"),
        concerns: answer.concerns.iter().map(|one| view(one, &around)).collect(),
        all,
        basis: crate::words::basis(&answer.access_basis),
    })
}

/// One concern; the content of a restricted one stays closed until it is opened by an act.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(concern_id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, concern_id, false).await
}

/// Opens the content. A post, because the service records who reads it.
pub async fn open(State(app): State<Arc<Portal>>, Path(concern_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    show(&app, &post.caller, concern_id, true).await
}

async fn show(app: &Portal, caller: &Caller, concern_id: Uuid, opened: bool) -> Result<Response, Fault> {
    let answer = app.clients.concerns(caller).get_concern(GetConcernRequest { concern_id: concern_id.to_string() }).await?.into_inner();
    let concern = answer.concern.ok_or_else(Fault::not_found)?;
    let students = app.student_names(caller, [concern.student_id.clone()]).await;
    let staff = app.staff_names(caller, vec![concern.raised_by.clone(), concern.triaged_by.clone()]).await;
    let codes = app.code_list_or_none(caller).await;
    let shown = view(&concern, &Around { students: &students, staff: &staff, codes: &codes, now: now() });
    render(&ConcernPage {
        shell: Shell::of(caller, app.settings.notice(), Area::Students, format!("Concern about {}", shown.who)),
        here: format!("/concerns/{concern_id}"),
        opened: opened || !shown.restricted,
        answers: caller.has_any(ANSWERERS),
        basis: crate::words::basis(&answer.access_basis),
        concern: shown,
    })
}

/// The form.
pub async fn form(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>) -> Result<Response, Fault> {
    let student = app.clients.rosters(&caller).get_student(GetStudentRequest { student_id: student_id.to_string() }).await?.into_inner().student;
    let student = student.ok_or_else(Fault::not_found)?;
    let codes = app.code_list_or_none(&caller).await;
    render(&RaisePage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Students, format!("Raise a concern about {}", student.display_name)),
        here: format!("/students/{student_id}"),
        student_id: student_id.to_string(),
        who: student.display_name,
        groups: code_groups(&codes),
        concern_id: fresh_id(),
    })
}

/// Raises a concern. An urgent one answers with the district's crisis instruction before anything else.
pub async fn raise(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let code = post.text("code").to_owned();
    let codes = app.code_list_or_none(&post.caller).await;
    let sensitivity = match post.text("sensitivity") {
        "restricted" => Sensitivity::Restricted,
        "protected" => Sensitivity::Protected,
        _ => Sensitivity::General,
    };
    let concern = Concern {
        concern_id: post.id_or_new("concern_id"),
        student_id: student_id.to_string(),
        urgency: words::urgency_of(post.text("urgency")).into(),
        source: words::source_of(post.text("source")).into(),
        domain: codes.get(&code).map(|known| known.domain).unwrap_or_default(),
        text: post.text("text").to_owned(),
        sensitivity: sensitivity.into(),
        code,
        ..Default::default()
    };
    let request = RaiseConcernRequest { concern: Some(concern), request_id: post.request_id() };
    let answer = app.clients.concerns(&post.caller).raise_concern(request).await?.into_inner();
    if answer.crisis_instruction.is_empty() {
        return app.done(&post, &format!("/students/{student_id}"), Said::plain("The concern is raised. An answer is due within 3 school days."));
    }
    let names = app.student_names(&post.caller, [student_id.to_string()]).await;
    render(&RaisedPage {
        shell: Shell::of(&post.caller, app.settings.notice(), Area::Students, "First: what to do now"),
        student_id: student_id.to_string(),
        who: crate::lookup::name_in(&names, &student_id.to_string()),
        crisis_instruction: answer.crisis_instruction,
        concern_id: answer.concern.map(|concern| concern.concern_id).unwrap_or_default(),
    })
}

/// Answers a concern.
pub async fn triage(State(app): State<Arc<Portal>>, Path(concern_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = TriageConcernRequest {
        concern_id: concern_id.to_string(),
        decision: words::decision_of(post.text("decision")).into(),
        note: post.text("note").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let answer = app.clients.concerns(&post.caller).triage_concern(request).await?.into_inner();
    match answer.individual_review {
        Some(review) => {
            let next = if review.state() == IndividualReviewState::Proposed {
                "and an individual review is open. Name the team next."
            } else {
                "by the individual review that is under way."
            };
            app.sessions.say(&post.caller.key, Said::plain(format!("The concern is answered {next}")));
            Ok(axum::response::IntoResponse::into_response(axum::response::Redirect::to(&format!("/individual-reviews/{}", review.individual_review_id))))
        }
        None => app.done(&post, &format!("/concerns/{concern_id}"), Said::plain("The concern is answered. Whoever raised it is told.")),
    }
}

/// Closes a concern.
pub async fn close(State(app): State<Arc<Portal>>, Path(concern_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = CloseConcernRequest {
        concern_id: concern_id.to_string(),
        note: post.text("note").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).close_concern(request).await?;
    app.done(&post, &format!("/concerns/{concern_id}"), Said::plain("The concern is closed."))
}
