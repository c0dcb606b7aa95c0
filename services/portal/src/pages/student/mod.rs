//! A student's page: one timeline and the chain from need to outcome; a tab each for reviews, plan, services, family
//! and who sees what.

pub mod acts;
pub mod items;
pub mod other_acts;
pub mod parts;
pub mod plan;
pub mod plan_acts;
pub mod tab;
pub mod timeline;
pub mod view;
pub mod years;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::partners::v1::{ListConsentsRequest, ListPartnersRequest, ListReferralsRequest, SearchServicesRequest};
use proto::plans::v1::{
    GetPlanRequest, GetPlanResponse, ListAidsRequest, ListFollowUpsRequest, ListGroupsRequest, ListRatingsRequest, ListTransitionsRequest,
    SuggestPlanItemsRequest,
};
use proto::reviews::v1::{
    ClassReview, GetStudentReviewRequest, ListCaseAccessRequest, ListClassReviewsRequest, ListConcernsRequest, ListIndividualReviewsRequest,
    ListTierAssignmentsRequest, StudentReview,
};
use proto::rosters::v1::{GetStudentRequest, Student};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::lookup::school_year_of;
use crate::session::Caller;

use tab::Tab;
use view::Sources;

/// Who moves plans and enrolments and makes referrals. The services decide; this only leaves out forms they would refuse.
const MANAGERS: &[&str] = &["coordinator", "case_manager", "student_support_member"];
/// Earlier years that "show earlier years" asks for.
const EARLIER_YEARS: i32 = 5;
/// Class reviews of which a student's part is asked for.
const MOST_REVIEWS: usize = 6;

/// What of the timeline is shown.
#[derive(Debug, Default, Deserialize)]
pub struct PageQuery {
    #[serde(default)]
    show: String,
    #[serde(default)]
    years: String,
    /// School year of the plan; 0 for the latest.
    #[serde(default)]
    year: i32,
}

/// The overview.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>, Query(query): Query<PageQuery>) -> Result<Response, Fault> {
    show(&app, &caller, student_id, Tab::Overview, &query).await
}

/// The reviews.
pub async fn reviews(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, student_id, Tab::Reviews, &PageQuery::default()).await
}

/// The plan.
pub async fn plan(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>, Query(query): Query<PageQuery>) -> Result<Response, Fault> {
    show(&app, &caller, student_id, Tab::Plan, &query).await
}

/// Services.
pub async fn services(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, student_id, Tab::Services, &PageQuery::default()).await
}

/// The family.
pub async fn family(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, student_id, Tab::Family, &PageQuery::default()).await
}

/// Who sees what.
pub async fn access(State(app): State<Arc<Portal>>, caller: Caller, Path(student_id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, student_id, Tab::Access, &PageQuery::default()).await
}

/// The student's part in class reviews, newest first. A teacher asks for the own reviews, others for the school's.
async fn reviews_of(app: &Portal, caller: &Caller, student: &Student) -> Vec<(ClassReview, StudentReview)> {
    let school_id = if caller.works_by_school() { student.school_ids.first().cloned().unwrap_or_default() } else { String::new() };
    let request = ListClassReviewsRequest { school_id, page_size: 500, ..Default::default() };
    let Ok(answer) = app.clients.reviews(caller).list_class_reviews(request).await else { return Vec::new() };
    let mut classes = answer.into_inner().class_reviews;
    classes.retain(|class| student.class_ids.contains(&class.class_id));
    classes.sort_by_key(|class| std::cmp::Reverse(class.start_time.as_ref().map_or(0, |time| time.seconds)));
    let mut found = Vec::new();
    for class in classes.into_iter().take(MOST_REVIEWS) {
        let request = GetStudentReviewRequest { class_review_id: class.class_review_id.clone(), student_id: student.student_id.clone() };
        if let Ok(answer) = app.clients.reviews(caller).get_student_review(request).await
            && let Some(part) = answer.into_inner().student_review
        {
            found.push((class, part));
        }
    }
    found
}

/// Plans of earlier school years; those that are not there are left out.
async fn earlier_plans(app: &Portal, caller: &Caller, student_id: &str, latest: i32, years: i32) -> Vec<GetPlanResponse> {
    let mut found = Vec::new();
    for back in 1..=years {
        let request = GetPlanRequest { student_id: student_id.to_owned(), school_year: latest - back };
        if let Ok(answer) = app.clients.plans(caller).get_plan(request).await {
            found.push(answer.into_inner());
        }
    }
    found
}

/// The page. What one service does not give, because of the caller's role or because it is away, is left out or
/// said; only the student and the plan must be there.
async fn show(app: &Portal, caller: &Caller, student_id: Uuid, tab: Tab, query: &PageQuery) -> Result<Response, Fault> {
    let id = student_id.to_string();
    let mut rosters = app.clients.rosters(caller);
    let mut plans = app.clients.plans(caller);
    let mut reviews = app.clients.reviews(caller);
    let mut referrals = app.clients.referrals(caller);
    let mut consents = app.clients.referrals(caller);
    let mut partners = app.clients.directory(caller);
    let mut services = app.clients.directory(caller);
    let (student, plan, tiers, referrals, consents, partners, services, codes) = tokio::join!(
        rosters.get_student(GetStudentRequest { student_id: id.clone() }),
        plans.get_plan(GetPlanRequest { student_id: id.clone(), school_year: query.year }),
        reviews.list_tier_assignments(ListTierAssignmentsRequest { student_id: id.clone() }),
        referrals.list_referrals(ListReferralsRequest { student_id: id.clone(), page_size: 100, ..Default::default() }),
        consents.list_consents(ListConsentsRequest { student_id: id.clone() }),
        partners.list_partners(ListPartnersRequest { page_size: 500, ..Default::default() }),
        services.search_services(SearchServicesRequest { page_size: 100, ..Default::default() }),
        app.code_list_or_none(caller),
    );
    let student = student?.into_inner().student.ok_or_else(Fault::not_found)?;
    let plan = match plan.map_err(Fault::from) {
        Ok(answer) => Some(answer.into_inner()),
        Err(fault) if fault.status == axum::http::StatusCode::NOT_FOUND => None,
        Err(fault) => return Err(fault),
    };
    let assignments = tiers.map(|answer| answer.into_inner().assignments).unwrap_or_default();
    let plan = plan.unwrap_or_default();
    let today = crate::lookup::today();
    let mut sources = Sources {
        plan,
        assignments,
        referrals: referrals.map(|answer| answer.into_inner().referrals).unwrap_or_default(),
        consents: consents.map(|answer| answer.into_inner().consents).unwrap_or_default(),
        partners: partners.map(|answer| answer.into_inner().partners).unwrap_or_default(),
        services: services.map(|answer| answer.into_inner().services).unwrap_or_default(),
        codes,
        staff: HashMap::new(),
        writes: caller.has_any(&["teacher"]) || caller.has_any(MANAGERS),
        manages: caller.has_any(MANAGERS),
        refers: caller.has_any(MANAGERS),
        breaks_glass: caller.has_any(&["program_manager"]),
        today,
        plan_year_asked: tab == Tab::Plan && query.year != 0,
        ..Sources::default()
    };
    more(app, caller, &student, tab, query, &mut sources).await;
    let shell = Shell::of(caller, app.settings.notice(), Area::Students, student.display_name.clone());
    render(&view::page(shell, &student, tab, &sources))
}

/// What only some tabs need.
async fn more(app: &Portal, caller: &Caller, student: &Student, tab: Tab, query: &PageQuery, sources: &mut Sources) {
    let id = student.student_id.clone();
    let overview = tab == Tab::Overview;
    if overview || tab == Tab::Reviews {
        let mut concerns = app.clients.concerns(caller);
        let mut individual = app.clients.concerns(caller);
        let (parts, concerns, individual) = tokio::join!(
            reviews_of(app, caller, student),
            concerns.list_concerns(ListConcernsRequest { student_id: id.clone(), page_size: 200, ..Default::default() }),
            individual.list_individual_reviews(ListIndividualReviewsRequest { student_id: id.clone(), page_size: 100, ..Default::default() }),
        );
        sources.reviews = parts;
        sources.concerns = concerns.map(|answer| answer.into_inner().concerns).unwrap_or_default();
        sources.individual = individual.map(|answer| answer.into_inner().individual_reviews).unwrap_or_default();
    }
    if overview {
        let all = query.years == "all";
        sources.filter = query.show.clone();
        sources.all_years = all;
        let latest = sources.plan.plan.as_ref().map_or_else(|| school_year_of(&sources.today), |plan| plan.school_year);
        sources.earlier = earlier_plans(app, caller, &id, latest, if all { EARLIER_YEARS } else { 1 }).await;
    }
    if tab == Tab::Plan {
        let request = ListIndividualReviewsRequest { student_id: id.clone(), page_size: 100, ..Default::default() };
        sources.individual =
            app.clients.concerns(caller).list_individual_reviews(request).await.map(|answer| answer.into_inner().individual_reviews).unwrap_or_default();
    }
    if tab == Tab::Plan
        && query.year == 0
        && let Some(plan) = &sources.plan.plan
    {
        sources.earlier = earlier_plans(app, caller, &id, plan.school_year, 2).await;
    }
    if overview && sources.manages {
        let request = ListGroupsRequest { school_id: student.school_ids.first().cloned().unwrap_or_default(), page_size: 200, ..Default::default() };
        sources.groups = app.clients.deliveries(caller).list_groups(request).await.map(|answer| answer.into_inner().groups).unwrap_or_default();
    }
    if overview || tab == Tab::Services {
        let mut follow_ups = app.clients.follow_ups(caller);
        let mut ratings = app.clients.follow_ups(caller);
        let mut aids = app.clients.deliveries(caller);
        let mut transitions = app.clients.follow_ups(caller);
        let (follow_ups, ratings, aids, transitions) = tokio::join!(
            follow_ups.list_follow_ups(ListFollowUpsRequest { student_id: id.clone(), page_size: 200, ..Default::default() }),
            ratings.list_ratings(ListRatingsRequest { student_id: id.clone() }),
            aids.list_aids(ListAidsRequest { student_id: id.clone() }),
            transitions.list_transitions(ListTransitionsRequest { student_id: id.clone(), ..Default::default() }),
        );
        sources.follow_ups = follow_ups.map(|answer| answer.into_inner().follow_ups).unwrap_or_default();
        if let Ok(answer) = ratings {
            let answer = answer.into_inner();
            sources.ratings = answer.ratings;
            sources.rating_summaries = answer.summaries;
        }
        sources.aids = aids.map(|answer| answer.into_inner().aids).unwrap_or_default();
        sources.transitions = transitions.map(|answer| answer.into_inner().transitions).unwrap_or_default();
    }
    if overview || tab == Tab::Access {
        let request = ListCaseAccessRequest { student_id: id.clone(), page_size: 100, ..Default::default() };
        sources.access = app.clients.concerns(caller).list_case_access(request).await.ok().map(|answer| answer.into_inner().case_accesses);
    }
    if tab == Tab::Plan
        && sources.manages
        && let Some(plan) = &sources.plan.plan
    {
        let request = SuggestPlanItemsRequest { plan_id: plan.plan_id.clone() };
        sources.suggestions = app.clients.plans(caller).suggest_plan_items(request).await.map(|answer| answer.into_inner().suggestions).unwrap_or_default();
    }
    if matches!(tab, Tab::Plan | Tab::Access | Tab::Services) && sources.writes {
        let school_id = student.school_ids.first().cloned().unwrap_or_default();
        sources.colleagues = app.staff_choices(caller, &school_id).await;
    }
    if tab == Tab::Family && sources.manages {
        sources.schools = app.all_schools(caller).await.unwrap_or_default();
        sources.schools.retain(|school| !student.school_ids.contains(&school.school_id));
    }
    sources.staff = app.staff_names(caller, sources.staff_ids()).await;
}
