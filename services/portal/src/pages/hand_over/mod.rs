//! Hand-overs between schools: offered, sent back with a question, accepted, with a checklist both sides see.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::plans::v1::{ListTransitionsRequest, StartTransitionRequest, Transition, TransitionState, UpdateTransitionRequest};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::lookup::name_in;
use crate::said::Said;
use crate::session::Caller;
use crate::words::{self, Choices};

/// Steps of the checklist.
const STEPS: Choices = &[
    ("records_sent", "Records are sent"),
    ("family_told", "The family is told"),
    ("family_met_new_school", "The family met the new school"),
    ("call_between_coordinators", "The coordinators talked"),
    ("services_told", "Services are told"),
    ("first_day_adult_named", "An adult is named for the first day"),
];

/// A step as the page shows it.
pub struct StepLine {
    /// Value.
    pub value: String,
    /// Words.
    pub words: String,
    /// When it was done; empty while open.
    pub done: String,
}

/// A hand-over.
pub struct HandOverView {
    /// Hand-over.
    pub id: String,
    /// Student.
    pub student_id: String,
    /// Name.
    pub who: String,
    /// From where to where, when.
    pub words: String,
    /// State and style.
    pub state: (&'static str, &'static str),
    /// What to know.
    pub note: String,
    /// What was answered.
    pub answer: String,
    /// Checklist.
    pub steps: Vec<StepLine>,
    /// Offered: the receiving side answers, the giving side may withdraw.
    pub offered: bool,
    /// Sent back: the giving side offers again.
    pub returned: bool,
    /// The caller works at the receiving school.
    pub receives: bool,
    /// The caller works at the giving school.
    pub gives: bool,
    /// Open needs that go along.
    pub needs: usize,
    /// For the next write.
    pub version: i64,
}

#[derive(Template)]
#[template(path = "hand_over/page.html")]
struct HandOverPage {
    shell: Shell,
    here: String,
    list: Vec<HandOverView>,
    all: bool,
    basis: String,
}

/// Which hand-overs.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    all: String,
}

/// The list.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response, Fault> {
    let all = query.all == "yes";
    let answer = app.clients.follow_ups(&caller).list_transitions(ListTransitionsRequest { open_only: !all, ..Default::default() }).await?.into_inner();
    let students = app.student_names(&caller, answer.transitions.iter().map(|one| one.student_id.clone())).await;
    let schools = app.schools(&caller).await.unwrap_or_default();
    let school = |id: &str| schools.iter().find(|school| school.school_id == id).map_or_else(|| "another school".to_owned(), |school| school.name.clone());
    let at = |id: &String| if caller.school_ids.is_empty() { schools.iter().any(|school| school.school_id == *id) } else { caller.school_ids.contains(id) };
    let list = answer
        .transitions
        .iter()
        .map(|one| HandOverView {
            id: one.transition_id.clone(),
            student_id: one.student_id.clone(),
            who: name_in(&students, &one.student_id),
            words: format!("From {} to {}, first day {}", school(&one.from_school_id), school(&one.to_school_id), words::day(&one.first_day_on)),
            state: match one.state() {
                TransitionState::Accepted => ("accepted", "ok"),
                TransitionState::Returned => ("sent back with a question", "warn"),
                TransitionState::Withdrawn => ("withdrawn", ""),
                TransitionState::Offered | TransitionState::Unspecified => ("waits for an answer", "info"),
            },
            note: one.note.clone(),
            answer: one.answer_note.clone(),
            steps: STEPS
                .iter()
                .map(|(value, text)| StepLine {
                    value: (*value).to_owned(),
                    words: (*text).to_owned(),
                    done: one.checklist.iter().find(|step| step.step == *value).map(|step| words::day(&step.done_on)).unwrap_or_default(),
                })
                .collect(),
            offered: one.state() == TransitionState::Offered,
            returned: one.state() == TransitionState::Returned,
            receives: at(&one.to_school_id),
            gives: at(&one.from_school_id),
            needs: one.need_ids.len(),
            version: one.version,
        })
        .collect();
    render(&HandOverPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::MyDay, "Hand-overs"),
        here: if all { "/hand-overs?all=yes" } else { "/hand-overs" }.to_owned(),
        list,
        all,
        basis: words::basis(&answer.access_basis),
    })
}

/// Offers a student to another school.
pub async fn start(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let transition = Transition {
        transition_id: fresh_id(),
        student_id: student_id.to_string(),
        to_school_id: post.text("to_school_id").to_owned(),
        kind: post.text("kind").to_owned(),
        first_day_on: post.text("first_day_on").to_owned(),
        note: post.text("note").to_owned(),
        ..Default::default()
    };
    app.clients.follow_ups(&post.caller).start_transition(StartTransitionRequest { transition: Some(transition), request_id: post.request_id() }).await?;
    app.done(&post, "/hand-overs", Said::plain("The hand-over is offered. The receiving coordinator is told."))
}

/// Answers, offers again, withdraws, or ticks the checklist.
pub async fn update(State(app): State<Arc<Portal>>, Path(transition_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let transition = post.text("transition").to_owned();
    let said = match transition.as_str() {
        "accept" => "Accepted. The student is in your hands now.",
        "return" => "Sent back with your question.",
        "offer" => "Offered again.",
        "withdraw" => "Withdrawn.",
        _ => "The checklist is saved.",
    };
    if transition.is_empty() && post.all("step").is_empty() {
        return Err(Fault::refused("Tick what is done first."));
    }
    let request = UpdateTransitionRequest {
        transition_id: transition_id.to_string(),
        note: post.text("note").to_owned(),
        done_steps: post.all("step"),
        expected_version: post.number("version"),
        request_id: post.request_id(),
        transition,
    };
    app.clients.follow_ups(&post.caller).update_transition(request).await?;
    app.done(&post, "/hand-overs", Said::plain(said))
}
