//! Referrals: the board, one referral with its history, and what each side can do.

pub mod acts;
pub mod compose;
pub mod view;
pub mod words;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::partners::v1::{CheckSharingRequest, GetReferralRequest, GetServiceRequest, ListReferralsRequest, Referral, ReferralState, Service};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::lookup::today;
use crate::session::Caller;

use view::Names;

/// Names are joined for at most this many services.
const MOST_SERVICES: usize = 60;

/// Which referrals to show.
#[derive(Debug, Default, Deserialize)]
pub struct BoardQuery {
    #[serde(default)]
    school: String,
}

/// The board.
pub async fn list(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<BoardQuery>) -> Result<Response, Fault> {
    let schools = if caller.works_by_school() { app.schools(&caller).await? } else { Vec::new() };
    let school_id = if query.school.is_empty() && caller.works_by_school() {
        schools.first().map(|school| school.school_id.clone()).unwrap_or_default()
    } else {
        schools.iter().find(|school| school.school_id == query.school).map(|school| school.school_id.clone()).unwrap_or_default()
    };
    let request = ListReferralsRequest { school_id: school_id.clone(), page_size: 200, ..Default::default() };
    let answer = app.clients.referrals(&caller).list_referrals(request).await?.into_inner();
    let partner = caller.is_partner();
    let students = students(&app, &caller, &answer.referrals).await?;
    let services = services(&app, &caller, &answer.referrals).await;
    let names = Names { students: &students, services: &services, partner, today: &today() };
    let choices = schools
        .into_iter()
        .map(|school| {
            let chosen = school.school_id == school_id;
            (school.school_id, school.name, chosen)
        })
        .collect();
    let shell = Shell::of(&caller, app.settings.notice(), Area::Referrals, "Referrals");
    render(&view::board(shell, &answer.referrals, &names, choices, &answer.access_basis))
}

/// One referral.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(referral_id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, referral_id, Vec::new()).await
}

/// One referral, with notes about what was refused.
async fn show(app: &Portal, caller: &Caller, referral_id: Uuid, notes: Vec<String>) -> Result<Response, Fault> {
    let request = GetReferralRequest { referral_id: referral_id.to_string() };
    let answer = app.clients.referrals(caller).get_referral(request).await?.into_inner();
    let referral = answer.referral.clone().ok_or_else(Fault::not_found)?;
    let partner = caller.is_partner();
    let sharing = if referral.state() == ReferralState::Draft && !partner {
        let request = CheckSharingRequest { referral_id: referral_id.to_string() };
        Some(app.clients.referrals(caller).check_sharing(request).await?.into_inner())
    } else {
        None
    };
    let one = std::slice::from_ref(&referral);
    let students = students(app, caller, one).await?;
    let services = services(app, caller, one).await;
    let codes = app.code_list_or_none(caller).await;
    let names = Names { students: &students, services: &services, partner, today: &today() };
    let shell = |name: String| Shell::of(caller, app.settings.notice(), Area::Referrals, format!("Referral: {name}"));
    render(&view::page(shell, answer, &names, &codes, sharing, notes))
}

/// Names of the students, for staff; partners get theirs with the referral.
async fn students(app: &Portal, caller: &Caller, referrals: &[Referral]) -> Result<HashMap<String, proto::rosters::v1::Student>, Fault> {
    if caller.is_partner() {
        return Ok(HashMap::new());
    }
    let ids: BTreeSet<String> = referrals.iter().map(|referral| referral.student_id.clone()).filter(|id| !id.is_empty()).collect();
    app.students(caller, ids.into_iter().collect()).await
}

/// The services asked for; one that cannot be had is shown as "a service".
async fn services(app: &Portal, caller: &Caller, referrals: &[Referral]) -> HashMap<String, Service> {
    let ids: BTreeSet<String> = referrals.iter().map(|referral| referral.service_id.clone()).filter(|id| !id.is_empty()).take(MOST_SERVICES).collect();
    let asked = ids.into_iter().map(|service_id| {
        let mut directory = app.clients.directory(caller);
        async move { directory.get_service(GetServiceRequest { service_id }).await }
    });
    futures_util::future::join_all(asked)
        .await
        .into_iter()
        .filter_map(|answer| answer.ok()?.into_inner().service)
        .map(|service| (service.service_id.clone(), service))
        .collect()
}
