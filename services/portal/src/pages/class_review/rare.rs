//! What is done to an entry now and then: an observation becomes a need, a need is understood differently, somebody
//! else may see it, it is opened on a shared screen.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::{Entry, Polarity, PromoteObservationRequest, ReclassifyNeedRequest, SetEntrySensitivityRequest};
use proto::r#type::v1::Certainty;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::lookup::is_restricted;
use crate::session::Caller;
use crate::words::{self, DOMAINS};

use super::entries::{EntryAt, sensitivity_of};
use super::{At, find_entry, fresh, load, redrawn, roster, shown_page};

struct CodeGroup {
    name: &'static str,
    codes: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "class_review/understood.html")]
struct UnderstoodPage {
    shell: Shell,
    path: String,
    entry_id: String,
    name: String,
    label: String,
    severity: i32,
    version: i64,
    request_id: String,
    new_entry_id: String,
    groups: Vec<CodeGroup>,
}

/// The form for a need that somebody understands differently.
pub async fn understood_page(State(app): State<Arc<Portal>>, caller: Caller, Path(at): Path<EntryAt>) -> Result<Response, Fault> {
    let review = fresh(&app, &caller, &at.student()).await?;
    let entry = find_entry(&review, &at.entry()).filter(|entry| entry.polarity() == Polarity::Need).ok_or_else(Fault::not_found)?;
    let codes = app.code_list(&caller).await?;
    let names = app.students(&caller, vec![review.student_id.clone()]).await?;
    let groups = DOMAINS.into_iter().map(|domain| CodeGroup {
        name: domain.name,
        codes: codes
            .codes
            .iter()
            .filter(|code| code.need && code.domain() == domain.domain && code.code != entry.code)
            .map(|code| (code.code.clone(), code.label.clone()))
            .collect(),
    });
    render(&UnderstoodPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Classes, "Understood differently"),
        path: at.student().path(),
        entry_id: at.entry(),
        name: roster::name_of(&names, &review.student_id),
        label: codes.label(&entry.code),
        severity: entry.severity,
        version: entry.version,
        request_id: fresh_id(),
        new_entry_id: fresh_id(),
        groups: groups.collect(),
    })
}

/// Gives a need another code because somebody knew better; the former one stays, struck.
pub async fn understood(State(app): State<Arc<Portal>>, Path(at): Path<EntryAt>, post: Post) -> Result<Response, Fault> {
    let new_entry_id = post.id_or_new("new_entry_id");
    let entry = Entry {
        entry_id: new_entry_id.clone(),
        polarity: Polarity::Need.into(),
        code: post.text("code").to_owned(),
        severity: post.small("severity").clamp(1, 3),
        certainty: words::certainty_of(post.text("certainty")).into(),
        source: words::source_of(post.text("source")).into(),
        note: post.text("note").to_owned(),
        ..Default::default()
    };
    let request = ReclassifyNeedRequest {
        student_id: at.student().student_id.to_string(),
        entry_id: at.entry(),
        entry: Some(entry),
        reason: post.text("reason").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).reclassify_need(request).await?;
    app.desk.show(&post.caller.key, [new_entry_id.clone()]);
    Ok(Redirect::to(&format!("{}#e-{new_entry_id}", at.student().path())).into_response())
}

/// Makes a need of something that was seen.
pub async fn promote(State(app): State<Arc<Portal>>, Path(at): Path<EntryAt>, post: Post) -> Result<Response, Fault> {
    let before = fresh(&app, &post.caller, &at.student()).await?;
    let seen = find_entry(&before, &at.entry()).ok_or_else(Fault::not_found)?;
    let new_entry_id = post.id_or_new("new_entry_id");
    let entry = Entry {
        entry_id: new_entry_id.clone(),
        polarity: Polarity::Need.into(),
        severity: 1,
        certainty: Certainty::Observed.into(),
        code: seen.code.clone(),
        source: seen.source,
        note: seen.note.clone(),
        sensitivity: seen.sensitivity,
        ..Default::default()
    };
    let request = PromoteObservationRequest {
        student_id: at.student().student_id.to_string(),
        entry_id: at.entry(),
        entry: Some(entry),
        expected_version: read_version(&post),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).promote_observation(request).await?;
    app.desk.show(&post.caller.key, [new_entry_id.clone()]);
    after(&app, &post, at.student(), format!("e-{new_entry_id}")).await
}

/// Changes who may see an entry, with the reason.
pub async fn readers(State(app): State<Arc<Portal>>, Path(at): Path<EntryAt>, post: Post) -> Result<Response, Fault> {
    let request = SetEntrySensitivityRequest {
        class_review_id: at.student().review_id.to_string(),
        student_id: at.student().student_id.to_string(),
        entry_id: at.entry(),
        sensitivity: sensitivity_of(post.text("sensitivity")).into(),
        reason: post.text("reason").to_owned(),
        expected_version: read_version(&post),
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).set_entry_sensitivity(request).await?;
    app.desk.show(&post.caller.key, [at.entry()]);
    after(&app, &post, at.student(), format!("e-{}", at.entry())).await
}

/// Opens the restricted entries of one student on this screen. A post, because the service records who reads them;
/// they close again when the page is left.
pub async fn open(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    let review = fresh(&app, &post.caller, &at).await?;
    let priors = super::prior::list(&app, &post.caller, &review.class_review_id, &review.student_id).await?;
    let closed = review.entries.iter().chain(priors.iter().filter_map(|prior| prior.entry.as_ref()));
    app.desk.show(&post.caller.key, closed.filter(|entry| is_restricted(entry.sensitivity())).map(|entry| entry.entry_id.clone()));
    if post.by_htmx {
        return redrawn(&app, &post.caller, at, "domains".to_owned()).await;
    }
    let loaded = load(&app, &post.caller, at.review_id).await?;
    shown_page(&app, &post.caller, &loaded, at).await
}

/// The version that the page shows now, else the one that it came with.
fn read_version(post: &Post) -> i64 {
    if post.ticked("version") { post.number("version") } else { post.number("version_then") }
}

async fn after(app: &Portal, post: &Post, at: At, focus: String) -> Result<Response, Fault> {
    if post.by_htmx { redrawn(app, &post.caller, at, focus).await } else { Ok(Redirect::to(&at.path()).into_response()) }
}
