//! The equity view (TR-4): which share of a demographic group has which tier. Of the whole district only.
//!
//! The groups are the roster's and stay there: it is asked how many students of each group have which tier, and answers
//! counts. What is published of them is one table of groups by tiers, and small cells are withheld as everywhere.

pub mod entity;
pub mod roster;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chassis_access::caller::DISTRICT;
use chassis_access::{AccessError, Caller};
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::ReportError;
use crate::measure::{self, Answer, Question, find};
use crate::suppression::Status;
use entity::Table;
use roster::Groups;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// `sex`, `race` or `grade`.
    pub group_by: &'static str,
    /// School year.
    pub school_year: i32,
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// Least number of students in a shown cell.
    pub threshold: u32,
}

/// Who may see it: those who answer for the whole district.
pub fn permit(caller: &Caller) -> Result<(), AccessError> {
    if leads_district(&caller.roles, &caller.at) { Ok(()) } else { Err(AccessError::Denied { action: "reporting.GetMeasure".to_owned() }) }
}

fn leads_district(roles: &BTreeSet<String>, at: &BTreeMap<String, BTreeSet<Uuid>>) -> bool {
    roles.contains("district_leader") || at.get("program_manager").is_some_and(|schools| schools.contains(&DISTRICT))
}

/// The whole first, then every group's tiers.
pub async fn answer(pool: &PgPool, groups: &dyn Groups, asked: Asked) -> Result<Answer, ReportError> {
    let tallies = groups.tally(asked.group_by, students_by_tier(pool, asked.as_of).await?).await?;
    let withheld = tiers_withheld(pool, asked).await?;
    Ok(Table::of(tallies).cells(asked.threshold, &withheld))
}

/// The tiers whose share of the district TR-1 withholds.
async fn tiers_withheld(pool: &PgPool, asked: Asked) -> Result<BTreeSet<String>, ReportError> {
    let Some((measure, grouping)) = find("TR-1").and_then(|measure| Some((measure, measure.grouping("tier")?))) else { return Ok(BTreeSet::new()) };
    let Asked { school_year, as_of, threshold, .. } = asked;
    let question = Question { measure, school: None, school_year, as_of, grouping: Some(grouping), suppression: Some(threshold) };
    let cells = measure::answer::answer(pool, question).await?;
    Ok(cells.into_iter().filter(|cell| cell.status != Status::Shown).map(|cell| cell.group).collect())
}

/// Students enrolled by their current tier, each once.
async fn students_by_tier(pool: &PgPool, as_of: NaiveDate) -> Result<BTreeMap<String, Vec<Uuid>>, ReportError> {
    let rows = sqlx::query!(
        r#"select 'Tier ' || t.tier as "tier!", array_agg(distinct e.student_id) as "students!"
           from reporting.enrolled e join reporting.tier_at($1) t using (student_id)
           group by t.tier"#,
        as_of
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tier, row.students)).collect())
}
