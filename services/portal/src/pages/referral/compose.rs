//! Writing a referral for an item of a plan.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use proto::partners::v1::{CreateReferralRequest, Referral, ReferralMode, SearchServicesRequest, Service, Urgency};
use proto::plans::v1::{GetPlanRequest, PlanItem};
use proto::rosters::v1::GetStudentRequest;
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::lookup::service_category_label;
use crate::session::Caller;

/// A service to choose.
pub struct ServiceChoice {
    id: String,
    name: String,
    partner: String,
    meta: String,
}

#[derive(Template)]
#[template(path = "referral/compose.html")]
struct ComposePage {
    shell: Shell,
    path: String,
    student_href: String,
    item_id: String,
    item: String,
    category: String,
    query: String,
    services: Vec<ServiceChoice>,
    referral_id: String,
}

/// For which item, and which words to look for.
#[derive(Debug, Default, Deserialize)]
pub struct ComposeQuery {
    #[serde(default)]
    item: String,
    #[serde(default)]
    q: String,
}

async fn plan_item(app: &Portal, caller: &Caller, student_id: Uuid, item_id: &str) -> Result<(PlanItem, Vec<String>), Fault> {
    let request = GetPlanRequest { student_id: student_id.to_string(), school_year: 0 };
    let plan = app.clients.plans(caller).get_plan(request).await?.into_inner();
    let item = plan.items.into_iter().find(|item| item.plan_item_id == item_id).ok_or_else(Fault::not_found)?;
    let code = |id: &String| plan.needs.iter().find(|need| need.need_id == *id).map(|need| need.code.clone()).unwrap_or_default();
    let codes = item.need_ids.iter().map(code).collect();
    Ok((item, codes))
}

/// Services that fit the item, those with places first.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>, Query(query): Query<ComposeQuery>) -> Result<Response, Fault> {
    let (item, _) = plan_item(&app, &caller, student_id, &query.item).await?;
    let request = GetStudentRequest { student_id: student_id.to_string() };
    let student = app.clients.rosters(&caller).get_student(request).await?.into_inner().student.ok_or_else(Fault::not_found)?;
    let search = SearchServicesRequest {
        category: if query.q.is_empty() { item.service_category.clone() } else { String::new() },
        query: query.q.clone(),
        page_size: 50,
        ..Default::default()
    };
    let services = app.clients.directory(&caller).search_services(search).await?.into_inner().services;
    render(&ComposePage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Referrals, format!("Find a service for {}", student.display_name)),
        path: format!("/students/{student_id}/refer"),
        student_href: format!("/students/{student_id}"),
        item_id: item.plan_item_id,
        item: item.description,
        category: service_category_label(&item.service_category),
        query: query.q,
        services: services.into_iter().map(choice).collect(),
        referral_id: fresh_id(),
    })
}

fn choice(service: Service) -> ServiceChoice {
    let places = match service.capacity {
        Some(capacity) if capacity.maximum < 0 => "places not limited".to_owned(),
        Some(capacity) if capacity.taken >= capacity.maximum => format!("full, {} waiting", capacity.waitlisted),
        Some(capacity) => format!("{} of {} places free", capacity.maximum - capacity.taken, capacity.maximum),
        None => String::new(),
    };
    let ages = match (service.minimum_age, service.maximum_age) {
        (0, 0) => String::new(),
        (low, 0) => format!("from age {low}"),
        (low, high) => format!("age {low} to {high}"),
    };
    let meta = [service_category_label(&service.category), places, ages].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    ServiceChoice { id: service.service_id, name: service.name, partner: service.partner_name, meta }
}

/// Writes the draft and opens it; nothing is shared yet.
pub async fn create(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let (item, need_codes) = plan_item(&app, &post.caller, student_id, post.text("item_id")).await?;
    if post.text("service_id").is_empty() {
        return Err(Fault::refused("Choose the service that is asked. Go back and pick one from the list."));
    }
    let urgency = Urgency::from_str_name(&format!("URGENCY_{}", post.text("urgency").to_uppercase())).unwrap_or(Urgency::Routine);
    let referral = Referral {
        referral_id: post.id_or_new("referral_id"),
        student_id: student_id.to_string(),
        need_ids: item.need_ids,
        plan_item_id: item.plan_item_id,
        service_id: post.text("service_id").to_owned(),
        urgency: urgency.into(),
        mode: ReferralMode::Normal.into(),
        shared_scopes: post.all("scope"),
        first_step_owner: post.text("first_step_owner").to_owned(),
        ..Default::default()
    };
    let request = CreateReferralRequest { referral: Some(referral), request_id: post.request_id(), need_codes };
    let created = app.clients.referrals(&post.caller).create_referral(request).await?.into_inner().referral.unwrap_or_default();
    Ok(Redirect::to(&format!("/referrals/{}", created.referral_id)).into_response())
}
