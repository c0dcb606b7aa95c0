//! Follow-ups: what is due, done, put off or handed on, each with one button and a way back.

pub mod view;
pub mod words;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::plans::v1::{FollowUp, ListFollowUpsRequest, NudgeFollowUpRequest, RaiseFollowUpRequest, TransitionFollowUpRequest};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Area, Shell, render};
use crate::lookup::{days_from_today, today};
use crate::said::Said;
use crate::session::Caller;

use view::{Around, FollowUpPage, line};

/// Which follow-ups to show.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    show: String,
    #[serde(default)]
    all: String,
}

/// The list.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response, Fault> {
    let by_school = caller.works_by_school();
    let of_school = by_school && query.show == "school";
    let school_id = if by_school { app.schools(&caller).await?.first().map(|school| school.school_id.clone()).unwrap_or_default() } else { String::new() };
    let all = query.all == "yes";
    let request = ListFollowUpsRequest {
        school_id: if of_school { school_id.clone() } else { String::new() },
        mine: !of_school,
        open_only: !all,
        page_size: 200,
        ..Default::default()
    };
    let answer = app.clients.follow_ups(&caller).list_follow_ups(request).await?.into_inner();
    let students = app.student_names(&caller, answer.follow_ups.iter().map(|one| one.student_id.clone())).await;
    let staff = app.staff_names(&caller, answer.follow_ups.iter().flat_map(|one| [one.owner_id.clone(), one.closed_by.clone()]).collect()).await;
    let around = Around { students: &students, staff: &staff, today: &today() };
    let show = if of_school { "school" } else { "mine" };
    let page = FollowUpPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::MyDay, "Follow-ups"),
        here: format!("/follow-ups?show={show}{}", if all { "&all=yes" } else { "" }),
        lines: answer.follow_ups.iter().map(|one| line(one, &around)).collect(),
        colleagues: if school_id.is_empty() { Vec::new() } else { app.staff_choices(&caller, &school_id).await },
        show: show.to_owned(),
        by_school,
        all,
        next_week: days_from_today(7),
        tomorrow: days_from_today(1),
        basis: crate::words::basis(&answer.access_basis),
    };
    render(&page)
}

/// Moves one: done, put off, handed on, not needed, open again.
pub async fn transition(State(app): State<Arc<Portal>>, Path(follow_up_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let transition = post.text("transition").to_owned();
    let request = TransitionFollowUpRequest {
        follow_up_id: follow_up_id.to_string(),
        result: if transition != "done" {
            String::new()
        } else if post.text("result").is_empty() {
            "done".to_owned()
        } else {
            post.text("result").to_owned()
        },
        note: if matches!(transition.as_str(), "done" | "cancel") { post.text("note").to_owned() } else { String::new() },
        due_on: if transition == "snooze" { post.text("due_on").to_owned() } else { String::new() },
        owner_id: if transition == "reassign" { post.text("owner_id").to_owned() } else { String::new() },
        expected_version: post.number("version"),
        request_id: post.request_id(),
        transition,
    };
    let moved = app.clients.follow_ups(&post.caller).transition_follow_up(request.clone()).await?.into_inner().follow_up.unwrap_or_default();
    let (words, undo) = match request.transition.as_str() {
        "done" => ("Done. Whoever raised it is told.".to_owned(), true),
        "snooze" => (format!("Put off until {}.", crate::words::day(&moved.due_on)), true),
        "reassign" => ("Handed on.".to_owned(), false),
        "cancel" => ("Marked as not needed.".to_owned(), true),
        _ => ("It is open again.".to_owned(), false),
    };
    let back = post.back("/follow-ups");
    let said = if undo {
        let fields = vec![("transition", "reopen".to_owned()), ("version", moved.version.to_string()), ("to", back)];
        Said::with_undo(words, format!("/follow-ups/{follow_up_id}"), fields)
    } else {
        Said::plain(words)
    };
    app.done(&post, "/follow-ups", said)
}

/// Reminds the owner.
pub async fn nudge(State(app): State<Arc<Portal>>, Path(follow_up_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = NudgeFollowUpRequest { follow_up_id: follow_up_id.to_string(), request_id: post.request_id() };
    app.clients.follow_ups(&post.caller).nudge_follow_up(request).await?;
    app.done(&post, "/follow-ups", Said::plain("A reminder was sent. The next one can go out in a week."))
}

/// Raises one by hand.
pub async fn raise(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    // The subject is sent as "kind:id"; without one it is about the family.
    let (subject, subject_id) = post.text("subject").split_once(':').unwrap_or(("family", ""));
    let follow_up = FollowUp {
        follow_up_id: post.id_or_new("follow_up_id"),
        student_id: student_id.to_string(),
        subject: words::subject_of(subject).into(),
        subject_id: if subject_id.is_empty() { student_id.to_string() } else { subject_id.to_owned() },
        kind: words::kind_of(post.text("kind")).into(),
        due_on: post.text("due_on").to_owned(),
        owner_id: post.text("owner_id").to_owned(),
        note: post.text("note").to_owned(),
        ..Default::default()
    };
    let due = crate::words::day(&follow_up.due_on);
    app.clients.follow_ups(&post.caller).raise_follow_up(RaiseFollowUpRequest { follow_up: Some(follow_up), request_id: post.request_id() }).await?;
    app.done(&post, &format!("/students/{student_id}"), Said::plain(format!("A follow-up is due on {due}.")))
}
