//! Finding a student by name or number.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use proto::rosters::v1::SearchStudentsRequest;
use serde::Deserialize;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::session::Caller;
use crate::words;

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

/// Words to look for. They are sent in the path's query only because the search is a read; they go to no log.
#[derive(Debug, Default, Deserialize)]
pub struct FindQuery {
    #[serde(default)]
    q: String,
}

/// The search and what it found.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<FindQuery>) -> Result<Response, Fault> {
    let words_asked = query.q.trim().to_owned();
    let mut found = Vec::new();
    let mut problem = None;
    if !words_asked.is_empty() {
        let request = SearchStudentsRequest { query: words_asked.clone(), page_size: 50, ..Default::default() };
        match app.clients.rosters(&caller).search_students(request).await.map_err(Fault::from) {
            Ok(answer) => {
                found = answer
                    .into_inner()
                    .students
                    .into_iter()
                    .map(|student| Found { student_id: student.student_id, name: student.display_name, grade: words::grade(&student.grade) })
                    .collect();
            }
            Err(fault) if fault.is_refusal() => problem = Some(fault.line()),
            Err(fault) => return Err(fault),
        }
    }
    render(&FindPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Students, "Find a student"),
        asked: !words_asked.is_empty(),
        query: words_asked,
        found,
        problem,
    })
}
