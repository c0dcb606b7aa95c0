//! What the portal holds while it runs, and its routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::auth::{self, SignIn};
use crate::clients::Clients;
use crate::fault::{Fault, frame_answers};
use crate::lookup::CodeCache;
use crate::pages::{class_list, class_review};
use crate::session::SessionStore;
use crate::settings::PortalSettings;
use crate::assets;

/// The largest form we take.
const MOST_FORM_BYTES: usize = 64 * 1024;

/// What the portal holds while it runs. It owns no data: all of this may be lost at any moment.
pub struct App {
    /// Settings.
    pub settings: PortalSettings,
    /// Who is signed in.
    pub sessions: SessionStore,
    /// How they sign in.
    pub sign_in: SignIn,
    /// The services.
    pub clients: Clients,
    /// The code list, kept for a while.
    pub codes: CodeCache,
}

impl App {
    /// Prepares the portal; asks nobody yet.
    pub fn new(settings: PortalSettings) -> anyhow::Result<Self> {
        // A second installation of the same provider answers an error that means nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            sessions: SessionStore::new(settings.session_idle(), settings.session_max()),
            sign_in: SignIn::new(&settings)?,
            clients: Clients::new(&settings)?,
            codes: CodeCache::default(),
            settings,
        })
    }
}

/// Every route of the portal.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(class_list::home))
        .route("/sign-in", get(auth::page))
        .route("/sign-in/start", get(auth::start))
        .route("/sign-in/done", get(auth::done))
        .route("/sign-out", post(auth::end))
        .route("/classes", get(class_list::page))
        .route("/classes/{class_id}/start", post(class_list::start))
        .route("/codes/{version}", get(class_review::codes))
        .route("/reviews/{review_id}", get(class_review::resume))
        .route("/reviews/{review_id}/submit", post(class_review::submit))
        .route("/reviews/{review_id}/sign", post(class_review::sign))
        .route("/reviews/{review_id}/students/{student_id}", get(class_review::page))
        .route("/reviews/{review_id}/students/{student_id}/entries", post(class_review::entries::add))
        .route("/reviews/{review_id}/students/{student_id}/entries/{entry_id}", post(class_review::entries::change))
        .route("/reviews/{review_id}/students/{student_id}/entries/{entry_id}/remove", post(class_review::entries::remove))
        .route("/reviews/{review_id}/students/{student_id}/decision", post(class_review::decision::save))
        .route("/reviews/{review_id}/students/{student_id}/done", post(class_review::decision::done))
        .route("/reviews/{review_id}/students/{student_id}/later", post(class_review::decision::later))
        .route("/reviews/{review_id}/students/{student_id}/skip", post(class_review::decision::skip))
        .route("/reviews/{review_id}/students/{student_id}/reopen", post(class_review::decision::reopen))
        .fallback(|| async { Fault::not_found() })
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(from_fn_with_state(Arc::clone(&app), frame_answers))
        .route("/static/{hash}/{name}", get(assets::serve))
        .with_state(app)
}

