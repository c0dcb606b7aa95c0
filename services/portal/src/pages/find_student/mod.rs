//! Finding a student by name or number.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use proto::rosters::v1::SearchStudentsRequest;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Area, Shell, render};
use crate::session::Caller;
use crate::words;

const TITLE: &str = "Find a student";

struct Found {
    student_id: String,
    name: String,
    grade: String,
}

#[derive(Template)]
#[template(path = "find_student/page.html")]
struct FindPage {
    shell: Shell,
    query: String,
    asked: bool,
    found: Vec<Found>,
    problem: Option<String>,
}

/// The empty search.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller) -> Result<Response, Fault> {
    let shell = Shell::of(&caller, app.settings.notice(), Area::Students, TITLE);
    render(&FindPage { shell, query: String::new(), asked: false, found: Vec::new(), problem: None })
}

/// What the search found. A name is personal, so it comes in a form and never stands in an address.
pub async fn find(State(app): State<Arc<Portal>>, post: Post) -> Result<Response, Fault> {
    let query = post.text("q").to_owned();
    let request = SearchStudentsRequest { query: query.clone(), page_size: 50, ..Default::default() };
    let (found, problem) = match app.clients.rosters(&post.caller).search_students(request).await.map_err(Fault::from) {
        Ok(answer) => (answer.into_inner().students, None),
        Err(fault) if fault.is_refusal() => (Vec::new(), Some(fault.line())),
        Err(fault) => return Err(fault),
    };
    let shell = Shell::of(&post.caller, app.settings.notice(), Area::Students, TITLE);
    let found =
        found.into_iter().map(|student| Found { student_id: student.student_id, name: student.display_name, grade: words::grade(&student.grade) }).collect();
    render(&FindPage { shell, query, asked: true, found, problem })
}
