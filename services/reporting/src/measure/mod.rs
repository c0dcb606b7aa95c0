//! Measures: what they mean, as data, and how one is answered.
//!
//! A measure is one entry of the [`registry`] and one query below `sql/`. The query yields units: student, school,
//! group, and what the unit adds to numerator and denominator. All the rest is the same for every measure and lives
//! in [`tally`] (adding up) and [`answer`] (who gets to see which cell).

pub mod answer;
pub mod registry;
pub mod tally;
#[cfg(test)]
mod tests;

use chrono::{Datelike as _, NaiveDate};

pub use answer::{Answer, Cell, Question};
pub use registry::{EQUITY, MEASURES, find};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Students, each once.
    Students,
    /// Records, by the sum of what each adds.
    Records,
    /// Records with nothing to divide by.
    Count,
}

/// What a group's numerator is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The group's own denominator.
    Group,
    /// The whole's denominator: the groups are shares of it.
    Whole,
}

/// A way to break a measure down.
#[derive(Clone, Copy, Debug)]
pub struct Grouping {
    /// `school`, `grade`, `tier`, `domain`, `code`, `reason` and so on.
    pub by: &'static str,
    /// What its groups are divided by.
    pub of: Of,
    /// Groups that are always named, also where they are empty.
    pub always: &'static [&'static str],
}

/// A measure.
#[derive(Debug)]
pub struct Measure {
    /// Id in the handbook of measures, e.g. `ND-3`.
    pub id: &'static str,
    /// Title.
    pub title: &'static str,
    /// What is counted.
    pub numerator: &'static str,
    /// Of what.
    pub denominator: &'static str,
    /// What else one must know to read it.
    pub definition: &'static str,
    /// How it may be broken down.
    pub groupings: &'static [Grouping],
    /// What the units are.
    pub unit: Unit,
    /// Whether "all of them" says something of each student, and so is withheld.
    pub all_tells: bool,
    /// The query that adds up its units.
    sql: &'static str,
}

impl Measure {
    /// The grouping of that name.
    pub fn grouping(&self, by: &str) -> Option<&'static Grouping> {
        self.groupings.iter().find(|g| g.by == by)
    }
}

/// The school year of a day: the year in which it ends. The first of July starts the next.
pub fn school_year_of(day: NaiveDate) -> i32 {
    if day.month() >= 7 { day.year() + 1 } else { day.year() }
}

/// Its last day.
pub fn last_day_of(school_year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(school_year, 6, 30).unwrap_or(NaiveDate::MAX)
}
