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
    /// What a review must have beyond domains, tier and strength; out of [`REQUIRABLE`].
    pub required_fields: Vec<String>,
}

/// At least one interest.
pub const INTEREST: &str = "interest";
/// At least one entry that the family or the student said.
pub const FAMILY_VOICE: &str = "family_voice";
/// Words on every need.
pub const NEED_NOTE: &str = "need_note";
/// What a cycle may require.
pub const REQUIRABLE: [&str; 3] = [INTEREST, FAMILY_VOICE, NEED_NOTE];
