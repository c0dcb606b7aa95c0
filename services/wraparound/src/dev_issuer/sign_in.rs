//! The sign-in page: choose who to be.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::codes::Grant;
use super::personas::Persona;
use super::{DevIssuer, PORTAL};

/// What the portal's browser brings.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    state: String,
    nonce: Option<String>,
    #[serde(default)]
    code_challenge: String,
    #[serde(default)]
    code_challenge_method: String,
}

/// What the person chose; the rest of the form repeats what the browser brought.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    persona: String,
    #[serde(flatten)]
    asked: Asked,
}

#[derive(Template)]
#[template(path = "dev_issuer/sign_in.html")]
struct Page<'a> {
    portal: &'a str,
    asked: &'a Asked,
    groups: Vec<(&'static str, Vec<&'a Persona>)>,
    no_staff: bool,
}

#[derive(Template)]
#[template(path = "dev_issuer/refused.html")]
struct Refused<'a> {
    portal: &'a str,
    why: &'a str,
}

impl DevIssuer {
    /// Why a request cannot be answered, where it cannot. Nobody is sent to an address that is not the portal's own.
    fn refusal(&self, asked: &Asked) -> Option<&'static str> {
        let rules = [
            (asked.client_id == PORTAL, "This sign-in is for the portal of this district only."),
            (asked.redirect_uri == self.redirect, "This sign-in would lead to another address than this district's portal."),
            (asked.response_type == "code", "Only the authorization code flow is offered here."),
            (asked.code_challenge_method == "S256" && asked.code_challenge.len() == 43, "The sign-in lacks its PKCE challenge (S256)."),
            (!asked.state.is_empty() && asked.state.len() <= 512, "The sign-in lacks its state."),
            (asked.nonce.as_ref().is_none_or(|n| n.len() <= 512), "The sign-in's nonce is too long."),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map(|(_, why)| why)
    }

    fn refuse(&self, why: &str) -> Response {
        (StatusCode::BAD_REQUEST, self.html(&Refused { portal: &self.portal, why })).into_response()
    }

    fn html(&self, page: &impl Template) -> Response {
        match page.render() {
            Ok(html) => {
                let mut answer = Html(html).into_response();
                // The form's answer leads to the portal, which browsers count as a target of the form.
                let policy =
                    format!("default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'", self.portal);
                if let Ok(policy) = HeaderValue::try_from(policy) {
                    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
                }
                answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                answer
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the sign-in page cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The page.
pub async fn page(State(issuer): State<Arc<DevIssuer>>, Query(asked): Query<Asked>) -> Response {
    if let Some(why) = issuer.refusal(&asked) {
        return issuer.refuse(why);
    }
    let people = issuer.personas().await;
    let of = |group: &str| people.iter().filter(|p| p.group == group).collect::<Vec<_>>();
    let mut groups = vec![("At a school", of("school")), ("At the district", of("district")), ("At a partner", of("partner"))];
    let no_staff = groups[0].1.is_empty();
    groups.retain(|(_, people)| !people.is_empty());
    issuer.html(&Page { portal: &issuer.portal, asked: &asked, groups, no_staff })
}

/// The choice.
pub async fn choose(State(issuer): State<Arc<DevIssuer>>, Form(chosen): Form<Chosen>) -> Response {
    let asked = chosen.asked;
    if let Some(why) = issuer.refusal(&asked) {
        return issuer.refuse(why);
    }
    let Some(persona) = issuer.personas().await.into_iter().find(|p| p.key == chosen.persona) else {
        return issuer.refuse("There is no such person. Go back and choose another.");
    };
    let grant = Grant { who: persona.identity, redirect_uri: asked.redirect_uri, challenge: asked.code_challenge, nonce: asked.nonce };
    let Some(code) = issuer.codes.give(grant) else {
        return issuer.refuse("Too many sign-ins at once. Wait a minute and try again.");
    };
    let Ok(mut to) = reqwest::Url::parse(&issuer.redirect) else {
        return issuer.refuse("The portal's address is of no use.");
    };
    to.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state).append_pair("iss", &issuer.issuer);
    Redirect::to(to.as_str()).into_response()
}
