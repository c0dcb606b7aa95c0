//! A student's page: the plan as one chain from need to outcome, and the tiers over time.

pub mod acts;
pub mod items;
pub mod view;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use proto::partners::v1::{ListConsentsRequest, ListPartnersRequest, ListReferralsRequest, SearchServicesRequest};
use proto::plans::v1::{GetPlanRequest, GetPlanResponse};
use proto::reviews::v1::ListTierAssignmentsRequest;
use proto::rosters::v1::GetStudentRequest;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::session::Caller;

use view::Sources;

/// Who moves plans and enrolments and makes referrals. The services decide; this only leaves out forms they would refuse.
const MANAGERS: &[&str] = &["coordinator", "case_manager", "student_support_member"];

/// The page. What one service does not give, because of the caller's role or because it is away, is left out or
/// said; only the student and the plan must be there.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>) -> Result<Response, Fault> {
    let id = student_id.to_string();
    let mut rosters = app.clients.rosters(&caller);
    let mut plans = app.clients.plans(&caller);
    let mut reviews = app.clients.reviews(&caller);
    let mut referrals = app.clients.referrals(&caller);
    let mut consents = app.clients.referrals(&caller);
    let mut partners = app.clients.directory(&caller);
    let mut services = app.clients.directory(&caller);
    let (student, plan, tiers, referrals, consents, partners, services, codes) = tokio::join!(
        rosters.get_student(GetStudentRequest { student_id: id.clone() }),
        plans.get_plan(GetPlanRequest { student_id: id.clone(), school_year: 0 }),
        reviews.list_tier_assignments(ListTierAssignmentsRequest { student_id: id.clone() }),
        referrals.list_referrals(ListReferralsRequest { student_id: id.clone(), page_size: 100, ..Default::default() }),
        consents.list_consents(ListConsentsRequest { student_id: id.clone() }),
        partners.list_partners(ListPartnersRequest { page_size: 500, ..Default::default() }),
        services.search_services(SearchServicesRequest { page_size: 100, ..Default::default() }),
        app.code_list_or_none(&caller),
    );
    let student = student?.into_inner().student.ok_or_else(Fault::not_found)?;
    let plan = match plan.map_err(Fault::from) {
        Ok(answer) => Some(answer.into_inner()),
        Err(fault) if fault.status == axum::http::StatusCode::NOT_FOUND => None,
        Err(fault) => return Err(fault),
    };
    let assignments = tiers.map(|answer| answer.into_inner().assignments).unwrap_or_default();
    let deciders = assignments.iter().map(|assignment| assignment.decided_by.clone()).collect();
    let staff = app.staff_names(&caller, deciders).await;
    let sources = Sources {
        plan: plan.unwrap_or_else(GetPlanResponse::default),
        assignments,
        referrals: referrals.map(|answer| answer.into_inner().referrals).unwrap_or_default(),
        consents: consents.map(|answer| answer.into_inner().consents).unwrap_or_default(),
        partners: partners.map(|answer| answer.into_inner().partners).unwrap_or_default(),
        services: services.map(|answer| answer.into_inner().services).unwrap_or_default(),
        codes,
        staff,
        writes: caller.has_any(&["teacher"]) || caller.has_any(MANAGERS),
        manages: caller.has_any(MANAGERS),
        refers: caller.has_any(MANAGERS),
        today: crate::lookup::today(),
    };
    let shell = Shell::of(&caller, app.settings.notice(), Area::Students, student.display_name.clone());
    render(&view::page(shell, &student, &sources))
}
