//! The caller's classes and how far their reviews are.

pub mod book;
mod view;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::{ListClassReviewsRequest, StartClassReviewRequest};
use proto::rosters::v1::ListClassesRequest;
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Area, Shell, render};
use crate::session::Caller;

pub use view::{ClassLine, ClassListPage};

/// Which classes to show.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    school: String,
    #[serde(default)]
    show: String,
}

/// The caller's classes, or those of one of the caller's schools.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response, Fault> {
    let by_school = caller.works_by_school();
    let schools = if by_school { app.schools(&caller).await? } else { Vec::new() };
    let school_id =
        schools.iter().find(|school| school.school_id == query.school).or(schools.first()).map(|school| school.school_id.clone()).unwrap_or_default();
    let classes = app
        .clients
        .rosters(&caller)
        .list_classes(ListClassesRequest { school_id: school_id.clone(), review_units_only: true, page_size: 500, ..Default::default() })
        .await?
        .into_inner();
    let cycle = app.cycle(&caller).await?;
    let reviews = match &cycle {
        Some(cycle) => {
            let request =
                ListClassReviewsRequest { review_cycle_id: cycle.review_cycle_id.clone(), school_id: school_id.clone(), page_size: 500, ..Default::default() };
            app.clients.reviews(&caller).list_class_reviews(request).await?.into_inner().class_reviews
        }
        None => Vec::new(),
    };
    let shell = Shell::of(&caller, app.settings.notice(), Area::Classes, "My classes");
    render(&view::list(shell, &schools, &school_id, &query.show, classes, cycle, reviews))
}

/// Starts the review of a class and goes there.
pub async fn start(State(app): State<Arc<Portal>>, Path(class_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let cycle = app
        .cycle(&post.caller)
        .await?
        .ok_or_else(|| Fault::refused("No review season is open. The program manager opens one; then the class can be reviewed."))?;
    let request = StartClassReviewRequest {
        review_cycle_id: cycle.review_cycle_id,
        class_id: class_id.to_string(),
        roster_date: String::new(),
        request_id: post.request_id(),
    };
    let started = app.clients.reviews(&post.caller).start_class_review(request).await?.into_inner();
    let id = started.class_review.map(|review| review.class_review_id).unwrap_or_default();
    Ok(Redirect::to(&format!("/reviews/{id}")).into_response())
}
