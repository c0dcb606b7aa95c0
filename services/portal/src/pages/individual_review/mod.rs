//! Individual student reviews: from the proposal to the second look, and the recap of the meeting to print.

pub mod view;
pub mod words;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::reviews::v1::{
    DecideIndividualReviewRequest, Decision, DecisionOutcome, DeclineIndividualReviewRequest, FamilyInvitation, Finding, GetIndividualReviewRequest,
    HoldIndividualReviewRequest, IndividualReviewState, ListIndividualReviewsRequest, PrepareIndividualReviewRequest, ReviewIndividualReviewRequest,
    ScheduleIndividualReviewRequest, SuspendIndividualReviewRequest, TeamMember,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Area, Shell, render};
use crate::lookup::today;
use crate::said::Said;
use crate::session::Caller;

use view::{Around, ListPage, line};

/// Who moves reviews. The services decide; this only leaves out forms they would refuse.
const MOVERS: &[&str] = &["coordinator", "case_manager", "student_support_member", "principal", "assistant_principal", "counsellor"];

/// Which reviews to show.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    all: String,
}

/// The list.
pub async fn list(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response, Fault> {
    let all = query.all == "yes";
    let request = ListIndividualReviewsRequest { open_only: !all, page_size: 200, ..Default::default() };
    let answer = app.clients.concerns(&caller).list_individual_reviews(request).await?.into_inner();
    let students = app.student_names(&caller, answer.individual_reviews.iter().map(|one| one.student_id.clone())).await;
    render(&ListPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::MyDay, "Individual student reviews"),
        lines: answer.individual_reviews.iter().map(|one| line(one, &students)).collect(),
        all,
        basis: crate::words::basis(&answer.access_basis),
    })
}

/// One review. Right after an act on it, it stays open for the next step of the same meeting.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, id, caller.said.is_some(), false).await
}

/// Opens its content. A post, because the service records who reads it.
pub async fn open(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    show(&app, &post.caller, id, true, post.text("recap") == "yes").await
}

/// The recap of the meeting, for one sheet of paper.
pub async fn recap(State(app): State<Arc<Portal>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response, Fault> {
    show(&app, &caller, id, false, true).await
}

async fn show(app: &Portal, caller: &Caller, id: Uuid, opened: bool, recap: bool) -> Result<Response, Fault> {
    let request = GetIndividualReviewRequest { individual_review_id: id.to_string() };
    let answer = app.clients.concerns(caller).get_individual_review(request).await?.into_inner();
    let review = answer.individual_review.ok_or_else(Fault::not_found)?;
    let students = app.student_names(caller, [review.student_id.clone()]).await;
    let ids = review.team.iter().map(|member| member.staff_id.clone()).chain(review.decisions.iter().map(|one| one.owner_id.clone())).collect();
    let staff = app.staff_names(caller, ids).await;
    let acts = caller.has_any(MOVERS);
    let around = Around {
        students: &students,
        staff: &staff,
        colleagues: if acts && !recap { app.staff_choices(caller, &review.school_id).await } else { Vec::new() },
        today: today(),
        acts,
        opened,
    };
    let title = format!("{} {}", if recap { "Recap: student review of" } else { "Student review of" }, crate::lookup::name_in(&students, &review.student_id));
    let shell = Shell::of(caller, app.settings.notice(), Area::Students, title);
    render(&view::page(shell, &review, &answer.access_basis, recap, around))
}

fn done(app: &Portal, post: &Post, id: Uuid, words: &str) -> Result<Response, Fault> {
    app.done(post, &format!("/individual-reviews/{id}"), Said::plain(words))
}

/// Not needed: a reason, and a second person who agrees.
pub async fn decline(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = DeclineIndividualReviewRequest {
        individual_review_id: id.to_string(),
        reason: post.text("reason").to_owned(),
        seconded_by: post.text("seconded_by").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).decline_individual_review(request).await?;
    done(&app, &post, id, "Noted as not needed, with the second person who agrees.")
}

/// Names the team.
pub async fn prepare(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let team = (0..6)
        .filter_map(|at| {
            let staff_id = post.text(&format!("staff-{at}")).to_owned();
            (!staff_id.is_empty()).then(|| TeamMember { staff_id, role: post.text(&format!("role-{at}")).to_owned(), ..Default::default() })
        })
        .collect::<Vec<_>>();
    let request = PrepareIndividualReviewRequest {
        individual_review_id: id.to_string(),
        lead_id: team.first().map(|member| member.staff_id.clone()).unwrap_or_default(),
        team,
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).prepare_individual_review(request).await?;
    done(&app, &post, id, "The team is named. Set the date next.")
}

/// Sets the date, with the family's invitation or why there is none.
pub async fn schedule(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let why_not = post.text("not_invited").to_owned();
    let invitation = if why_not.is_empty() {
        FamilyInvitation {
            channel: post.text("channel").to_owned(),
            language: post.text("language").to_owned(),
            interpreter: post.ticked("interpreter"),
            sent_on: post.text("sent_on").to_owned(),
            not_invited_reason: String::new(),
        }
    } else {
        FamilyInvitation { not_invited_reason: why_not, ..Default::default() }
    };
    let request = ScheduleIndividualReviewRequest {
        individual_review_id: id.to_string(),
        meets_on: post.text("meets_on").to_owned(),
        invitation: Some(invitation),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).schedule_individual_review(request).await?;
    done(&app, &post, id, "The date is set.")
}

/// The meeting was held.
pub async fn hold(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = HoldIndividualReviewRequest {
        individual_review_id: id.to_string(),
        attended_staff_ids: post.all("attended"),
        family_voice: words::voice_of(post.text("voice")).into(),
        family_words: post.text("family_words").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).hold_individual_review(request).await?;
    done(&app, &post, id, "The meeting is noted. Write down what was decided next.")
}

/// Findings and decisions.
pub async fn decide(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = GetIndividualReviewRequest { individual_review_id: id.to_string() };
    let held = app.clients.concerns(&post.caller).get_individual_review(request).await?.into_inner().individual_review.ok_or_else(Fault::not_found)?;
    let findings = crate::words::DOMAINS
        .into_iter()
        .filter_map(|domain| {
            let text = post.text(&format!("finding-{}", domain.class)).to_owned();
            (!text.is_empty()).then(|| Finding { domain: domain.domain.into(), text })
        })
        .collect();
    let mut decisions = held.decisions;
    decisions.extend((0..3).filter_map(|at| {
        let field = |name: &str| post.text(&format!("{name}-{at}")).to_owned();
        (!field("text").is_empty()).then(|| Decision {
            decision_id: post.id_or_new(&format!("decision-{at}")),
            text: field("text"),
            item_kind: field("kind"),
            owner: field("owner"),
            owner_id: if field("owner") == "staff" { field("staff") } else { String::new() },
            due_on: field("due"),
            ..Default::default()
        })
    }));
    let request = DecideIndividualReviewRequest {
        individual_review_id: id.to_string(),
        findings,
        decisions,
        review_on: post.text("review_on").to_owned(),
        family_words: post.text("family_words").to_owned(),
        agreed_staff_ids: post.all("agreed"),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).decide_individual_review(request).await?;
    done(&app, &post, id, "Decided. The decisions are in the plan, and the second look is on the list.")
}

/// Looks again.
pub async fn look_again(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let outcomes = post
        .all("decision_id")
        .into_iter()
        .filter_map(|decision_id| {
            let outcome = post.text(&format!("outcome-{decision_id}")).to_owned();
            let note = post.text(&format!("note-{decision_id}")).to_owned();
            (!outcome.is_empty()).then_some(DecisionOutcome { decision_id, outcome, note })
        })
        .collect();
    let close = post.text("act") == "close";
    let request = ReviewIndividualReviewRequest {
        individual_review_id: id.to_string(),
        outcomes,
        close,
        reason: post.text("reason").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    app.clients.concerns(&post.caller).review_individual_review(request).await?;
    done(&app, &post, id, if close { "The review is closed." } else { "Looked at again. Decide what goes on." })
}

/// Puts it on hold, or goes on.
pub async fn suspend(State(app): State<Arc<Portal>>, Path(id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let suspend = post.text("act") != "resume";
    let request = SuspendIndividualReviewRequest {
        individual_review_id: id.to_string(),
        suspend,
        reason: post.text("reason").to_owned(),
        look_again_on: post.text("look_again_on").to_owned(),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let moved = app.clients.concerns(&post.caller).suspend_individual_review(request).await?.into_inner().individual_review.unwrap_or_default();
    if moved.state() == IndividualReviewState::OnHold {
        let path = format!("/individual-reviews/{id}");
        let fields = vec![("act", "resume".to_owned()), ("version", moved.version.to_string()), ("to", path.clone())];
        return app.done(&post, &path, Said::with_undo("It is on hold.", format!("{path}/suspend"), fields));
    }
    done(&app, &post, id, "It goes on where it was.")
}
