//! What the portal holds while it runs, and its routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use chassis_access::{ClaimSettings, TokenVerifier};
use chassis_boot::settings::PeerSettings;
use chassis_boot::{Context, Parts, Service};
use chassis_events::Topic;
use chassis_pg::Migrations;

use crate::assets;
use crate::auth::{self, SignIn};
use crate::clients::Clients;
use crate::desk::Desk;
use crate::fault::{Fault, frame_answers};
use crate::lookup::CodeCache;
use crate::pages::{
    class_list, class_review, concern, find_student, follow_up, group, hand_over, individual_review, my_day, recap, referral, report, september, student, unmet,
};
use crate::session::SessionStore;
use crate::settings::PortalSettings;

/// The largest form we take.
const MOST_FORM_BYTES: usize = 64 * 1024;

/// What the portal holds while it runs. It owns no data: all of this may be lost at any moment.
pub struct Portal {
    /// Settings.
    pub settings: PortalSettings,
    /// Who is signed in.
    pub sessions: SessionStore,
    /// How they sign in.
    pub sign_in: SignIn,
    /// Believes the issuer's word that somebody has signed out there.
    pub logouts: TokenVerifier,
    /// The services.
    pub clients: Clients,
    /// The code list, kept for a while.
    pub codes: CodeCache,
    /// What sessions have on their screens.
    pub desk: Desk,
}

impl Portal {
    /// Prepares the portal; asks nobody yet. `claims` read the tokens as the services do.
    pub fn new(settings: PortalSettings, peers: &PeerSettings, claims: ClaimSettings) -> anyhow::Result<Self> {
        chassis_boot::run::install_crypto();
        Ok(Self {
            sessions: SessionStore::new(settings.session_idle(), settings.session_max()),
            sign_in: SignIn::new(&settings, claims)?,
            logouts: auth::told::verifier(&settings),
            clients: Clients::new(peers, settings.call_timeout())?,
            codes: CodeCache::default(),
            desk: Desk::default(),
            settings,
        })
    }
}

/// The portal as the chassis runs it: web pages, no schema, no events.
pub struct App;

impl Service for App {
    type Own = PortalSettings;
    const NAME: &'static str = "portal";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    const TOPICS: &'static [Topic] = &[];

    fn migrations() -> Option<Migrations> {
        None
    }

    async fn build(context: Context<PortalSettings>) -> anyhow::Result<Parts> {
        let app = Portal::new(context.settings.service.clone(), &context.settings.peers, context.settings.auth.claims.clone())?;
        Ok(Parts { http: Some(router(Arc::new(app))), ..Parts::default() })
    }
}

/// Every route of the portal.
pub fn router(app: Arc<Portal>) -> Router {
    Router::new()
        .route("/", get(my_day::home))
        .route("/sign-in", get(auth::page))
        .route("/sign-in/start", get(auth::start))
        .route("/sign-in/done", get(auth::done))
        .route("/sign-in/ended", get(auth::ended).post(auth::told::ended))
        .route("/sign-out", post(auth::end))
        .route("/classes", get(class_list::page))
        .route("/classes/{class_id}/start", post(class_list::start))
        .route("/classes/{class_id}/book", get(class_list::book::page).post(class_list::book::book))
        .route("/codes/{version}", get(class_review::codes))
        .route("/reviews/{review_id}", get(class_review::resume))
        .route("/reviews/{review_id}/submit", post(class_review::acts::submit))
        .route("/reviews/{review_id}/sign", post(class_review::acts::sign))
        .route("/reviews/{review_id}/move", post(class_review::acts::transition))
        .route("/reviews/{review_id}/refresh", post(class_review::acts::refresh))
        .route("/reviews/{review_id}/activity", post(class_review::acts::activity))
        .route("/reviews/{review_id}/stream", get(class_review::live::stream))
        .route("/reviews/{review_id}/keep", get(class_review::keep::students))
        .route("/reviews/{review_id}/students/{student_id}", get(class_review::page))
        .route("/reviews/{review_id}/students/{student_id}/entries", post(class_review::entries::add))
        .route("/reviews/{review_id}/students/{student_id}/entries/{entry_id}", post(class_review::entries::change))
        .route("/reviews/{review_id}/students/{student_id}/entries/{entry_id}/remove", post(class_review::entries::remove))
        .route("/reviews/{review_id}/students/{student_id}/entries/{entry_id}/promote", post(class_review::rare::promote))
        .route("/reviews/{review_id}/students/{student_id}/entries/{entry_id}/readers", post(class_review::rare::readers))
        .route(
            "/reviews/{review_id}/students/{student_id}/entries/{entry_id}/understood",
            get(class_review::rare::understood_page).post(class_review::rare::understood),
        )
        .route("/reviews/{review_id}/students/{student_id}/prior/{prior_id}", post(class_review::prior::answer))
        .route("/reviews/{review_id}/students/{student_id}/open", get(above).post(class_review::rare::open))
        .route("/reviews/{review_id}/students/{student_id}/beside", get(class_review::beside::part))
        .route("/reviews/{review_id}/students/{student_id}/decision", post(class_review::decision::save))
        .route("/reviews/{review_id}/students/{student_id}/done", post(class_review::decision::done))
        .route("/reviews/{review_id}/students/{student_id}/later", post(class_review::decision::later))
        .route("/reviews/{review_id}/students/{student_id}/skip", post(class_review::decision::skip))
        .route("/reviews/{review_id}/students/{student_id}/reopen", post(class_review::decision::reopen))
        .route("/students", get(find_student::page).post(find_student::find))
        .route("/students/{student_id}", get(student::page))
        .route("/students/{student_id}/reviews", get(student::reviews))
        .route("/students/{student_id}/services", get(student::services))
        .route("/students/{student_id}/family", get(student::family))
        .route("/students/{student_id}/access", get(student::access).post(student::other_acts::grant))
        .route("/students/{student_id}/access/{access_id}/revoke", post(student::other_acts::revoke))
        .route("/students/{student_id}/break-glass", post(student::other_acts::break_glass))
        .route("/students/{student_id}/plan", get(student::plan).post(student::acts::move_plan))
        .route("/students/{student_id}/plan/header", post(student::plan_acts::header))
        .route("/students/{student_id}/plan/answer", post(student::plan_acts::answer))
        .route("/students/{student_id}/plan/next-year", post(student::plan_acts::carry_over))
        .route("/students/{student_id}/tier", post(student::other_acts::assign_tier))
        .route("/students/{student_id}/goals", post(student::plan_acts::add_goal))
        .route("/students/{student_id}/goals/{goal_id}", post(student::plan_acts::move_goal))
        .route("/students/{student_id}/goals/{goal_id}/progress", post(student::plan_acts::progress))
        .route("/students/{student_id}/items/{item_id}/details", post(student::plan_acts::item_details))
        .route("/students/{student_id}/check-ins", post(student::plan_acts::add_check_in))
        .route("/students/{student_id}/check-ins/{check_in_id}", post(student::plan_acts::note_check_in))
        .route("/students/{student_id}/commitments", post(student::plan_acts::add_commitment))
        .route("/students/{student_id}/commitments/{commitment_id}", post(student::plan_acts::move_commitment))
        .route("/students/{student_id}/entries/{entry_id}/reclassify", post(student::other_acts::reclassify))
        .route("/students/{student_id}/entries/{entry_id}/promote", post(student::other_acts::promote))
        .route("/students/{student_id}/individual-reviews", post(student::other_acts::open_review))
        .route("/students/{student_id}/deliveries/{delivery_id}", post(student::other_acts::correct))
        .route("/students/{student_id}/aid", post(student::other_acts::aid))
        .route("/students/{student_id}/ratings", post(student::other_acts::rate))
        .route("/students/{student_id}/items", post(student::acts::add_item))
        .route("/students/{student_id}/items/{item_id}", post(student::acts::move_item))
        .route("/students/{student_id}/items/{item_id}/enrolments", post(student::acts::enrol))
        .route("/students/{student_id}/enrolments/{enrolment_id}", post(student::acts::move_enrolment))
        .route("/students/{student_id}/enrolments/{enrolment_id}/deliveries", post(student::acts::log_delivery))
        .route("/students/{student_id}/needs/{need_id}", post(student::acts::judge))
        .route("/students/{student_id}/consents", post(student::acts::record_consent))
        .route("/students/{student_id}/refer", get(referral::compose::page).post(referral::compose::create))
        .route("/students/{student_id}/concern", get(concern::form).post(concern::raise))
        .route("/students/{student_id}/follow-ups", post(follow_up::raise))
        .route("/concerns", get(concern::list))
        .route("/concerns/{concern_id}", get(concern::page))
        .route("/concerns/{concern_id}/open", get(above).post(concern::open))
        .route("/concerns/{concern_id}/triage", post(concern::triage))
        .route("/concerns/{concern_id}/close", post(concern::close))
        .route("/follow-ups", get(follow_up::page))
        .route("/follow-ups/{follow_up_id}", post(follow_up::transition))
        .route("/follow-ups/{follow_up_id}/nudge", post(follow_up::nudge))
        .route("/individual-reviews", get(individual_review::list))
        .route("/individual-reviews/{review_id}", get(individual_review::page))
        .route("/individual-reviews/{review_id}/recap", get(individual_review::recap))
        .route("/individual-reviews/{review_id}/open", get(above).post(individual_review::open))
        .route("/individual-reviews/{review_id}/decline", post(individual_review::decline))
        .route("/individual-reviews/{review_id}/prepare", post(individual_review::prepare))
        .route("/individual-reviews/{review_id}/schedule", post(individual_review::schedule))
        .route("/individual-reviews/{review_id}/hold", post(individual_review::hold))
        .route("/individual-reviews/{review_id}/decide", post(individual_review::decide))
        .route("/individual-reviews/{review_id}/look", post(individual_review::look_again))
        .route("/individual-reviews/{review_id}/suspend", post(individual_review::suspend))
        .route("/groups", get(group::list).post(group::add))
        .route("/groups/log", get(group::log::page).post(group::log::import).layer(DefaultBodyLimit::max(group::log::MOST_BYTES)))
        .route("/groups/{group_id}", get(group::page))
        .route("/groups/{group_id}/attendance", post(group::take))
        .route("/activities", post(group::add_activity))
        .route("/activities/{activity_id}", post(group::count))
        .route("/students/{student_id}/hand-over", post(hand_over::start))
        .route("/hand-overs", get(hand_over::page))
        .route("/hand-overs/{transition_id}", post(hand_over::update))
        .route("/september", get(september::page))
        .route("/september/{student_id}", post(september::mark))
        .route("/recap", get(recap::page))
        .route("/referrals", get(referral::list))
        .route("/referrals/{referral_id}", get(referral::page))
        .route("/referrals/{referral_id}/send", post(referral::acts::send))
        .route("/referrals/{referral_id}/move", post(referral::acts::transition))
        .route("/referrals/{referral_id}/judge", post(referral::acts::judge))
        .route("/unmet", get(unmet::page))
        .route("/reports", get(report::page))
        .fallback(|| async { Fault::not_found() })
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(from_fn_with_state(Arc::clone(&app), frame_answers))
        .route("/static/{hash}/{name}", get(assets::serve))
        .with_state(app)
}

/// What was opened by an act has its page one step up: a way back from elsewhere leads there.
async fn above(uri: axum::http::Uri) -> axum::response::Redirect {
    axum::response::Redirect::to(uri.path().trim_end_matches("/open"))
}
