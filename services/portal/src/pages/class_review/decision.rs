//! What is not an entry: no concern, the tier, done, later, not reviewed, open again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::{CompleteStudentReviewRequest, ReopenStudentReviewRequest, SkipStudentReviewRequest, StudentReview, UpdateStudentReviewRequest};

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::words::{self, DOMAINS};
use uuid::Uuid;

use super::conflict::DecisionConflict;
use super::gaps::{Gap, gaps};
use super::roster;
use super::{Also, At, Toast, arrived, fresh, load, redrawn, refused, student_view, updates, whole_page};

fn update(at: At, post: &Post) -> UpdateStudentReviewRequest {
    let tier = words::tier_of(post.text("tier"));
    UpdateStudentReviewRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        no_concern_domains: DOMAINS.into_iter().filter(|domain| post.ticked(&format!("nc_{}", domain.class))).map(|domain| domain.domain.into()).collect(),
        assigned_tier: tier.into(),
        tier_reason: post.text("reason").to_owned(),
        tier_reason_text: if post.text("reason") == "other" { post.text("reason_text").to_owned() } else { String::new() },
        no_strength_reason: post.text("no_strength").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    }
}

/// Whether the form says something else than what is stored.
fn changes(wanted: &UpdateStudentReviewRequest, stored: &StudentReview) -> bool {
    let mut marks: Vec<i32> = stored.no_concern_domains.clone();
    marks.sort_unstable();
    wanted.no_concern_domains != marks
        || wanted.assigned_tier != stored.assigned_tier
        || wanted.tier_reason != stored.tier_reason
        || wanted.tier_reason_text != stored.tier_reason_text
        || wanted.no_strength_reason != stored.no_strength_reason
}

/// A reason belongs to a difference; where the chosen tier is the suggested one it is dropped.
fn settled(mut wanted: UpdateStudentReviewRequest, stored: &StudentReview) -> UpdateStudentReviewRequest {
    if wanted.assigned_tier == stored.suggested_tier || wanted.assigned_tier == 0 {
        wanted.tier_reason.clear();
        wanted.tier_reason_text.clear();
    }
    wanted
}

/// Saves what is not an entry.
pub async fn save(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    let stored = fresh(&app, &post.caller, &at).await?;
    let wanted = settled(update(at, &post), &stored);
    let outcome = app.clients.reviews(&post.caller).update_student_review(wanted).await.map_err(Fault::from);
    if !post.by_htmx {
        outcome?;
        return Ok(Redirect::to(&at.path()).into_response());
    }
    match outcome {
        Ok(_) if post.ticked("redraw") => redrawn(&app, &post.caller, at, "tier".to_owned()).await,
        Ok(answer) => {
            let review = answer.into_inner().student_review.ok_or_else(Fault::not_found)?;
            let student = student_view(&app, &post.caller, &review).await?;
            updates(&post.caller, student, Also { own: true, ..Also::default() })
        }
        Err(fault) if fault.is_conflict() => overtaken(&app, &post, at).await,
        Err(fault) => Err(fault),
    }
}

/// Marks the student reviewed and goes to the next, or says what is missing.
pub async fn done(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    match finish(&app, at, &post).await {
        Ok(version) => {
            app.sessions.take_up(&post.caller.key, at.review_id, at.student_id);
            app.desk.close(&post.caller.key);
            let toast = Toast {
                words: "Done".to_owned(),
                action: format!("{}/reopen", at.path()),
                target: "#student".to_owned(),
                swap: "outerHTML",
                fields: vec![("request_id", fresh_id()), ("version", version.to_string())],
            };
            go_on(&app, &post, at, Some(toast)).await
        }
        Err(fault) if fault.is_conflict() && post.by_htmx => overtaken(&app, &post, at).await,
        Err(fault) if fault.is_refusal() => missing(&app, &post, at, fault).await,
        Err(fault) => Err(fault),
    }
}

async fn finish(app: &Portal, at: At, post: &Post) -> Result<i64, Fault> {
    let mut reviews = app.clients.reviews(&post.caller);
    let mut stored = fresh(app, &post.caller, &at).await?;
    let wanted = settled(update(at, post), &stored);
    if changes(&wanted, &stored) {
        let answer = reviews.update_student_review(wanted).await?.into_inner();
        stored = answer.student_review.ok_or_else(Fault::not_found)?;
    }
    if let Some(first) = gaps(&stored).first() {
        return Err(Fault::refused(first.words.clone()));
    }
    let request = CompleteStudentReviewRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        expected_version: stored.version,
        request_id: fresh_id(),
    };
    let answer = reviews.complete_student_review(request).await?.into_inner();
    Ok(answer.student_review.map_or(0, |review| review.version))
}

/// Says in words what is missing, and puts the focus on the first gap.
async fn missing(app: &Portal, post: &Post, at: At, fault: Fault) -> Result<Response, Fault> {
    let review = fresh(app, &post.caller, &at).await?;
    if roster::is_finished(&review) {
        // Pressed twice, or a colleague was faster: what was wanted is done.
        return go_on(app, post, at, None).await;
    }
    let mut found = gaps(&review);
    if found.is_empty() {
        found.push(Gap { focus: String::new(), words: fault.line() });
    }
    let focus = found.first().map(|gap| gap.focus.clone()).filter(|focus| !focus.is_empty());
    if post.by_htmx {
        let mut student = student_view(app, &post.caller, &review).await?;
        student.gaps = found;
        let response = updates(&post.caller, student, Also::default())?;
        return Ok(refused(response, StatusCode::UNPROCESSABLE_ENTITY, "#trouble", "none", focus.as_deref()));
    }
    let loaded = load(app, &post.caller, at.review_id).await?;
    let mut student = loaded.student(&post.caller, &at.student_id.to_string()).ok_or_else(Fault::not_found)?;
    student.gaps = found;
    let mut response = whole_page(app, &post.caller, &loaded, Some(student)).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Somebody else was faster: shows what is there now beside what the caller set, and lets the caller choose.
async fn overtaken(app: &Portal, post: &Post, at: At) -> Result<Response, Fault> {
    let loaded = load(app, &post.caller, at.review_id).await?;
    let stored = loaded.students.iter().find(|student| student.student_id == at.student_id.to_string()).ok_or_else(Fault::not_found)?;
    let wanted = settled(update(at, post), stored);
    let mut student = loaded.student(&post.caller, &at.student_id.to_string()).ok_or_else(Fault::not_found)?;
    student.conflict = Some(DecisionConflict::between(stored, &wanted));
    student.focus = "decide-conflict".to_owned();
    let response = arrived(app, &post.caller, &loaded, Some(student), false, None).await?;
    Ok(refused(response, StatusCode::CONFLICT, "#student", "outerHTML", None))
}

/// Puts the student off and goes to the next.
pub async fn later(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    let stored = fresh(&app, &post.caller, &at).await?;
    let wanted = settled(update(at, &post), &stored);
    if changes(&wanted, &stored)
        && let Err(status) = app.clients.reviews(&post.caller).update_student_review(wanted).await
    {
        let fault = Fault::from(status);
        return if fault.is_conflict() && post.by_htmx { overtaken(&app, &post, at).await } else { Err(fault) };
    }
    app.sessions.put_off(&post.caller.key, at.review_id, at.student_id);
    app.desk.close(&post.caller.key);
    go_on(&app, &post, at, None).await
}

/// Marks the student not reviewed, with the reason, and goes to the next.
pub async fn skip(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    let stored = fresh(&app, &post.caller, &at).await?;
    let request = SkipStudentReviewRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        reason: post.text("skip_reason").to_owned(),
        expected_version: stored.version,
        request_id: post.request_id(),
    };
    let answer = app.clients.reviews(&post.caller).skip_student_review(request).await?.into_inner();
    let toast = Toast {
        words: "Not reviewed".to_owned(),
        action: format!("{}/reopen", at.path()),
        target: "#student".to_owned(),
        swap: "outerHTML",
        fields: vec![("request_id", fresh_id()), ("version", answer.student_review.map_or(0, |review| review.version).to_string())],
    };
    go_on(&app, &post, at, Some(toast)).await
}

/// Takes "done" or "not reviewed" back.
pub async fn reopen(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    let request = ReopenStudentReviewRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).reopen_student_review(request).await?;
    if !post.by_htmx {
        return Ok(Redirect::to(&at.path()).into_response());
    }
    let loaded = load(&app, &post.caller, at.review_id).await?;
    let student = loaded.student(&post.caller, &at.student_id.to_string());
    let response = arrived(&app, &post.caller, &loaded, student, true, None).await?;
    Ok(pushed(response, &at.path()))
}

async fn go_on(app: &Portal, post: &Post, at: At, toast: Option<Toast>) -> Result<Response, Fault> {
    let caller = &post.caller;
    let loaded = load(app, caller, at.review_id).await?;
    let later = app.sessions.put_off_in(&caller.key, at.review_id);
    let next = roster::next_open(&loaded.students, &later, &at.student_id.to_string());
    let path = match &next {
        Some(next) => format!("/reviews/{}/students/{next}", at.review_id),
        None => format!("/reviews/{}", at.review_id),
    };
    if !post.by_htmx {
        return Ok(Redirect::to(&path).into_response());
    }
    if let Some(next) = next.as_deref().and_then(|next| Uuid::parse_str(next).ok()) {
        app.desk.at(&caller.key, at.review_id, next);
    }
    let student = next.and_then(|next| loaded.student(caller, &next));
    Ok(pushed(arrived(app, caller, &loaded, student, true, toast).await?, &path))
}

fn pushed(mut response: Response, path: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(path) {
        response.headers_mut().insert("HX-Push-Url", value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::r#type::v1::{Domain, Tier};

    #[test]
    fn a_reason_stays_only_where_the_tier_differs() {
        let stored = StudentReview { suggested_tier: Tier::Tier2a.into(), ..Default::default() };
        let wanted = |tier: Tier| UpdateStudentReviewRequest { assigned_tier: tier.into(), tier_reason: "recent_change".into(), ..Default::default() };
        assert_eq!(settled(wanted(Tier::Tier2a), &stored).tier_reason, "");
        assert_eq!(settled(wanted(Tier::Tier1), &stored).tier_reason, "recent_change");
    }

    #[test]
    fn only_what_differs_is_written_before_done() {
        let stored =
            StudentReview { no_concern_domains: vec![Domain::Family.into(), Domain::Health.into()], assigned_tier: Tier::Tier1.into(), ..Default::default() };
        let same = UpdateStudentReviewRequest {
            no_concern_domains: vec![Domain::Health.into(), Domain::Family.into()],
            assigned_tier: Tier::Tier1.into(),
            ..Default::default()
        };
        assert!(!changes(&same, &stored));
        assert!(changes(&UpdateStudentReviewRequest::default(), &stored));
    }
}
