//! What can be done on the plan's tab. Each form sends one command and comes back with what was done.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use proto::plans::v1::{
    CarryOverPlanRequest, CheckIn, CheckInNote, Commitment, FamilyAnswer, FamilyResponse, GetPlanRequest, GetPlanResponse, Goal, GoalMeasure, PlanItem,
    ProgressPoint, PutCheckInRequest, PutCommitmentRequest, PutGoalRequest, RecordCheckInRequest, RecordFamilyResponseRequest, RecordProgressRequest,
    TransitionGoalRequest, TrustedAdult, UpdatePlanItemRequest, UpdatePlanRequest, WarmHandoff,
};
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::said::Said;

use super::acts::owner_of;

fn tab(student_id: Uuid) -> String {
    format!("/students/{student_id}/plan")
}

/// The plan that the form is about.
async fn plan_of(app: &Portal, post: &Post, student_id: Uuid) -> Result<GetPlanResponse, Fault> {
    let request = GetPlanRequest { student_id: student_id.to_string(), school_year: post.small("plan_year") };
    Ok(app.clients.plans(&post.caller).get_plan(request).await?.into_inner())
}

/// Writes a part of the header. What the form does not hold stays; the version of the form is the one that counts.
pub async fn header(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let plan = plan_of(&app, &post, student_id).await?.plan.ok_or_else(Fault::not_found)?;
    let mut request = UpdatePlanRequest {
        plan_id: plan.plan_id,
        lead_id: plan.lead_id,
        contributor_ids: plan.contributor_ids,
        trusted_adults: plan.trusted_adults,
        family_words: plan.family_words,
        family_words_by: plan.family_words_by,
        next_look_on: plan.next_look_on,
        languages: plan.languages,
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let said = match post.text("part") {
        "adult" => {
            let adult =
                TrustedAdult { staff_id: post.text("staff_id").to_owned(), relation: post.text("relation").to_owned(), note: post.text("note").to_owned() };
            if adult.staff_id.is_empty() && adult.relation.is_empty() {
                return Err(Fault::refused("Choose a member of staff, or say who it is."));
            }
            request.trusted_adults.push(adult);
            "A trusted adult is added."
        }
        "remove_adult" => {
            let at = usize::try_from(post.number("at")).unwrap_or(usize::MAX);
            if at >= request.trusted_adults.len() {
                return Err(Fault::not_found());
            }
            request.trusted_adults.remove(at);
            "A trusted adult is taken off."
        }
        _ => {
            request.lead_id = post.text("lead_id").to_owned();
            request.family_words = post.text("family_words").to_owned();
            request.family_words_by = post.text("family_words_by").to_owned();
            request.next_look_on = post.text("next_look_on").to_owned();
            request.languages = post.text("languages").split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
            "The plan is saved."
        }
    };
    app.clients.plans(&post.caller).update_plan(request).await?;
    app.done(&post, &tab(student_id), Said::plain(said))
}

/// Records what the family answered.
pub async fn answer(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let response = FamilyResponse::from_str_name(&format!("FAMILY_RESPONSE_{}", post.text("response").to_uppercase())).unwrap_or(FamilyResponse::Unspecified);
    let request = RecordFamilyResponseRequest {
        plan_id: post.text("plan_id").to_owned(),
        answer: Some(FamilyAnswer {
            response: response.into(),
            answered_on: post.text("answered_on").to_owned(),
            channel: post.text("channel").to_owned(),
            language: post.text("language").to_owned(),
            interpreter: post.ticked("interpreter"),
            words: post.text("words").to_owned(),
            ..Default::default()
        }),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.plans(&post.caller).record_family_response(request).await?;
    app.done(&post, &tab(student_id), Said::plain(format!("Noted: {}.", crate::words::within(super::plan::family_response(response)))))
}

/// Takes the plan into the next school year: a draft with the needs that are still open.
pub async fn carry_over(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = CarryOverPlanRequest { plan_id: post.text("plan_id").to_owned(), school_year: post.small("plan_year") + 1, request_id: post.request_id() };
    let next = app.clients.plans(&post.caller).carry_over_plan(request).await?.into_inner().plan.unwrap_or_default();
    let words = format!("The draft for {} is there, with the needs that are still open.", crate::words::school_year(next.school_year));
    app.done(&post, &tab(student_id), Said::plain(words))
}

/// Adds a goal.
pub async fn add_goal(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let measure = GoalMeasure::from_str_name(&format!("GOAL_MEASURE_{}", post.text("measure").to_uppercase())).unwrap_or(GoalMeasure::Unspecified);
    let number = |name: &str, words: &str| {
        post.decimal(name).ok_or_else(|| Fault::refused(format!("Give {words} as a number, such as 3 or 92.5; what it counts goes into the unit.")))
    };
    let unit = post.text("unit").to_owned();
    let domain = crate::words::DOMAINS.iter().find(|domain| domain.class == post.text("domain")).map(|domain| domain.domain.into()).unwrap_or_default();
    let goal = Goal {
        goal_id: post.id_or_new("goal_id"),
        plan_id: post.text("plan_id").to_owned(),
        need_ids: post.all("need_id"),
        domain,
        description: post.text("description").to_owned(),
        measure: measure.into(),
        baseline: number("baseline", "where it stands now")?,
        target: number("target", "the target")?,
        on_scale: unit.is_empty(),
        unit,
        starts_on: post.text("starts_on").to_owned(),
        target_on: post.text("target_on").to_owned(),
        ..Default::default()
    };
    app.clients.plans(&post.caller).put_goal(PutGoalRequest { goal: Some(goal), expected_version: 0, request_id: post.request_id() }).await?;
    app.done(&post, &tab(student_id), Said::plain("The goal is added."))
}

/// Ends a goal or opens it again.
pub async fn move_goal(State(app): State<Arc<Portal>>, Path((student_id, goal_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let request = TransitionGoalRequest {
        goal_id: goal_id.to_string(),
        transition: post.text("transition").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let reopened = request.transition == "reopen";
    let goal = app.clients.plans(&post.caller).transition_goal(request).await?.into_inner().goal.unwrap_or_default();
    let said = if reopened {
        Said::plain("The goal is open again.")
    } else {
        let fields = vec![("transition", "reopen".to_owned()), ("version", goal.version.to_string()), ("to", post.back(&tab(student_id)))];
        Said::with_undo("The goal is ended.", format!("/students/{student_id}/goals/{goal_id}"), fields)
    };
    app.done(&post, &tab(student_id), said)
}

/// Adds a progress point.
pub async fn progress(State(app): State<Arc<Portal>>, Path((student_id, goal_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let value = post.decimal("value").ok_or_else(|| Fault::refused("Give the progress as a number."))?;
    let point = ProgressPoint {
        progress_id: post.id_or_new("progress_id"),
        observed_on: post.text("observed_on").to_owned(),
        value,
        note: post.text("note").to_owned(),
        ..Default::default()
    };
    let request = RecordProgressRequest { goal_id: goal_id.to_string(), point: Some(point), request_id: post.request_id() };
    app.clients.plans(&post.caller).record_progress(request).await?;
    app.done(&post, &tab(student_id), Said::plain("The progress is noted."))
}

/// Changes an item's owner, first step, day and what it waits for; all else stays.
pub async fn item_details(State(app): State<Arc<Portal>>, Path((student_id, item_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let answer = plan_of(&app, &post, student_id).await?;
    let held = answer.items.into_iter().find(|item| item.plan_item_id == item_id.to_string()).ok_or_else(Fault::not_found)?;
    let handoff = WarmHandoff::from_str_name(&format!("WARM_HANDOFF_{}", post.text("warm_handoff").to_uppercase())).unwrap_or(WarmHandoff::Unspecified);
    let item = PlanItem {
        owner: owner_of(post.text("owner")).into(),
        first_step_owner: owner_of(post.text("first_step_owner")).into(),
        warm_handoff: handoff.into(),
        due_on: post.text("due_on").to_owned(),
        depends_on_item_ids: post.all("depends_on"),
        ..held
    };
    let request = UpdatePlanItemRequest { item: Some(item), expected_version: post.number("version"), request_id: post.request_id() };
    app.clients.plans(&post.caller).update_plan_item(request).await?;
    app.done(&post, &tab(student_id), Said::plain("The item is saved."))
}

/// Adds a regular check-in.
pub async fn add_check_in(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let check_in = CheckIn {
        check_in_id: post.id_or_new("check_in_id"),
        plan_id: post.text("plan_id").to_owned(),
        staff_id: post.text("staff_id").to_owned(),
        with: post.text("with").to_owned(),
        every_weeks: post.small("every_weeks"),
        weekday: post.small("weekday"),
        about: post.text("about").to_owned(),
        starts_on: post.text("starts_on").to_owned(),
        ends_on: post.text("ends_on").to_owned(),
        ..Default::default()
    };
    app.clients.plans(&post.caller).put_check_in(PutCheckInRequest { check_in: Some(check_in), expected_version: 0, request_id: post.request_id() }).await?;
    app.done(&post, &tab(student_id), Said::plain("The check-in is set."))
}

/// Notes a check-in.
pub async fn note_check_in(State(app): State<Arc<Portal>>, Path((student_id, check_in_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let note = CheckInNote {
        note_id: post.id_or_new("note_id"),
        on_date: post.text("on_date").to_owned(),
        happened: post.text("happened") != "no",
        from_staff: post.text("from_staff").to_owned(),
        from_family: post.text("from_family").to_owned(),
        ..Default::default()
    };
    let request = RecordCheckInRequest { check_in_id: check_in_id.to_string(), note: Some(note), request_id: post.request_id() };
    app.clients.plans(&post.caller).record_check_in(request).await?;
    app.done(&post, &tab(student_id), Said::plain("The check-in is noted."))
}

/// Adds what one side promises.
pub async fn add_commitment(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let by = owner_of(post.text("by"));
    let commitment = Commitment {
        commitment_id: post.id_or_new("commitment_id"),
        plan_id: post.text("plan_id").to_owned(),
        by: by.into(),
        staff_id: if by == proto::plans::v1::OwnerKind::Staff { post.text("staff_id").to_owned() } else { String::new() },
        text: post.text("text").to_owned(),
        due_on: post.text("due_on").to_owned(),
        ..Default::default()
    };
    let request = PutCommitmentRequest { commitment: Some(commitment), expected_version: 0, request_id: post.request_id() };
    app.clients.plans(&post.caller).put_commitment(request).await?;
    app.done(&post, &tab(student_id), Said::plain("The promise is noted."))
}

/// Says what became of a promise.
pub async fn move_commitment(State(app): State<Arc<Portal>>, Path((student_id, commitment_id)): Path<(Uuid, Uuid)>, post: Post) -> Result<Response, Fault> {
    let answer = plan_of(&app, &post, student_id).await?;
    let held = answer.commitments.into_iter().find(|one| one.commitment_id == commitment_id.to_string()).ok_or_else(Fault::not_found)?;
    let before = if held.state.is_empty() { "open".to_owned() } else { held.state.clone() };
    let commitment = Commitment { state: post.text("state").to_owned(), ..held };
    let request = PutCommitmentRequest { commitment: Some(commitment), expected_version: post.number("version"), request_id: post.request_id() };
    let moved = app.clients.plans(&post.caller).put_commitment(request).await?.into_inner().commitment.unwrap_or_default();
    let fields = vec![("state", before), ("version", moved.version.to_string()), ("to", post.back(&tab(student_id)))];
    app.done(&post, &tab(student_id), Said::with_undo("The promise is updated.", format!("/students/{student_id}/commitments/{commitment_id}"), fields))
}
