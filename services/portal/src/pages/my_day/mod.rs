//! My day: what the caller's students need today, the urgent first, each thing with one button.

pub mod view;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use proto::partners::v1::{ListReferralsRequest, ReferralState};
use proto::plans::v1::{
    EnrolmentState, ListEnrolmentsRequest, ListFollowUpsRequest, ListGroupsRequest, ListNotNoticedRequest, ListPlansRequest, ListTransitionsRequest,
};
use proto::reviews::v1::{ListCaseAccessRequest, ListClassReviewsRequest, ListConcernsRequest, ListIndividualReviewsRequest};

use crate::app::Portal;
use crate::auth::standing;
use crate::fault::{self, Fault};
use crate::frame::{Area, Shell, render};
use crate::lookup::{days_from_today, today};
use crate::session::Caller;

use view::Sources;

/// Starts this many days ahead are shown.
const STARTS_AHEAD: i64 = 7;

/// A part of the page that a service would not give: left out where it is not the caller's, named where it is away.
fn part<T: Default>(away: &mut Vec<&'static str>, what: &'static str, answer: Result<tonic::Response<T>, tonic::Status>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) => {
            if !matches!(status.code(), tonic::Code::PermissionDenied | tonic::Code::NotFound | tonic::Code::Unimplemented | tonic::Code::InvalidArgument) {
                away.push(what);
            }
            None
        }
    }
}

/// Sends everybody to what is theirs: staff to their day, partners to their referrals, leaders to their reports.
pub async fn home(State(app): State<Arc<Portal>>, caller: Caller) -> Result<Response, Fault> {
    if caller.sees_students() {
        day(&app, &caller).await
    } else if caller.is_partner() {
        Ok(Redirect::to("/referrals").into_response())
    } else if caller.sees_reports() {
        Ok(Redirect::to("/reports").into_response())
    } else if caller.roles.is_empty() {
        without_role(&app, &caller).await
    } else {
        let shell = Shell::of(&caller, app.settings.notice(), Area::Elsewhere, "Nothing here for your role yet");
        fault::note(shell, "Your role has no pages in this portal. What it does is done by the wraparound command and over gRPC.")
    }
}

/// Somebody whom a role may have been given since they signed in.
async fn without_role(app: &Portal, caller: &Caller) -> Result<Response, Fault> {
    let standing = standing::ask(&app.clients, &caller.token).await.ok_or_else(|| tonic::Status::unavailable("rosters does not say who this is"))?;
    if !standing.roles.is_empty() {
        app.sessions.stands(&caller.key, standing.roles, standing.school_ids);
        return Ok(Redirect::to("/").into_response());
    }
    let shell = Shell::of(caller, app.settings.notice(), Area::Elsewhere, "You have no role here yet");
    fault::note(
        shell,
        "Your sign-in worked, but Wraparound does not know what you do in the district, so it shows you nothing. Ask the people who keep \
         the district’s accounts to put you into the group for your work, or your school’s office to see that the roster has you with the \
         account that you signed in with. Then load this page again; after a change of groups, sign out and in.",
    )
}

async fn day(app: &Portal, caller: &Caller) -> Result<Response, Fault> {
    let today = today();
    let schools = if caller.works_by_school() { app.schools(caller).await.unwrap_or_default() } else { Vec::new() };
    let school_id = schools.first().map(|school| school.school_id.clone()).unwrap_or_default();
    let cycle = app.cycle(caller).await.ok().flatten();
    let mut concerns = app.clients.concerns(caller);
    let mut individual = app.clients.concerns(caller);
    let mut access = app.clients.concerns(caller);
    let mut follow_ups = app.clients.follow_ups(caller);
    let mut transitions = app.clients.follow_ups(caller);
    let mut unnoticed = app.clients.follow_ups(caller);
    let mut enrolments = app.clients.deliveries(caller);
    let mut active = app.clients.deliveries(caller);
    let mut groups = app.clients.deliveries(caller);
    let mut referrals = app.clients.referrals(caller);
    let mut plans = app.clients.plans(caller);
    let mut reviews = app.clients.reviews(caller);
    let answers = tokio::join!(
        concerns.list_concerns(ListConcernsRequest { open_only: true, page_size: 100, ..Default::default() }),
        follow_ups.list_follow_ups(ListFollowUpsRequest { mine: true, open_only: true, due_until: days_from_today(1), page_size: 100, ..Default::default() }),
        referrals.list_referrals(ListReferralsRequest {
            school_id: school_id.clone(),
            states: vec![ReferralState::Sent.into(), ReferralState::Received.into()],
            page_size: 200,
            ..Default::default()
        }),
        enrolments.list_enrolments(ListEnrolmentsRequest {
            states: vec![EnrolmentState::Accepted.into()],
            starts_until: days_from_today(STARTS_AHEAD),
            page_size: 100,
            ..Default::default()
        }),
        active.list_enrolments(ListEnrolmentsRequest { states: vec![EnrolmentState::Active.into()], page_size: 200, ..Default::default() }),
        unnoticed.list_not_noticed(ListNotNoticedRequest { school_days: 60, page_size: 50, ..Default::default() }),
        access.list_case_access(ListCaseAccessRequest { school_id: school_id.clone(), active_only: true, page_size: 50, ..Default::default() }),
        transitions.list_transitions(ListTransitionsRequest { open_only: true, ..Default::default() }),
        individual.list_individual_reviews(ListIndividualReviewsRequest { open_only: true, page_size: 50, ..Default::default() }),
        groups.list_groups(ListGroupsRequest { page_size: 100, ..Default::default() }),
        plans.list_plans(ListPlansRequest { page_size: 500, ..Default::default() }),
        reviews.list_class_reviews(ListClassReviewsRequest {
            review_cycle_id: cycle.as_ref().map(|cycle| cycle.review_cycle_id.clone()).unwrap_or_default(),
            school_id: school_id.clone(),
            page_size: 500,
            ..Default::default()
        }),
    );
    let mut away = Vec::new();
    let concerns = part(&mut away, "concerns", answers.0).map(|answer| answer.concerns);
    let follow_ups = part(&mut away, "follow-ups", answers.1).map(|answer| answer.follow_ups);
    let referrals = part(&mut away, "referrals", answers.2).map(|answer| answer.referrals);
    let starts = part(&mut away, "starts", answers.3).map(|answer| answer.enrolments);
    let active = part(&mut away, "no-shows", answers.4).map(|answer| answer.enrolments);
    let not_noticed = part(&mut away, "students not noticed", answers.5).map(|answer| answer.students);
    let accesses = if school_id.is_empty() { None } else { part(&mut away, "alerts", answers.6).map(|answer| answer.case_accesses) };
    let transitions = part(&mut away, "hand-overs", answers.7).map(|answer| answer.transitions);
    let individual = part(&mut away, "student reviews", answers.8).map(|answer| answer.individual_reviews);
    let groups = part(&mut away, "groups", answers.9).map(|answer| answer.groups);
    let plans = part(&mut away, "plans", answers.10).map(|answer| answer.plans).unwrap_or_default();
    let class_reviews = part(&mut away, "class reviews", answers.11).map(|answer| answer.class_reviews).unwrap_or_default();
    let mut ids = Vec::new();
    ids.extend(concerns.iter().flatten().map(|one| one.student_id.clone()));
    ids.extend(follow_ups.iter().flatten().map(|one| one.student_id.clone()));
    ids.extend(referrals.iter().flatten().map(|one| one.student_id.clone()));
    ids.extend(starts.iter().chain(&active).flatten().map(|one| one.student_id.clone()));
    ids.extend(not_noticed.iter().flatten().map(|one| one.student_id.clone()));
    ids.extend(accesses.iter().flatten().map(|one| one.student_id.clone()));
    ids.extend(transitions.iter().flatten().map(|one| one.student_id.clone()));
    ids.extend(individual.iter().flatten().map(|one| one.student_id.clone()));
    let students = app.student_names(caller, ids).await;
    let mut staff = Vec::new();
    staff.extend(concerns.iter().flatten().map(|one| one.raised_by.clone()));
    staff.extend(follow_ups.iter().flatten().map(|one| one.owner_id.clone()));
    staff.extend(accesses.iter().flatten().map(|one| one.staff_id.clone()));
    let staff = app.staff_names(caller, staff).await;
    let codes = app.code_list_or_none(caller).await;
    let partners = app.clients.directory(caller).list_partners(proto::partners::v1::ListPartnersRequest { page_size: 500, ..Default::default() }).await;
    let sources = Sources {
        concerns,
        follow_ups,
        referrals,
        starts,
        active,
        not_noticed,
        accesses,
        transitions,
        individual,
        groups,
        plans,
        class_reviews,
        cycle,
        students,
        staff,
        codes,
        partners: partners
            .map(|answer| answer.into_inner().partners.into_iter().map(|partner| (partner.partner_id, partner.name)).collect())
            .unwrap_or_default(),
        colleagues: if school_id.is_empty() { Vec::new() } else { app.staff_choices(caller, &school_id).await },
        manages: caller.has_any(&["coordinator", "case_manager", "student_support_member"]),
        away,
        today,
    };
    let shell = Shell::of(caller, app.settings.notice(), Area::MyDay, "My day");
    render(&view::page(shell, &caller.name, &sources))
}
