//! What can be done on the other tabs: needs that are understood anew, corrections, aid, ratings, who is on the case.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use proto::plans::v1::{Aid, Attendance, CorrectDeliveryRequest, Delivery, RateEffectivenessRequest, Rater, Rating, RecordAidRequest};
use proto::reviews::v1::{
    AssignTierRequest, BreakGlassRequest, Entry, EntrySource, GrantCaseAccessRequest, IndividualReviewState, OpenIndividualReviewRequest, Polarity,
    PromoteObservationRequest, ReclassifyNeedRequest, RevokeCaseAccessRequest,
};
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::pages::individual_review::words as review_words;
use crate::said::Said;
use crate::words;

/// A need from a form.
fn need_of(post: &Post) -> Entry {
    let source = EntrySource::from_str_name(&format!("ENTRY_SOURCE_{}", post.text("source").to_uppercase())).unwrap_or(EntrySource::Unspecified);
    Entry {
        entry_id: post.id_or_new("next_id"),
        polarity: Polarity::Need.into(),
        code: post.text("code").to_owned(),
        severity: post.small("severity").max(1),
        certainty: words::certainty_of(post.text("certainty")).into(),
        source: source.into(),
        note: post.text("note").to_owned(),
        ..Default::default()
    }
}

/// Gives a need another code; both are kept.
pub async fn reclassify(State(app): State<Arc<Portal>>, Path((student_id, entry_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let request = ReclassifyNeedRequest {
        student_id: student_id.to_string(),
        entry_id: entry_id.to_string(),
        entry: Some(need_of(&post)),
        reason: post.text("reason").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).reclassify_need(request).await?;
    app.done(&post, &format!("/students/{student_id}/reviews"), Said::plain("The need has its new name. What it was before is kept."))
}

/// Makes a need of an observation; both are kept.
pub async fn promote(State(app): State<Arc<Portal>>, Path((student_id, entry_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let request = PromoteObservationRequest {
        student_id: student_id.to_string(),
        entry_id: entry_id.to_string(),
        entry: Some(need_of(&post)),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).promote_observation(request).await?;
    app.done(&post, &format!("/students/{student_id}/reviews"), Said::plain("The observation is a need now. The observation is kept."))
}

/// Decides a tier outside a class review. The one before stays in the history.
pub async fn assign_tier(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    // Where it comes from is sent as "kind:id"; coming from another school has no id.
    let (source, origin_id) = post.text("source").split_once(':').unwrap_or_default();
    let tier = words::tier_of(post.text("tier"));
    let request = AssignTierRequest {
        student_id: student_id.to_string(),
        tier: tier.into(),
        source: source.to_owned(),
        reason: post.text("reason").to_owned(),
        reason_text: post.text("reason_text").to_owned(),
        origin_id: origin_id.to_owned(),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).assign_tier(request).await?;
    let said = words::tier(tier).map_or_else(|| "The tier is decided.".to_owned(), |tier| format!("Tier {} is decided. The one before is kept.", tier.key));
    app.done(&post, &format!("/students/{student_id}/reviews"), Said::plain(said))
}

/// Opens an individual review, or goes to the one that is open.
pub async fn open_review(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let sensitivity = if post.text("sensitivity") == "general" { Sensitivity::General } else { Sensitivity::Restricted };
    let request = OpenIndividualReviewRequest {
        student_id: student_id.to_string(),
        trigger: review_words::trigger_of(post.text("trigger")).into(),
        concern_id: String::new(),
        sensitivity: sensitivity.into(),
        request_id: post.request_id(),
    };
    let review = app.clients.concerns(&post.caller).open_individual_review(request).await?.into_inner().individual_review.unwrap_or_default();
    let words = if review.state() == IndividualReviewState::Proposed {
        "The review is open. Name the team next."
    } else {
        "There is a review under way already: this is it."
    };
    app.done(&post, &format!("/individual-reviews/{}", review.individual_review_id), Said::plain(words))
}

/// Corrects a session, or takes it back. What was noted before is kept.
pub async fn correct(State(app): State<Arc<Portal>>, Path((student_id, delivery_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let attendance = Attendance::from_str_name(&format!("ATTENDANCE_{}", post.text("attendance").to_uppercase())).unwrap_or(Attendance::Unspecified);
    let void = post.text("void") == "yes";
    let was_there = matches!(attendance, Attendance::Present | Attendance::Partial);
    let corrected = if void {
        Delivery { delivery_id: post.id_or_new("corrected_id"), ..Default::default() }
    } else {
        Delivery {
            delivery_id: post.id_or_new("corrected_id"),
            delivered_on: post.text("delivered_on").to_owned(),
            planned_minutes: post.small("planned_minutes"),
            delivered_minutes: if was_there { post.small("delivered_minutes") } else { 0 },
            attendance: attendance.into(),
            note: post.text("note").to_owned(),
            ..Default::default()
        }
    };
    let request = CorrectDeliveryRequest {
        delivery_id: delivery_id.to_string(),
        corrected: Some(corrected),
        void,
        reason: post.text("reason").to_owned(),
        request_id: post.request_id(),
    };
    app.clients.deliveries(&post.caller).correct_delivery(request).await?;
    let said = if void { "The session is taken back. The first note is kept." } else { "The session is corrected. The first note is kept." };
    app.done(&post, &format!("/students/{student_id}/services"), Said::plain(said))
}

/// Notes aid.
pub async fn aid(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let dollars = match post.text("value") {
        "" => None,
        _ => Some(post.decimal("value").ok_or_else(|| Fault::refused("Give the value in dollars as a number, such as 25 or 19.90."))?),
    };
    let aid = Aid {
        aid_id: post.id_or_new("aid_id"),
        student_id: student_id.to_string(),
        need_ids: post.all("need_id"),
        service_category: post.text("service_category").to_owned(),
        item: post.text("item").to_owned(),
        quantity: post.small("quantity"),
        value_cents: dollars.map(|value| (value * 100.0).round() as i64),
        given_on: post.text("given_on").to_owned(),
        received_by: post.text("received_by").to_owned(),
        ..Default::default()
    };
    app.clients.deliveries(&post.caller).record_aid(RecordAidRequest { aid: Some(aid), request_id: post.request_id() }).await?;
    app.done(&post, &format!("/students/{student_id}/services"), Said::plain("The aid is noted."))
}

/// Notes how much something helped.
pub async fn rate(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let rater = Rater::from_str_name(&format!("RATER_{}", post.text("rater").to_uppercase())).unwrap_or(Rater::Unspecified);
    let rating = Rating {
        rating_id: post.id_or_new("rating_id"),
        student_id: student_id.to_string(),
        need_id: post.text("need_id").to_owned(),
        plan_item_id: post.text("plan_item_id").to_owned(),
        rater: rater.into(),
        points: post.small("points"),
        words: post.text("words").to_owned(),
        rated_on: post.text("rated_on").to_owned(),
        ..Default::default()
    };
    app.clients.follow_ups(&post.caller).rate_effectiveness(RateEffectivenessRequest { rating: Some(rating), request_id: post.request_id() }).await?;
    app.done(&post, &format!("/students/{student_id}/services"), Said::plain("The rating is noted. Staff’s and the family’s are kept apart."))
}

/// Puts somebody on the case.
pub async fn grant(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = GrantCaseAccessRequest {
        case_access_id: post.id_or_new("case_access_id"),
        student_id: student_id.to_string(),
        staff_id: post.text("staff_id").to_owned(),
        reason: post.text("reason").to_owned(),
        request_id: post.request_id(),
    };
    let granted = app.clients.concerns(&post.caller).grant_case_access(request).await?.into_inner().case_access.unwrap_or_default();
    let fields = vec![("version", granted.version.to_string()), ("to", format!("/students/{student_id}/access"))];
    let undo = format!("/students/{student_id}/access/{}/revoke", granted.case_access_id);
    app.done(&post, &format!("/students/{student_id}/access"), Said::with_undo("They are on the case now and see its protected records.", undo, fields))
}

/// Takes somebody off the case, or ends a break-glass early.
pub async fn revoke(State(app): State<Arc<Portal>>, Path((student_id, access_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let request = RevokeCaseAccessRequest { case_access_id: access_id.to_string(), expected_version: post.number("version"), request_id: post.request_id() };
    app.clients.concerns(&post.caller).revoke_case_access(request).await?;
    app.done(&post, &format!("/students/{student_id}/access"), Said::plain("They are off the case. What they read before stays on record."))
}

/// Opens protected records to the caller for four hours, with the reason.
pub async fn break_glass(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = BreakGlassRequest {
        case_access_id: post.id_or_new("case_access_id"),
        student_id: student_id.to_string(),
        reason: post.text("reason").to_owned(),
        request_id: post.request_id(),
    };
    let access = app.clients.concerns(&post.caller).break_glass(request).await?.into_inner().case_access.unwrap_or_default();
    let until = words::local(access.expire_time.as_ref()).map(|time| time.format("%H:%M").to_string());
    let words = format!(
        "Open until {}. The coordinator and the supervisor are told, and every reading is recorded.",
        until.unwrap_or_else(|| "it ends by itself".to_owned())
    );
    app.done(&post, &format!("/students/{student_id}/access"), Said::plain(words))
}
