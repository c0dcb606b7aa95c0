//! A review season of a school year.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::words::Season;

/// A cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Id.
    pub id: Uuid,
    /// The year in which the school year ends.
    pub school_year: i32,
    /// Season.
    pub season: Season,
    /// First day.
    pub opens_on: NaiveDate,
    /// Last day.
    pub closes_on: NaiveDate,
    /// Code list version.
    pub taxonomy_version: String,
    /// Tier rule version.
    pub tier_rules_version: String,
}
