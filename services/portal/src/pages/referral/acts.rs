//! What each side can do with a referral.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use proto::partners::v1::{JudgeReferralRequest, Outcome, SendReferralRequest, TransitionReferralRequest};
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;

use super::show;

async fn back(app: &Portal, post: &Post, referral_id: Uuid, outcome: Result<(), Fault>) -> Result<Response, Fault> {
    match outcome {
        Ok(()) => Ok(Redirect::to(&format!("/referrals/{referral_id}")).into_response()),
        // A refusal is said where the button is, not on a page of its own.
        Err(fault) if fault.is_refusal() => {
            let mut response = show(app, &post.caller, referral_id, vec![fault.line()]).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(fault) => Err(fault),
    }
}

/// Sends a draft.
pub async fn send(State(app): State<Arc<Portal>>, Path(referral_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = SendReferralRequest { referral_id: referral_id.to_string(), expected_version: post.number("version"), request_id: post.request_id() };
    let outcome = app.clients.referrals(&post.caller).send_referral(request).await;
    back(&app, &post, referral_id, outcome.map(|_| ()).map_err(Fault::from)).await
}

/// Moves a referral.
pub async fn transition(State(app): State<Arc<Portal>>, Path(referral_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = TransitionReferralRequest {
        referral_id: referral_id.to_string(),
        transition: post.text("transition").to_owned(),
        reason: post.text("reason").to_owned(),
        // The code list says whose reason it is.
        reason_side: String::new(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let outcome = app.clients.referrals(&post.caller).transition_referral(request).await;
    back(&app, &post, referral_id, outcome.map(|_| ()).map_err(Fault::from)).await
}

/// Judges what came of it, and closes the loop.
pub async fn judge(State(app): State<Arc<Portal>>, Path(referral_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let outcome = Outcome::from_str_name(&format!("OUTCOME_{}", post.text("outcome").to_uppercase())).unwrap_or(Outcome::Unspecified);
    let request = JudgeReferralRequest {
        referral_id: referral_id.to_string(),
        outcome: outcome.into(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let outcome = app.clients.referrals(&post.caller).judge_referral(request).await;
    back(&app, &post, referral_id, outcome.map(|_| ()).map_err(Fault::from)).await
}
