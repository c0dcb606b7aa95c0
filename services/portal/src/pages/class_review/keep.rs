//! Every open student of a class in one answer, so that work goes on in the page while the network is away.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::future::try_join_all;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::render;
use crate::session::Caller;

use super::view::StudentView;
use super::{load, roster};

/// Students in one answer.
const MOST: usize = 60;

#[derive(Template)]
#[template(path = "class_review/kept.html")]
struct Kept {
    csrf: String,
    students: Vec<StudentView>,
    oob: bool,
}

/// The open students of a class review, each as its page shows it; restricted entries stay closed.
pub async fn students(State(app): State<Arc<Portal>>, caller: Caller, Path(review_id): Path<Uuid>) -> Result<Response, Fault> {
    let mut loaded = load(&app, &caller, review_id).await?;
    loaded.shown.clear();
    let open = loaded.students.iter().filter(|student| !roster::is_finished(student)).take(MOST);
    let views = open.filter_map(|student| loaded.student(&caller, &student.student_id));
    let students = try_join_all(views.map(|view| loaded.with_priors(&app, &caller, view))).await?;
    render(&Kept { csrf: caller.csrf.clone(), students, oob: false })
}
