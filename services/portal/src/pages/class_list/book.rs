//! Books the review of a class: a day, minutes, the teachers who come.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::ScheduleClassReviewRequest;
use proto::rosters::v1::{GetClassRequest, ListClassMembersRequest};
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::session::Caller;

#[derive(Template)]
#[template(path = "class_list/book.html")]
struct BookPage {
    shell: Shell,
    class_id: String,
    title: String,
    opens_on: String,
    closes_on: String,
    teachers: Vec<(String, String)>,
    request_id: String,
}

const NO_SEASON: &str = "No review season is open. The program manager opens one; then the class can be booked.";

/// The form.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(class_id): Path<Uuid>) -> Result<Response, Fault> {
    let class_id = class_id.to_string();
    let cycle = app.cycle(&caller).await?.ok_or_else(|| Fault::refused(NO_SEASON))?;
    let mut rosters = app.clients.rosters(&caller);
    let class = rosters.get_class(GetClassRequest { class_id: class_id.clone() }).await?.into_inner().class.ok_or_else(Fault::not_found)?;
    let members = rosters.list_class_members(ListClassMembersRequest { class_id: class_id.clone(), ..Default::default() }).await?.into_inner();
    let teachers = members.staff.into_iter().filter(|member| member.roles.iter().any(|role| role == "teacher"));
    render(&BookPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Classes, "Book a review"),
        title: class.title,
        opens_on: cycle.opens_on.max(crate::lookup::today()),
        closes_on: cycle.closes_on,
        teachers: teachers.map(|teacher| (teacher.staff_id, teacher.display_name)).collect(),
        request_id: fresh_id(),
        class_id,
    })
}

/// Books it.
pub async fn book(State(app): State<Arc<Portal>>, Path(class_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let cycle = app.cycle(&post.caller).await?.ok_or_else(|| Fault::refused(NO_SEASON))?;
    let request = ScheduleClassReviewRequest {
        review_cycle_id: cycle.review_cycle_id,
        class_id: class_id.to_string(),
        scheduled_on: post.text("day").to_owned(),
        booked_minutes: post.small("minutes"),
        teacher_ids: post.all("teacher"),
        coordinator_id: String::new(),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).schedule_class_review(request).await?;
    Ok(Redirect::to("/classes").into_response())
}
