//! The table of groups by tiers, and which of its cells may be shown. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::{Answer, Cell};
use crate::suppression::{Grid, People, Status, suppress};

/// What the roster says of nobody.
const NOT_RECORDED: &str = "not_recorded";
const TIERS: [&str; 4] = ["Tier 1", "Tier 2a", "Tier 2b", "Tier 3"];

/// How many students of a group have a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTally {
    /// Group.
    pub group: String,
    /// Tier, e.g. `Tier 2a`.
    pub tier: String,
    /// Students.
    pub count: i64,
}

/// Groups by tiers.
#[derive(Clone, Debug, Default)]
pub struct Table {
    groups: Vec<String>,
    counts: BTreeMap<(String, String), i64>,
}

impl Table {
    /// Of these counts. Groups in order, those of whom nothing is recorded last.
    pub fn of(tallies: Vec<GroupTally>) -> Self {
        let mut counts = BTreeMap::new();
        for tally in tallies {
            *counts.entry((tally.group, tally.tier)).or_insert(0) += tally.count;
        }
        let mut groups: Vec<String> = counts.keys().map(|(group, _)| group.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        groups.sort_by_key(|group| group == NOT_RECORDED);
        Self { groups, counts }
    }

    fn count(&self, group: &str, tier: &str) -> i64 {
        self.counts.get(&(group.to_owned(), tier.to_owned())).copied().unwrap_or(0)
    }

    /// Who is behind each cell: a row a group, a column a tier, the wholes last.
    fn people(&self) -> Grid<People> {
        let (rows, columns) = (self.groups.len(), TIERS.len());
        let mut counts = Grid::new(rows, columns, 0);
        for (row, group) in self.groups.iter().enumerate() {
            for (column, tier) in TIERS.iter().enumerate() {
                let count = self.count(group, tier);
                for place in [(row, column), (row, columns), (rows, column), (rows, columns)] {
                    *counts.at_mut(place.0, place.1) += count;
                }
            }
        }
        let mut people = Grid::new(rows, columns, People::default());
        for row in 0..=rows {
            let base = *counts.at(row, columns);
            for column in 0..=columns {
                let counted = *counts.at(row, column);
                // That a group has its students is no news; that all of them have one tier is.
                *people.at_mut(row, column) = People { base, counted, rest: base - counted, all_tells: column < columns };
            }
        }
        people
    }

    fn status(&self, people: &Grid<People>, n: i64) -> Grid<Status> {
        let (rows, columns) = (people.rows(), people.columns());
        // Which groups' sizes may be told, decided by themselves first. Every cell names the size of its group, so
        // a group whose size may not be told has none.
        let mut sizes = Grid::new(rows, 0, People::default());
        for row in 0..=rows {
            *sizes.at_mut(row, 0) = *people.at(row, columns);
        }
        let sizes = suppress(&sizes, n);
        let mut held = people.clone();
        for row in (0..rows).filter(|row| *sizes.at(*row, 0) != Status::Shown) {
            for column in 0..columns {
                held.at_mut(row, column).base = 1;
            }
        }
        let mut status = suppress(&held, n);
        for row in 0..rows {
            for column in 0..columns {
                if *status.at(row, column) == Status::Small && !people.at(row, column).is_small(n) {
                    *status.at_mut(row, column) = Status::Complementary;
                }
            }
        }
        status
    }

    /// The whole, and each group's tiers. `withheld` are tiers whose share of the district is not told elsewhere: where
    /// this table would tell it, it tells nothing.
    pub fn cells(&self, threshold: u32, withheld: &BTreeSet<String>) -> Answer {
        let people = self.people();
        let (rows, columns) = (people.rows(), people.columns());
        let status = self.status(&people, i64::from(threshold));
        let gives_away = TIERS.iter().enumerate().any(|(column, tier)| withheld.contains(*tier) && *status.at(rows, column) == Status::Shown);
        let cell = |name: String, row: usize, column: usize| {
            let (behind, mut status) = (people.at(row, column), *status.at(row, column));
            if gives_away && status == Status::Shown {
                status = Status::Complementary;
            }
            let shown = status == Status::Shown;
            Cell { group: name, numerator: shown.then_some(behind.counted), denominator: shown.then_some(behind.base), status }
        };
        let mut cells = vec![cell(String::new(), rows, columns)];
        for (row, group) in self.groups.iter().enumerate() {
            cells.extend(TIERS.iter().enumerate().map(|(column, tier)| cell(format!("{group}, {tier}"), row, column)));
        }
        cells
    }
}
