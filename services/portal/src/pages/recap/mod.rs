//! The recap of a class over a time: which student gets which support from whom. General entries only; for one print.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use proto::plans::v1::{GetPlanRequest, GetPlanResponse, PlanItemState};
use proto::rosters::v1::{ListClassMembersRequest, ListClassesRequest};
use serde::Deserialize;

use crate::app::Portal;
use crate::fault::Fault;
use crate::frame::{Area, Shell, render};
use crate::lookup::{days_from_today, is_restricted, service_category_label, today};
use crate::session::Caller;
use crate::words;

/// Plans are asked for at most this many students.
const MOST_STUDENTS: usize = 40;

/// One support of one student.
pub struct Support {
    /// What.
    pub what: String,
    /// From whom.
    pub whom: String,
    /// State in words.
    pub state: &'static str,
    /// Sessions in the time.
    pub sessions: String,
}

/// A student's row.
pub struct Row {
    /// Student.
    pub student_id: String,
    /// Name.
    pub who: String,
    /// Support.
    pub supports: Vec<Support>,
    /// When to look next.
    pub next_look: String,
}

#[derive(Template)]
#[template(path = "recap/page.html")]
struct RecapPage {
    shell: Shell,
    classes: Vec<(String, String, bool)>,
    title: String,
    rows: Vec<Row>,
    from: String,
    until: String,
    window: String,
    supports: usize,
}

/// Which class and time.
#[derive(Debug, Default, Deserialize)]
pub struct RecapQuery {
    #[serde(default)]
    class: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
}

/// The recap.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<RecapQuery>) -> Result<Response, Fault> {
    let schools = if caller.works_by_school() { app.schools(&caller).await? } else { Vec::new() };
    let school_id = schools.first().map(|school| school.school_id.clone()).unwrap_or_default();
    let request = ListClassesRequest { school_id, review_units_only: true, page_size: 500, ..Default::default() };
    let classes = app.clients.rosters(&caller).list_classes(request).await?.into_inner().classes;
    let chosen = classes.iter().find(|class| class.class_id == query.class).or(classes.first()).cloned();
    let from = if query.from.is_empty() { days_from_today(-42) } else { query.from };
    let until = if query.until.is_empty() { today() } else { query.until };
    let mut rows = Vec::new();
    if let Some(class) = &chosen {
        let request = ListClassMembersRequest { class_id: class.class_id.clone(), as_of_date: String::new() };
        let members = app.clients.rosters(&caller).list_class_members(request).await?.into_inner().students;
        let mut plans = Vec::new();
        for student in members.into_iter().take(MOST_STUDENTS) {
            let request = GetPlanRequest { student_id: student.student_id.clone(), school_year: 0 };
            let plan = app.clients.plans(&caller).get_plan(request).await.map(tonic::Response::into_inner).unwrap_or_default();
            plans.push((student, plan));
        }
        let ids = plans
            .iter()
            .flat_map(|(_, plan)| plan.items.iter().map(|item| item.owner_id.clone()))
            .filter(|id| !id.is_empty())
            .collect::<std::collections::BTreeSet<_>>();
        let staff = app.staff_names(&caller, ids.into_iter().collect()).await;
        for (student, plan) in plans {
            rows.push(Row {
                student_id: student.student_id,
                who: student.display_name,
                supports: supports(&plan, &staff, &from, &until),
                next_look: plan.plan.map(|plan| words::day(&plan.next_look_on)).unwrap_or_default(),
            });
        }
    }
    let title = chosen.as_ref().map(|class| class.title.clone()).unwrap_or_else(|| "No class".to_owned());
    render(&RecapPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::MyDay, format!("Recap: {title}")),
        classes: classes
            .into_iter()
            .map(|class| {
                let is = chosen.as_ref().is_some_and(|one| one.class_id == class.class_id);
                (class.class_id, class.title, is)
            })
            .collect(),
        window: format!("{} to {}", words::day(&from), words::day(&until)),
        supports: rows.iter().map(|row| row.supports.len()).sum(),
        title,
        rows,
        from,
        until,
    })
}

/// What a student gets: items that go on, general ones only, since a recap lies on tables.
fn supports(answer: &GetPlanResponse, staff: &std::collections::HashMap<String, String>, from: &str, until: &str) -> Vec<Support> {
    answer
        .items
        .iter()
        .filter(|item| !is_restricted(item.sensitivity()))
        .filter(|item| matches!(item.state(), PlanItemState::Planned | PlanItemState::Arranging | PlanItemState::InPlace))
        .map(|item| {
            let enrolments: Vec<&str> =
                answer.enrolments.iter().filter(|one| one.plan_item_id == item.plan_item_id).map(|one| one.enrolment_id.as_str()).collect();
            let held = answer
                .deliveries
                .iter()
                .filter(|one| enrolments.contains(&one.enrolment_id.as_str()) && one.superseded_by.is_empty() && one.delivered_minutes > 0)
                .filter(|one| from <= one.delivered_on.as_str() && one.delivered_on.as_str() <= until)
                .count();
            let owner = item.owner().as_str_name().trim_start_matches("OWNER_KIND_").to_lowercase();
            Support {
                what: if item.description.is_empty() { service_category_label(&item.service_category) } else { item.description.clone() },
                whom: staff.get(&item.owner_id).cloned().unwrap_or_else(|| words::label(words::OWNERS, &owner)),
                state: words::item_state(item.state()),
                sessions: match held {
                    0 => String::new(),
                    1 => "1 session".to_owned(),
                    many => format!("{many} sessions"),
                },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::plans::v1::PlanItem;
    use proto::r#type::v1::Sensitivity;

    #[test]
    fn a_recap_holds_general_entries_only() {
        let item = |words: &str, sensitivity: Sensitivity| PlanItem {
            description: words.into(),
            sensitivity: sensitivity.into(),
            state: PlanItemState::InPlace.into(),
            ..Default::default()
        };
        let plan =
            GetPlanResponse { items: vec![item("Reading group", Sensitivity::General), item("Closed help", Sensitivity::Restricted)], ..Default::default() };
        let shown = supports(&plan, &std::collections::HashMap::new(), "2026-09-01", "2026-10-22");
        assert_eq!(shown.iter().map(|one| one.what.as_str()).collect::<Vec<_>>(), ["Reading group"]);
    }
}
