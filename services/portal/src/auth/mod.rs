//! Sign-in by OpenID Connect, at whatever issuer the settings name: the pages. [`provider`] speaks with the issuer,
//! [`renewal`] keeps sessions good, [`standing`] asks what somebody is here, [`trouble`] finds words for what goes wrong.

mod http;
mod provider;
pub mod renewal;
pub mod standing;
pub mod told;
mod trouble;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Shell, render};
use crate::session::{Caller, cookie_in, set_cookie};

pub use provider::SignIn;

/// The sign-in page's path, coming back to `next`. Ids are all that our paths hold.
pub fn sign_in_path(next: &str) -> String {
    match own_path(next) {
        "/" => "/sign-in".to_owned(),
        path => {
            let escaped: String = openidconnect::url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            format!("/sign-in?next={escaped}")
        }
    }
}

/// A path of ours, whatever was asked for: nobody is sent elsewhere after sign-in.
pub(crate) fn own_path(next: &str) -> &str {
    let sound =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']) && !next.starts_with("/sign-in") && next.len() < 500;
    if sound { next } else { "/" }
}

#[derive(Template)]
#[template(path = "sign_in/page.html")]
struct SignInPage {
    shell: Shell,
    start: String,
    message: Option<&'static str>,
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    next: String,
    #[serde(default)]
    ended: bool,
}

/// The sign-in page.
pub async fn page(State(app): State<Arc<Portal>>, Query(query): Query<SignInQuery>) -> Result<Response, Fault> {
    let message = if query.ended {
        Some("You are signed out.")
    } else if own_path(&query.next) != "/" {
        Some("Nobody is signed in, or your session has ended. Sign in to go on where you were.")
    } else {
        None
    };
    sign_in_page(&app, &query.next, message)
}

fn sign_in_page(app: &Portal, next: &str, message: Option<&'static str>) -> Result<Response, Fault> {
    let start = sign_in_path(next).replacen("/sign-in", "/sign-in/start", 1);
    render(&SignInPage { shell: Shell::bare(app.settings.notice(), "Sign in"), start, message })
}

/// Where the issuer sends the browser once its own session has ended.
pub async fn ended(State(app): State<Arc<Portal>>) -> Result<Response, Fault> {
    sign_in_page(&app, "/", Some("You are signed out."))
}

/// Sends the browser to the issuer.
pub async fn start(State(app): State<Arc<Portal>>, Query(query): Query<SignInQuery>) -> Result<Response, Fault> {
    let (url, pending) = app.sign_in.begin(own_path(&query.next).to_owned()).await?;
    let cookie = set_cookie(&app.sessions.begin(pending), app.settings.secure_cookies());
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&url)).into_response())
}

/// What the issuer sends back with the browser.
#[derive(Debug, Deserialize)]
pub struct Returned {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
}

/// Finishes a sign-in.
pub async fn done(State(app): State<Arc<Portal>>, headers: HeaderMap, Query(returned): Query<Returned>) -> Result<Response, Fault> {
    let pending = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok())
        .and_then(cookie_in)
        .and_then(|cookie| app.sessions.take_pending(cookie))
        .filter(|pending| pending.state == returned.state)
        .ok_or_else(|| Fault::refused("This sign-in was not begun here, or it took too long. Begin again."))?;
    if !returned.error.is_empty() || returned.code.is_empty() {
        if returned.error != "access_denied" {
            tracing::warn!(
                error = trouble::coded(&returned.error),
                "the issuer ended a sign-in; where it ends all of them, look at how the portal is registered there"
            );
        }
        return Err(Fault::refused("The sign-in was called off. Begin again when you are ready."));
    }
    let mut who = app.sign_in.finish(returned.code, &pending).await?;
    if let Some(standing) = standing::ask(&app.clients, &who.tokens.access).await {
        who.roles = standing.roles;
        who.school_ids = standing.school_ids;
    }
    // Without a role every page would refuse; the first one says what to do.
    let next = if who.roles.is_empty() { "/" } else { own_path(&pending.next) };
    let cookie = set_cookie(&app.sessions.start(who), app.settings.secure_cookies());
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(next)).into_response())
}

#[derive(Template)]
#[template(path = "sign_in/leaving.html")]
struct LeavingPage {
    shell: Shell,
    to: String,
}

/// Ends the session, here and at the issuer where that can be asked to.
pub async fn end(State(app): State<Arc<Portal>>, post: Post) -> Result<Response, Fault> {
    let Caller { key, .. } = post.caller;
    let id_token = app.sessions.end(&key).and_then(|tokens| tokens.id);
    let elsewhere = match &id_token {
        Some(token) => app.sign_in.leave(token).await,
        None => None,
    };
    let cookie = AppendHeaders([(header::SET_COOKIE, set_cookie("", app.settings.secure_cookies()))]);
    Ok(match elsewhere {
        None => (cookie, Redirect::to("/sign-in?ended=true")).into_response(),
        Some(to) if post.by_htmx => (cookie, AppendHeaders([("HX-Redirect", to)]), axum::http::StatusCode::NO_CONTENT).into_response(),
        // Forms of ours lead to us alone, and browsers hold redirects to that; so this page goes on by itself.
        Some(to) => (cookie, render(&LeavingPage { shell: Shell::bare(app.settings.notice(), "Signing out"), to })?).into_response(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_sign_in() {
        for foreign in ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "", "x"] {
            assert_eq!(own_path(foreign), "/");
        }
        assert_eq!(own_path("/reviews/1?x=2"), "/reviews/1?x=2");
        assert_eq!(sign_in_path("/reviews/1?x=2"), "/sign-in?next=%2Freviews%2F1%3Fx%3D2");
    }
}
