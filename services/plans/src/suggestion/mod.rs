//! Suggested items: from the code list and from last year's effect, each with its reason.

pub mod entity;
pub(crate) mod grpc;
mod repo;

use std::collections::HashMap;
use std::sync::LazyLock;

use chassis_access::Clearance;
use sqlx::PgPool;
use uuid::Uuid;

use crate::codes::Band;
use crate::error::PlanError;
use crate::need::{
    self,
    entity::{NeedState, Sensitivity},
};
use crate::plan;
use crate::plan_item;
use crate::sight::may_see;

use entity::{Known, OpenNeed, Suggestion};

/// Suggestions in one answer.
const MOST: usize = 50;

/// What the code list says: service categories of codes, and bands of categories. A list that cannot be read is empty here; the tests read it.
struct Lists {
    categories: HashMap<String, Vec<String>>,
    bands: HashMap<String, Band>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let rows = |text: &'static str| csv::Reader::from_reader(text.as_bytes()).into_deserialize::<HashMap<String, String>>().flatten().collect::<Vec<_>>();
    let mut categories = HashMap::new();
    for row in rows(include_str!("../../../../taxonomy/1/needs.csv")).into_iter().chain(rows(include_str!("../../../../taxonomy/1/interests.csv"))) {
        if let (Some(code), Some(named)) = (row.get("code"), row.get("service_categories")) {
            categories.insert(code.clone(), named.split(';').filter(|c| !c.is_empty()).map(str::to_owned).collect());
        }
    }
    let bands = rows(include_str!("../../../../taxonomy/1/service_categories.csv"));
    let bands = bands.into_iter().filter_map(|row| {
        let band = match row.get("band")?.as_str() {
            "P" => Band::PreventionEnrichment,
            "E" => Band::EarlyIntervention,
            "I" => Band::Intensive,
            "C" => Band::Crisis,
            _ => return None,
        };
        Some((row.get("code")?.clone(), band))
    });
    Lists { categories, bands: bands.collect() }
});

/// The band that the code list gives a category.
pub fn band_of(service_category: &str) -> Option<Band> {
    LISTS.bands.get(service_category).copied()
}

/// What could be added to a plan, for somebody with this clearance, and the highest sensitivity of the needs that it tells of. Needs that have an item that goes on get none.
pub async fn for_plan(pool: &PgPool, plan_id: Uuid, clearance: &Clearance) -> Result<(Vec<Suggestion>, Sensitivity), PlanError> {
    let mut tx = pool.begin().await?;
    let plan = plan::repo::lock(&mut tx, plan_id).await?.ok_or_else(|| PlanError::unknown("plans.SuggestPlanItems"))?;
    let mut needs = need::repo::of_plan(&mut tx, plan_id).await?;
    needs.retain(|n| may_see(clearance, n.sensitivity, n.domain));
    let mut items = plan_item::repo::of_plan(&mut tx, plan_id).await?;
    let about: Vec<Uuid> = items.iter().flat_map(|i| i.need_ids.clone()).collect();
    let mut seen = need::repo::by_ids(&mut tx, &about).await?;
    seen.retain(|n| may_see(clearance, n.sensitivity, n.domain));
    items.retain(|item| plan_item::visible(item, &seen, clearance));
    let goes_on = |item: &&plan_item::entity::Item| !item.state.is_unhappened() && item.state != plan_item::entity::ItemState::Done;
    let open = needs.iter().filter(|n| matches!(n.state, NeedState::Open | NeedState::BeingAddressed));
    let open = open.filter(|n| !items.iter().filter(goes_on).any(|i| i.need_ids.contains(&n.need_id)));
    let known = Known {
        needs: open.map(|n| OpenNeed { need_id: n.need_id, code: n.code.clone() }).collect(),
        strengths: plan.strength_codes.clone(),
        interests: plan.interest_codes.clone(),
        tried: repo::tried(&mut tx, plan.student_id, plan.school_year - 1, clearance).await?,
        have: items.iter().filter(goes_on).map(|i| i.service_category.clone()).collect(),
    };
    tx.commit().await?;
    let mut suggestions = entity::suggest(&known, |code| LISTS.categories.get(code).cloned().unwrap_or_default());
    suggestions.truncate(MOST);
    let highest = needs.iter().filter(|n| suggestions.iter().any(|s| s.need_id == Some(n.need_id))).map(|n| n.sensitivity).max();
    Ok((suggestions, highest.unwrap_or(Sensitivity::General)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_list_is_read() {
        assert_eq!(band_of("CRI-DV"), Some(Band::Crisis));
        assert_eq!(band_of("ED-TUT"), Some(Band::EarlyIntervention));
        assert_eq!(LISTS.categories["ACA-RDG"], ["ED-TUT", "ED-RDG"]);
        assert!(LISTS.categories.len() > 90 && LISTS.bands.len() > 40);
    }
}
