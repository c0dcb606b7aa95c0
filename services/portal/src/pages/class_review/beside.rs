//! Beside the review: what is in place now, the last tier, open concerns. For context; none of it moves the tier.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use proto::plans::v1::{GetPlanRequest, PlanItem, PlanItemState};
use proto::reviews::v1::{ConcernState, ListConcernsRequest, ListTierAssignmentsRequest};

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::render;
use crate::lookup::service_category_label;
use crate::session::Caller;
use crate::words;

use super::{At, fresh};

#[derive(Template)]
#[template(path = "class_review/beside.html")]
struct Beside {
    student_id: String,
    in_place: Vec<String>,
    arranging: usize,
    last: String,
    concerns: Option<usize>,
}

/// What stands beside one student. What the caller may not ask for is left out.
pub async fn part(State(app): State<Arc<Portal>>, caller: Caller, Path(at): Path<At>) -> Result<Response, Fault> {
    // Only for students of a review that the caller works on.
    fresh(&app, &caller, &at).await?;
    let student_id = at.student_id.to_string();
    let (mut plans, mut reviews, mut concerns) = (app.clients.plans(&caller), app.clients.reviews(&caller), app.clients.concerns(&caller));
    let (plan, tiers, concerns) = tokio::join!(
        plans.get_plan(GetPlanRequest { student_id: student_id.clone(), ..Default::default() }),
        reviews.list_tier_assignments(ListTierAssignmentsRequest { student_id: student_id.clone() }),
        concerns.list_concerns(ListConcernsRequest { student_id: student_id.clone(), open_only: true, page_size: 50, ..Default::default() }),
    );
    let items = plan.map(|answer| answer.into_inner().items).unwrap_or_default();
    let last = tiers.ok().and_then(|answer| answer.into_inner().assignments.into_iter().next());
    render(&Beside {
        in_place: items.iter().filter(|item| item.state() == PlanItemState::InPlace).map(words_of).collect(),
        arranging: items.iter().filter(|item| matches!(item.state(), PlanItemState::Planned | PlanItemState::Arranging)).count(),
        last: last.and_then(|last| Some(format!("{}: {}", words::day_of(last.effective_time.as_ref()), words::tier(last.tier())?.words))).unwrap_or_default(),
        concerns: concerns.ok().map(|answer| answer.into_inner().concerns.iter().filter(|concern| concern.state() != ConcernState::Closed).count()),
        student_id,
    })
}

/// The category says enough on a screen that others may see; an item's own words may tell more.
fn words_of(item: &PlanItem) -> String {
    if item.service_category.is_empty() {
        words::label(words::ITEM_KINDS, item.kind().as_str_name().trim_start_matches("PLAN_ITEM_KIND_").to_lowercase().as_str())
    } else {
        service_category_label(&item.service_category)
    }
}
