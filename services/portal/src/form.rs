//! Who sends a request, and the form it carries. A form without the session's token is refused before it is read.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::Portal;
use crate::auth::renewal;
use crate::fault::Fault;
use crate::session::{Caller, cookie_in};

impl FromRequestParts<Arc<Portal>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<Portal>) -> Result<Self, Fault> {
        let caller = parts
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(cookie_in)
            .and_then(|cookie| app.sessions.caller(cookie))
            .ok_or_else(Fault::signed_out)?;
        let mut caller = renewal::fresh(app, caller).await?;
        // A whole page shows what the last act answered; fragments and prefetched pages leave it for later.
        if parts.method == Method::GET && (!parts.headers.contains_key("hx-request") || parts.headers.contains_key("hx-boosted")) {
            caller.said = app.sessions.take_said(&caller.key);
        }
        Ok(caller)
    }
}

/// Whether htmx asks, and so wants a fragment.
#[derive(Debug, Clone, Copy)]
pub struct ByHtmx(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for ByHtmx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.contains_key("hx-request")))
    }
}

/// A posted form, from somebody who is signed in and got it from us.
#[derive(Debug)]
pub struct Post {
    /// Who sends it.
    pub caller: Caller,
    /// Whether htmx sends it.
    pub by_htmx: bool,
    fields: Vec<(String, String)>,
}

impl FromRequest<Arc<Portal>> for Post {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &Arc<Portal>) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let by_htmx = parts.headers.contains_key("hx-request");
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), app)
            .await
            .map_err(|_| Fault::refused("The form could not be read. Load the page again and repeat what you did."))?;
        let post = Self { caller, by_htmx, fields };
        if same_token(post.text("csrf"), &post.caller.csrf) { Ok(post) } else { Err(Fault::forged()) }
    }
}

/// Compares hashes, so that the time it takes tells nothing about the token.
pub fn same_token(sent: &str, held: &str) -> bool {
    Sha256::digest(sent.as_bytes()) == Sha256::digest(held.as_bytes())
}

impl Post {
    /// The text of a field, trimmed; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value.trim())
    }

    /// Every value of a repeated field.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.fields.iter().filter(|(held, value)| held == name && !value.is_empty()).map(|(_, value)| value.clone()).collect()
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.fields.iter().any(|(held, _)| held == name)
    }

    /// A whole number; 0 where it is absent or no number.
    pub fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    /// A small whole number; 0 where it is absent or no number.
    pub fn small(&self, name: &str) -> i32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// A number with or without decimals, after a point or a comma; none where it is absent or something else.
    pub fn decimal(&self, name: &str) -> Option<f64> {
        self.text(name).replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite())
    }

    /// The id under which the command is sent. A form without one gets a fresh one.
    pub fn request_id(&self) -> String {
        self.id_or_new("request_id")
    }

    /// A UUID chosen by the page, or a fresh one.
    pub fn id_or_new(&self, name: &str) -> String {
        Uuid::parse_str(self.text(name)).unwrap_or_else(|_| Uuid::now_v7()).to_string()
    }
}

/// A fresh id for the next form.
pub fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}
