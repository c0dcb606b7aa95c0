//! What can go wrong on the way to a page, and the words for it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use tonic::Code;
use tonic_types::StatusExt;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::app::Portal;
use crate::frame::Shell;

/// Why a page cannot be shown or a change not be made, in words for people.
#[derive(Debug, Clone)]
pub struct Fault {
    /// HTTP status.
    pub status: StatusCode,
    /// Heading.
    pub title: &'static str,
    /// What happened and what to do.
    pub words: String,
    /// More of it, a line each.
    pub details: Vec<String>,
    /// What the help desk finds it by, where it is a fault of ours.
    pub reference: Option<Box<str>>,
    /// Stable reason of the service, for handlers that treat one in a special way.
    pub reason: Box<str>,
}

impl Fault {
    fn new(status: StatusCode, title: &'static str, words: &str) -> Self {
        Self { status, title, words: words.to_owned(), details: Vec::new(), reference: None, reason: Box::default() }
    }

    /// The caller is not signed in, or no longer.
    pub fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Sign in again", "Your session has ended. Sign in again to go on.")
    }

    /// There is no such thing for this caller.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Nothing here", "There is no such page, or it is about somebody you do not work with.")
    }

    /// The caller may not.
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Not yours to open",
            "Your role and your classes or schools do not cover this. The coordinator of the school can open it, \
             or can ask the district to change what you see.",
        )
    }

    /// The form was not ours, or it is too old.
    pub fn forged() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This form is too old", "Nothing was changed. Load the page again and repeat what you did.")
    }

    /// Something in the form is not as it must be.
    pub fn refused(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Not done yet", "") }
    }

    /// A fault of ours; the cause goes to the log under a reference code, never to the page.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let reference = reference_code();
        tracing::error!(reference, cause = %cause, "page failed");
        Self {
            reference: Some(reference),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke on our side",
                "What you saved before is safe. Try again; if it happens again, call the help desk with the code below.",
            )
        }
    }

    /// The issuer does not answer.
    pub fn sign_in_away(cause: impl std::fmt::Display) -> Self {
        let reference = reference_code();
        tracing::warn!(reference, cause = %cause, "sign-in cannot be reached");
        Self {
            reference: Some(reference),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Sign-in cannot be reached",
                "The place where your district keeps its accounts does not answer. Nothing is wrong with yours, and what you saved before is safe. \
                 Try again in a minute.",
            )
        }
    }

    /// The issuer and our settings do not fit together.
    pub fn sign_in_not_set_up(cause: impl std::fmt::Display) -> Self {
        let reference = reference_code();
        tracing::error!(reference, cause = %cause, "sign-in is not set up right");
        Self {
            reference: Some(reference),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Sign-in is not set up right",
                "You did nothing wrong, and nothing is wrong with your account. Call the help desk with the code below: it tells them what to mend.",
            )
        }
    }

    /// Whether somebody else changed the same thing meanwhile.
    pub fn is_conflict(&self) -> bool {
        self.status == StatusCode::CONFLICT
    }

    /// Whether the request was understood but refused.
    pub fn is_refusal(&self) -> bool {
        self.status == StatusCode::UNPROCESSABLE_ENTITY
    }

    /// All words in one line, for places inside a page.
    pub fn line(&self) -> String {
        let mut line = self.words.clone();
        for detail in &self.details {
            line.push(' ');
            line.push_str(detail);
        }
        line
    }
}

impl From<tonic::Status> for Fault {
    fn from(status: tonic::Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let mut fault = match status.code() {
            Code::Unauthenticated => Self::signed_out(),
            Code::NotFound => Self::not_found(),
            Code::PermissionDenied => Self::forbidden(),
            Code::Aborted => Self::new(
                StatusCode::CONFLICT,
                "Somebody else changed this a moment ago",
                "Nothing was overwritten. Look at what is there now, then repeat your change if it is still right.",
            ),
            Code::InvalidArgument | Code::OutOfRange | Code::AlreadyExists | Code::FailedPrecondition | Code::ResourceExhausted => {
                Self::refused(words_for(&reason).unwrap_or(status.message()))
            }
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
                let reference = reference_code();
                tracing::warn!(reference, code = ?status.code(), "service did not answer");
                Self {
                    reference: Some(reference),
                    ..Self::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "A part of Wraparound does not answer",
                        "What you saved before is safe. Try again in a minute.",
                    )
                }
            }
            _ => Self::internal(format_args!("{:?} {}", status.code(), status.message())),
        };
        if fault.is_refusal() {
            if let Some(bad) = details.bad_request() {
                // The message of such a status is its violations in the API's own names.
                if &*reason == "INVALID_INPUT" && !bad.field_violations.is_empty() {
                    "Nothing was changed. Mend this and send it again:".clone_into(&mut fault.words);
                }
                fault.details.extend(bad.field_violations.iter().map(|violation| {
                    let field = field_in_words(&violation.field);
                    if field.is_empty() { violation.description.clone() } else { format!("{field}: {}.", violation.description.trim_end_matches('.')) }
                }));
            }
            if let Some(failed) = details.precondition_failure() {
                fault.details.extend(failed.violations.iter().map(|violation| violation.description.clone()));
            }
            fault.details.retain(|line| !line.is_empty() && *line != fault.words);
        }
        fault.reason = reason.into();
        fault
    }
}

fn words_for(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "CONSENT_MISSING" => "The family has not agreed yet that this partner receives anything. Record the consent first.",
        "SCOPE_NOT_COVERED" => "The family's consent does not cover all that would be shared. Share less, or ask the family again.",
        "AGREEMENT_MISSING" => "There is no data agreement with this partner today. The partnership manager can add one.",
        "NO_CAPACITY" => "There is no place left. Put the student on the waiting list, or look for another service.",
        _ => return None,
    })
}

/// A field of the API as people read it: `decisions[0].due_on` is "Decision 1, due on".
fn field_in_words(field: &str) -> String {
    let parts = field.split('.').map(|part| {
        let (name, at) = part.split_once('[').map_or((part, None), |(name, at)| (name, at.trim_end_matches(']').parse::<usize>().ok()));
        let name = name.replace('_', " ");
        match at {
            Some(at) => format!("{} {}", name.strip_suffix('s').unwrap_or(&name), at + 1),
            None => name.strip_suffix(" id").unwrap_or(&name).to_owned(),
        }
    });
    let words = parts.collect::<Vec<_>>().join(", ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn reference_code() -> Box<str> {
    let id = Uuid::now_v7().simple().to_string();
    id[20..].to_uppercase().into()
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[derive(Template)]
#[template(path = "trouble/page.html")]
struct TroublePage<'a> {
    shell: Shell,
    words: &'a str,
    details: &'a [String],
    reference: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "trouble/fragment.html")]
struct TroubleFragment<'a> {
    title: &'a str,
    words: &'a str,
    details: &'a [String],
    reference: Option<&'a str>,
}

/// A page that only says something.
pub fn note(shell: Shell, words: &str) -> Result<Response, Fault> {
    crate::frame::render(&TroublePage { shell, words, details: &[], reference: None })
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Writes the words of a fault as a page, or as a fragment where htmx asked, and puts the security headers on
/// every answer.
pub async fn frame_answers(State(app): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let by_htmx = request.headers().contains_key("hx-request");
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let is_get = request.method() == axum::http::Method::GET;
    // The route's pattern, not the path: no id becomes a label.
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let began = std::time::Instant::now();
    let span = chassis_rpc::observe::page_span(request.method(), &route);
    let mut response = next.run(request).instrument(span.clone()).await;
    // An address that names nothing, or names it badly, is answered before a page of ours is asked.
    let nowhere = is_get && matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    let fault = response.extensions_mut().remove::<Arc<Fault>>().or_else(|| nowhere.then(|| Arc::new(Fault::not_found())));
    if let Some(fault) = fault {
        response = written(&app, &fault, by_htmx, if is_get { &path } else { "/" });
    }
    let status = response.status().as_u16().to_string();
    span.record("http.response.status_code", response.status().as_u16());
    metrics::histogram!("http_server_duration_seconds", "route" => route, "status" => status).record(began.elapsed().as_secs_f64());
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    response
}

fn written(app: &Portal, fault: &Fault, by_htmx: bool, path: &str) -> Response {
    if fault.status == StatusCode::UNAUTHORIZED {
        let to = crate::auth::sign_in_path(path);
        if by_htmx {
            return (StatusCode::NO_CONTENT, [("HX-Redirect", to)]).into_response();
        }
        return Redirect::to(&to).into_response();
    }
    let html = if by_htmx {
        TroubleFragment { title: fault.title, words: &fault.words, details: &fault.details, reference: fault.reference.as_deref() }.render()
    } else {
        TroublePage {
            shell: Shell::bare(app.settings.notice(), fault.title),
            words: &fault.words,
            details: &fault.details,
            reference: fault.reference.as_deref(),
        }
        .render()
    };
    match html {
        // The page stays as it is with all that was typed, and so does its address.
        Ok(html) if by_htmx => (fault.status, [("HX-Reswap", "none"), ("HX-Push-Url", "false")], Html(html)).into_response(),
        Ok(html) => (fault.status, Html(html)).into_response(),
        Err(_) => (fault.status, fault.line()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[test]
    fn a_refusal_speaks_in_our_words_and_names_each_gap() {
        let mut details = ErrorDetails::with_error_info("CONSENT_MISSING", "partners", std::collections::HashMap::new());
        details.add_bad_request_violation("scopes", "Choose at least one.");
        let status = tonic::Status::with_error_details(Code::FailedPrecondition, "no", details);
        let fault = Fault::from(status);
        assert!(fault.is_refusal());
        assert!(fault.words.starts_with("The family has not agreed"));
        assert_eq!(fault.details, vec!["Scopes: Choose at least one.".to_owned()]);
        assert_eq!(&*fault.reason, "CONSENT_MISSING");
    }

    #[test]
    fn a_field_is_named_as_people_read_it() {
        let mut details = ErrorDetails::with_error_info("INVALID_INPUT", "wraparound", std::collections::HashMap::new());
        details.add_bad_request_violation("decisions[0].due_on", "must be given, as a date such as 2026-10-05");
        let fault = Fault::from(tonic::Status::with_error_details(Code::InvalidArgument, "decisions[0].due_on: must be given", details));
        assert_eq!(fault.line(), "Nothing was changed. Mend this and send it again: Decision 1, due on: must be given, as a date such as 2026-10-05.");
        for (field, words) in [("staff_id", "Staff"), ("", ""), ("entry.severity", "Entry, severity"), ("codes[11]", "Code 12")] {
            assert_eq!(field_in_words(field), words);
        }
    }

    #[test]
    fn a_fault_of_ours_keeps_its_cause_to_the_log() {
        let fault = Fault::from(tonic::Status::internal("relation reviews.entry does not exist"));
        assert!(!fault.line().contains("relation"));
        assert!(fault.reference.is_some());
    }

    #[test]
    fn another_writer_is_a_conflict() {
        assert!(Fault::from(tonic::Status::aborted("x")).is_conflict());
    }
}
