//! Needs that nobody meets today: the list for those entitled to it.

mod view;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use proto::plans::v1::ListUnmetNeedsRequest;
use proto::reporting::v1::ListStudentsWithUnmetNeedsRequest;
use serde::Deserialize;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::session::Caller;
use crate::words::DOMAINS;

use view::Line;

/// Which needs to show.
#[derive(Debug, Default, Deserialize)]
pub struct UnmetQuery {
    #[serde(default)]
    school: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    page: String,
}

/// The list. The report answers where the caller is entitled to it; a teacher gets the own students' from the plans.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<UnmetQuery>) -> Result<Response, Fault> {
    let schools = if caller.works_by_school() { app.schools(&caller).await? } else { Vec::new() };
    let school_id =
        schools.iter().find(|school| school.school_id == query.school).or(schools.first()).map(|school| school.school_id.clone()).unwrap_or_default();
    let domain: i32 = DOMAINS.into_iter().find(|domain| domain.class == query.domain).map_or(0, |domain| domain.domain.into());
    let request =
        ListStudentsWithUnmetNeedsRequest { school_id: school_id.clone(), domain, page_size: 200, page_token: query.page.clone(), ..Default::default() };
    let reported = app.clients.reporting(&caller).list_students_with_unmet_needs(request).await.map_err(Fault::from);
    let (lines, next, basis, as_of) = match reported {
        Ok(answer) => {
            let answer = answer.into_inner();
            (view::from_report(&answer.students), answer.next_page_token, answer.access_basis, answer.as_of_date)
        }
        Err(fault) if matches!(fault.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => {
            let request = ListUnmetNeedsRequest { school_id: school_id.clone(), domain, page_size: 200, page_token: query.page.clone(), ..Default::default() };
            let answer = app.clients.plans(&caller).list_unmet_needs(request).await?.into_inner();
            let lines = answer.needs.iter().map(Line::from).collect();
            (lines, answer.next_page_token, answer.access_basis, crate::lookup::today())
        }
        Err(fault) => return Err(fault),
    };
    let ids: std::collections::BTreeSet<String> = lines.iter().map(|line| line.student_id.clone()).collect();
    let names = app.students(&caller, ids.into_iter().collect()).await?;
    let codes = app.code_list_or_none(&caller).await;
    let shell = Shell::of(&caller, app.settings.notice(), Area::Unmet, "Unmet needs");
    let choices = schools.iter().map(|school| (school.school_id.clone(), school.name.clone(), school.school_id == school_id)).collect();
    render(&view::page(shell, lines, &names, &codes, choices, &query, &basis, &as_of, next))
}
