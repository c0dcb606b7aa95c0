//! The September list: who needs attention when the year begins, and whether somebody has been in touch.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::plans::v1::{ListSeptemberRequest, MarkSeptemberRequest};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::Post;
use crate::frame::{Area, Shell, render};
use crate::lookup::name_in;
use crate::said::Said;
use crate::session::Caller;
use crate::words;

/// A student on the list.
pub struct Line {
    /// Student.
    pub student_id: String,
    /// Name.
    pub who: String,
    /// Why.
    pub because: &'static str,
    /// What to know.
    pub note: String,
    /// Contacted when and by whom; empty while open.
    pub contacted: String,
    /// Needs attention.
    pub attention: bool,
    /// School year.
    pub school_year: i32,
    /// For the next write.
    pub version: i64,
}

#[derive(Template)]
#[template(path = "september/page.html")]
struct SeptemberPage {
    shell: Shell,
    here: String,
    lines: Vec<Line>,
    open: usize,
    all: bool,
    basis: String,
}

/// Which students.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    all: String,
}

/// The list.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response, Fault> {
    let all = query.all == "yes";
    let answer = app.clients.follow_ups(&caller).list_september(ListSeptemberRequest { open_only: !all, ..Default::default() }).await?.into_inner();
    let students = app.student_names(&caller, answer.entries.iter().map(|one| one.student_id.clone())).await;
    let staff = app.staff_names(&caller, answer.entries.iter().map(|one| one.contacted_by.clone()).collect()).await;
    let mut lines: Vec<Line> = answer
        .entries
        .iter()
        .map(|one| Line {
            student_id: one.student_id.clone(),
            who: name_in(&students, &one.student_id),
            because: match one.because.as_str() {
                "tier_3" => "gets most support",
                "open_referral" => "a referral is open",
                _ => "marked by the coordinator",
            },
            note: one.note.clone(),
            contacted: if one.contacted_on.is_empty() {
                String::new()
            } else {
                let by = staff.get(&one.contacted_by).map(|name| format!(" by {name}")).unwrap_or_default();
                format!("Contacted {}{by}", words::day(&one.contacted_on))
            },
            attention: one.attention,
            school_year: one.school_year,
            version: one.version,
        })
        .collect();
    lines.sort_by(|a, b| b.attention.cmp(&a.attention).then(a.contacted.is_empty().cmp(&b.contacted.is_empty()).reverse()).then(a.who.cmp(&b.who)));
    render(&SeptemberPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::MyDay, "September list"),
        here: if all { "/september?all=yes" } else { "/september" }.to_owned(),
        open: lines.iter().filter(|line| line.attention && line.contacted.is_empty()).count(),
        lines,
        all,
        basis: words::basis(&answer.access_basis),
    })
}

/// Marks a student: needs attention or not, contacted.
pub async fn mark(State(app): State<Arc<Portal>>, Path(student_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let act = post.text("act").to_owned();
    let request = MarkSeptemberRequest {
        student_id: student_id.to_string(),
        school_year: post.small("school_year"),
        attention: act != "not_needed",
        note: post.text("note").to_owned(),
        contacted: act == "contacted",
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let entry = app.clients.follow_ups(&post.caller).mark_september(request.clone()).await?.into_inner().entry.unwrap_or_default();
    let said = match act.as_str() {
        "contacted" => Said::plain("Contacted today."),
        "not_needed" => {
            let fields = vec![
                ("act", "needed".to_owned()),
                ("school_year", request.school_year.to_string()),
                ("note", request.note),
                ("version", entry.version.to_string()),
                ("to", post.back("/september")),
            ];
            Said::with_undo("Taken off the list.", format!("/september/{student_id}"), fields)
        }
        _ => Said::plain("On the list."),
    };
    app.done(&post, "/september", said)
}
