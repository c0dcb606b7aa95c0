//! Measures, each with what is counted, of what, and as of when; small numbers are withheld openly.

mod view;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use proto::reporting::v1::{GetMeasureRequest, GetMeasureResponse, ListMeasuresRequest};
use serde::Deserialize;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::session::Caller;

/// Tier bars are drawn for at most this many schools.
const MOST_BARS: usize = 16;
const TIERS: &str = "TR-1";
const UNMET: &str = "ND-2";
const REASONS: &str = "ND-4";

/// Which numbers to show.
#[derive(Debug, Default, Deserialize)]
pub struct ReportQuery {
    #[serde(default)]
    school: String,
}

async fn measure(app: &Portal, caller: &Caller, measure_id: &str, school_id: &str, group_by: &str) -> Result<GetMeasureResponse, Fault> {
    let request = GetMeasureRequest { measure_id: measure_id.to_owned(), school_id: school_id.to_owned(), group_by: group_by.to_owned(), ..Default::default() };
    Ok(app.clients.reporting(caller).get_measure(request).await?.into_inner())
}

/// The report of a school, or of the whole district where the caller may see it.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<ReportQuery>) -> Result<Response, Fault> {
    let schools = app.schools(&caller).await.unwrap_or_default();
    let district = caller.has_any(&["district_leader", "program_manager"]);
    let school_id = schools
        .iter()
        .find(|school| school.school_id == query.school)
        .or(if district { None } else { schools.first() })
        .map(|school| school.school_id.clone())
        .unwrap_or_default();
    let measures = app.clients.reporting(&caller).list_measures(ListMeasuresRequest {}).await?.into_inner();
    let wholes = measures.measures.iter().filter(|known| known.measure_id != TIERS && known.measure_id != REASONS);
    let wholes = futures_util::future::try_join_all(wholes.map(|known| measure(&app, &caller, &known.measure_id, &school_id, ""))).await?;
    let groups = |id: &str, grouping: &str| measures.measures.iter().any(|known| known.measure_id == id && known.groupings.iter().any(|by| by == grouping));
    let mut bars = Vec::new();
    if groups(TIERS, "tier") {
        let all = if school_id.is_empty() { "All schools" } else { "All" };
        bars.push((all.to_owned(), measure(&app, &caller, TIERS, &school_id, "tier").await?));
        if school_id.is_empty() {
            let each = schools.iter().take(MOST_BARS).map(|school| measure(&app, &caller, TIERS, &school.school_id, "tier"));
            let each = futures_util::future::try_join_all(each).await?;
            bars.extend(schools.iter().map(|school| school.name.clone()).zip(each));
        }
    }
    let domains = if groups(UNMET, "domain") { Some(measure(&app, &caller, UNMET, &school_id, "domain").await?) } else { None };
    let reasons = if groups(REASONS, "reason") {
        Some(measure(&app, &caller, REASONS, &school_id, "reason").await?)
    } else if groups(UNMET, "reason") {
        Some(measure(&app, &caller, UNMET, &school_id, "reason").await?)
    } else {
        None
    };
    let title = schools.iter().find(|school| school.school_id == school_id).map_or_else(|| "The district".to_owned(), |school| school.name.clone());
    let shell = Shell::of(&caller, app.settings.notice(), Area::Reports, format!("Report: {title}"));
    let mut choices: Vec<(String, String, bool)> = schools
        .into_iter()
        .map(|school| {
            let chosen = school.school_id == school_id;
            (school.school_id, school.name, chosen)
        })
        .collect();
    if district {
        choices.insert(0, (String::new(), "Whole district".to_owned(), school_id.is_empty()));
    }
    render(&view::page(shell, choices, &wholes, &bars, domains.as_ref(), reasons.as_ref(), measures.small_cell_threshold))
}
