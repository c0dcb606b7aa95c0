//! What is done with a class review as a whole: pause, go on, open again, take the roster anew, hand in, sign.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::{RecordActivityRequest, RefreshClassReviewRequest, SignClassReviewRequest, SubmitClassReviewRequest, TransitionClassReviewRequest};
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;

use super::roster;

fn back(review_id: Uuid) -> Response {
    Redirect::to(&format!("/reviews/{review_id}")).into_response()
}

/// Hands the review in for signing.
pub async fn submit(State(app): State<Arc<Portal>>, Path(review_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = SubmitClassReviewRequest { class_review_id: review_id.to_string(), expected_version: post.number("version"), request_id: post.request_id() };
    app.clients.reviews(&post.caller).submit_class_review(request).await?;
    Ok(back(review_id))
}

/// Signs the review as whoever the caller is in it.
pub async fn sign(State(app): State<Arc<Portal>>, Path(review_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = SignClassReviewRequest {
        class_review_id: review_id.to_string(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
        instead_of_teacher_reason: post.text("instead_reason").to_owned(),
    };
    app.clients.reviews(&post.caller).sign_class_review(request).await?;
    Ok(back(review_id))
}

/// Pauses, goes on, opens again or calls off.
pub async fn transition(State(app): State<Arc<Portal>>, Path(review_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = TransitionClassReviewRequest {
        class_review_id: review_id.to_string(),
        transition: post.text("transition").to_owned(),
        reason: post.text("reason").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).transition_class_review(request).await?;
    Ok(back(review_id))
}

/// Takes the roster anew: who joined becomes an added row, who left is marked.
pub async fn refresh(State(app): State<Arc<Portal>>, Path(review_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = RefreshClassReviewRequest { class_review_id: review_id.to_string(), roster_date: String::new(), request_id: post.request_id() };
    app.clients.reviews(&post.caller).refresh_class_review(request).await?;
    Ok(back(review_id))
}

/// Says that somebody is at work; answers the minutes so far, in words.
pub async fn activity(State(app): State<Arc<Portal>>, Path(review_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let student_id = Uuid::parse_str(post.text("student")).map(|id| id.to_string()).unwrap_or_default();
    let request = RecordActivityRequest { class_review_id: review_id.to_string(), student_id };
    match app.clients.reviews(&post.caller).record_activity(request).await {
        Ok(answer) => Ok(roster::minutes(answer.into_inner().class_active_seconds, post.small("done")).into_response()),
        // A service that does not measure yet is no trouble for the reader.
        Err(status) if status.code() == tonic::Code::Unimplemented => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(status) => Err(status.into()),
    }
}
