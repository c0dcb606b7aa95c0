//! One question about a measure, answered for one caller.

use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use super::tally::{Figures, Slice, Tally, tally};
use super::{Grouping, Measure};
use crate::suppression::{Grid, Status, suppress};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Which measure.
    pub measure: &'static Measure,
    /// Of one school; of the district where none.
    pub school: Option<Uuid>,
    /// School year.
    pub school_year: i32,
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// Broken down how.
    pub grouping: Option<&'static Grouping>,
    /// Least number of students in a shown cell; none for the case team's own school.
    pub suppression: Option<u32>,
}

/// A number, or that it is withheld.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Group; empty for the whole.
    pub group: String,
    /// Numerator; none where withheld.
    pub numerator: Option<i64>,
    /// Denominator; none where withheld and for counts.
    pub denominator: Option<i64>,
    /// Whether it is shown.
    pub status: Status,
}

impl Cell {
    /// numerator / denominator, where there is one.
    pub fn value(&self) -> Option<f64> {
        match (self.numerator, self.denominator) {
            #[expect(clippy::cast_precision_loss, reason = "counts of people and minutes are far below 2^52")]
            (Some(numerator), Some(denominator)) if denominator != 0 => Some(numerator as f64 / denominator as f64),
            _ => None,
        }
    }
}

/// The whole first, then the groups.
pub type Answer = Vec<Cell>;

/// Answers a question.
pub async fn answer(pool: &PgPool, question: Question) -> Result<Answer, sqlx::Error> {
    // What leaves the case team is decided over the whole district, whichever part of it is asked for.
    let school = question.school.filter(|_| question.suppression.is_none());
    let slice = Slice { school, school_year: question.school_year, as_of: question.as_of, grouping: question.grouping };
    let tally = tally(pool, question.measure, slice).await?;
    Ok(cells(&tally, question))
}

fn cells(tally: &Tally, question: Question) -> Answer {
    let (rows, columns) = (tally.cells.rows(), tally.cells.columns());
    let status = match question.suppression {
        Some(n) => suppress(&people(tally), i64::from(n)),
        None => Grid::new(rows, columns, Status::Shown),
    };
    let empty = Figures { denominator: tally.cells.at(rows, columns).denominator.map(|_| 0), ..Figures::default() };
    let cell = |group: &str, row: Option<usize>, column: usize| {
        // A school of which nothing is known has nothing to show and nothing to hide.
        let (figures, status) = row.map_or((empty, Status::Shown), |row| (*tally.cells.at(row, column), *status.at(row, column)));
        let shown = status == Status::Shown;
        Cell { group: group.to_owned(), numerator: shown.then_some(figures.numerator), denominator: figures.denominator.filter(|_| shown), status }
    };
    let row = match question.school {
        Some(school) => tally.schools.iter().position(|s| *s == school),
        None => Some(rows),
    };
    let mut cells = vec![cell("", row, columns)];
    match question.grouping {
        Some(grouping) if grouping.by == "school" => {
            for (index, school) in tally.schools.iter().enumerate().filter(|(_, s)| question.school.is_none_or(|asked| asked == **s)) {
                cells.push(cell(&school.to_string(), Some(index), columns));
            }
        }
        Some(grouping) => {
            for (column, group) in tally.groups.iter().enumerate() {
                let cell = cell(group, row, column);
                // A group that a school does not have is not told of, unless it is one that is always named.
                if cell.status != Status::Shown
                    || cell.numerator != Some(0)
                    || cell.denominator.is_some_and(|d| d > 0)
                    || grouping.always.contains(&group.as_str())
                {
                    cells.push(cell);
                }
            }
        }
        None => {}
    }
    cells
}

fn people(tally: &Tally) -> Grid<crate::suppression::People> {
    let (rows, columns) = (tally.cells.rows(), tally.cells.columns());
    let mut people = Grid::new(rows, columns, crate::suppression::People::default());
    for row in 0..=rows {
        for column in 0..=columns {
            *people.at_mut(row, column) = tally.cells.at(row, column).people;
        }
    }
    people
}
