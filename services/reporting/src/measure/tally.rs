//! Adding up a measure's units.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Grouping, Measure, Of, Unit};
use crate::suppression::{Grid, People};

#[derive(sqlx::FromRow)]
struct Row {
    school_id: Uuid,
    grp: Option<String>,
    all_schools: bool,
    all_groups: bool,
    numerator: i64,
    denominator: i64,
    students_counted: i64,
    students_base: i64,
    students_rest: i64,
}

/// One cell before anything is withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Numerator.
    pub numerator: i64,
    /// Denominator; none for counts.
    pub denominator: Option<i64>,
    /// The students behind them.
    pub people: People,
}

/// A measure's cells: a row a school, a column a group, the wholes last.
#[derive(Debug)]
pub struct Tally {
    /// Schools, in order.
    pub schools: Vec<Uuid>,
    /// Groups, in order.
    pub groups: Vec<String>,
    /// Cells.
    pub cells: Grid<Figures>,
}

/// What is to be added up.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Only this school's units.
    pub school: Option<Uuid>,
    /// School year.
    pub school_year: i32,
    /// How things stood at the end of this day.
    pub as_of: NaiveDate,
    /// How to break it down besides by school.
    pub grouping: Option<&'static Grouping>,
}

/// Adds up a measure.
pub async fn tally(pool: &PgPool, measure: &Measure, slice: Slice) -> Result<Tally, sqlx::Error> {
    let grouping = slice.grouping.filter(|g| g.by != "school");
    let rows: Vec<Row> =
        sqlx::query_as(measure.sql).bind(slice.school).bind(slice.school_year).bind(slice.as_of).bind(grouping.map_or("", |g| g.by)).fetch_all(pool).await?;
    Ok(lay_out(measure, grouping, slice.school, &rows))
}

fn lay_out(measure: &Measure, grouping: Option<&Grouping>, school: Option<Uuid>, rows: &[Row]) -> Tally {
    let index = |names: std::collections::BTreeSet<_>| names.into_iter().zip(0..).collect::<BTreeMap<_, usize>>();
    let schools = index(school.into_iter().chain(rows.iter().filter(|r| !r.all_schools).map(|r| r.school_id)).collect());
    let named = rows.iter().filter(|r| !r.all_groups && grouping.is_some()).filter_map(|r| r.grp.clone());
    let always = grouping.into_iter().flat_map(|g| g.always).map(|g| (*g).to_owned());
    let mut groups: Vec<String> = always.collect();
    let rest: std::collections::BTreeSet<String> = named.filter(|g| !groups.contains(g)).collect();
    groups.extend(rest);
    let columns: BTreeMap<String, usize> = groups.iter().cloned().zip(0..).collect();
    let empty = Figures { denominator: (measure.unit != Unit::Count).then_some(0), ..Figures::default() };
    let mut cells = Grid::new(schools.len(), groups.len(), empty);
    for row in rows {
        let at = if row.all_schools { Some(schools.len()) } else { schools.get(&row.school_id).copied() };
        let column = if row.all_groups { Some(groups.len()) } else { row.grp.as_ref().and_then(|g| columns.get(g)).copied() };
        if let (Some(at), Some(column)) = (at, column) {
            *cells.at_mut(at, column) = figures(measure, row);
        }
    }
    if grouping.is_some_and(|g| g.of == Of::Whole) {
        for row in 0..=schools.len() {
            let whole = *cells.at(row, groups.len());
            for column in 0..groups.len() {
                share(cells.at_mut(row, column), &whole, measure);
            }
        }
    }
    // The whole of a measure of shares is full by its making; that says nothing of anybody.
    let trivial = measure.groupings.iter().all(|g| g.of == Of::Whole);
    for row in 0..=schools.len() {
        cells.at_mut(row, groups.len()).people.all_tells &= !trivial;
    }
    Tally { schools: schools.into_keys().collect(), groups, cells }
}

fn figures(measure: &Measure, row: &Row) -> Figures {
    let (counted, base) = (row.students_counted, row.students_base);
    let all_tells = measure.all_tells;
    match measure.unit {
        Unit::Students => {
            let people = People { base, counted, rest: base - counted, all_tells };
            Figures { numerator: counted, denominator: Some(base), people }
        }
        Unit::Records => {
            let people = People { base, counted, rest: row.students_rest, all_tells };
            Figures { numerator: row.numerator, denominator: Some(row.denominator), people }
        }
        Unit::Count => Figures { numerator: row.numerator, denominator: None, people: People { base: counted, counted, rest: 0, all_tells: false } },
    }
}

/// Makes a group a share of the whole.
fn share(cell: &mut Figures, whole: &Figures, measure: &Measure) {
    cell.denominator = whole.denominator;
    cell.people.base = whole.people.base;
    cell.people.all_tells = measure.all_tells;
    let students = whole.people.base - cell.people.counted;
    cell.people.rest = match measure.unit {
        Unit::Students => students,
        // A student may be on both sides; then the number of records is the narrower bound.
        Unit::Records | Unit::Count => (whole.denominator.unwrap_or(0) - cell.numerator).min(whole.people.base),
    };
}
