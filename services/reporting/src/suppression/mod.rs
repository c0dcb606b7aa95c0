//! Small numbers are withheld, and with them whatever would give them away by subtraction. Pure.
//!
//! All that is published of one measure outside the case team lies in one grid: a row a school, a column a group,
//! with the schools' wholes in the last column and the district's in the last row. Whoever asks for the district, for
//! one school or for one school's groups gets a slice of that one decided grid, so answers cannot be played against
//! each other.
//!
//! A number is small where fewer than `n` students stand behind the group, the numerator or the numerator's
//! complement. None at all may be told where the group has at least `n` students. All of a group may be told only
//! where that says nothing of each of them. Counts are always shown whole, so the top and bottom coding of
//! percentages adds nothing: what it would hide beyond these rules is withheld.
//!
//! Each row and each column is an equation: its parts add up to its whole. Cells are edges between the node of their
//! row and the node of their column; a withheld cell can be worked out exactly where its edge lies on no cycle of
//! withheld cells. So cells are withheld until every withheld one lies on a cycle.

mod bridges;
#[cfg(test)]
mod tests;

/// No district may show numbers about fewer students than this.
pub const LEAST_THRESHOLD: u32 = 10;

/// The students behind one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Of the group that the cell speaks of.
    pub base: i64,
    /// In the numerator.
    pub counted: i64,
    /// In the denominator but not, or not only, in the numerator.
    pub rest: i64,
    /// Whether a full cell would say something of each student in it.
    pub all_tells: bool,
}

impl People {
    /// Whether the cell must not be shown by itself.
    pub fn is_small(&self, n: i64) -> bool {
        let few = |count: i64| 0 < count && count < n;
        few(self.base) || few(self.counted) || few(self.rest) || (self.all_tells && self.counted > 0 && self.rest == 0)
    }
}

/// Whether a cell is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// It is.
    #[default]
    Shown,
    /// Too few students.
    Small,
    /// It would give a small one away.
    Complementary,
}

/// Cells by row and column; the last of each is the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid<T> {
    rows: usize,
    columns: usize,
    cells: Vec<T>,
}

impl<T: Clone> Grid<T> {
    /// A grid of `rows` schools and `columns` groups and their wholes, all cells alike.
    pub fn new(rows: usize, columns: usize, cell: T) -> Self {
        Self { rows, columns, cells: vec![cell; (rows + 1) * (columns + 1)] }
    }

    /// Number of schools; also the index of the district's row.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of groups; also the index of the wholes' column.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One cell.
    pub fn at(&self, row: usize, column: usize) -> &T {
        &self.cells[row * (self.columns + 1) + column]
    }

    /// One cell, to be written.
    pub fn at_mut(&mut self, row: usize, column: usize) -> &mut T {
        &mut self.cells[row * (self.columns + 1) + column]
    }
}

type Place = (usize, usize);

struct Decision<'p> {
    people: &'p Grid<People>,
    status: Grid<Status>,
    n: i64,
}

/// Decides every cell. The wholes' column is decided by itself first, so that it is the same for every grouping.
pub fn suppress(people: &Grid<People>, n: i64) -> Grid<Status> {
    let (rows, columns) = (people.rows, people.columns);
    let mut decision = Decision { people, status: Grid::new(rows, columns, Status::Shown), n };
    for row in 0..=rows {
        for column in 0..=columns {
            if people.at(row, column).is_small(n) {
                *decision.status.at_mut(row, column) = Status::Small;
            }
        }
    }
    let schools: Vec<Place> = (0..rows).map(|row| (row, columns)).collect();
    decision.close(&schools, (rows, columns));
    if columns == 0 {
        return decision.status;
    }
    let groups: Vec<Place> = (0..columns).map(|column| (rows, column)).collect();
    decision.close(&groups, (rows, columns));
    decision.settle();
    decision.status
}

impl Decision<'_> {
    fn shown(&self, (row, column): Place) -> bool {
        *self.status.at(row, column) == Status::Shown
    }

    fn size(&self, (row, column): Place) -> i64 {
        self.people.at(row, column).counted
    }

    fn withhold(&mut self, (row, column): Place) {
        *self.status.at_mut(row, column) = Status::Complementary;
    }

    /// Withholds the next smallest shown cell; an empty one only where there is no other.
    fn withhold_next(&mut self, parts: &[Place]) -> bool {
        let next = parts.iter().copied().filter(|p| self.shown(*p)).min_by_key(|p| (self.size(*p) == 0, self.size(*p), *p));
        if let Some(place) = next {
            self.withhold(place);
        }
        next.is_some()
    }

    /// Whether the parts and their whole give a withheld one away: by subtraction, or because their known sum leaves
    /// each of the small ones only one value.
    fn open(&self, parts: &[Place], whole: Place) -> bool {
        let hidden: Vec<Place> = parts.iter().copied().filter(|p| !self.shown(*p)).collect();
        let count = hidden.len();
        if !self.shown(whole) {
            return count == 0;
        }
        let sum: i64 = hidden.iter().map(|p| self.size(*p)).sum();
        let all_small = hidden.iter().all(|(row, column)| *self.status.at(*row, *column) == Status::Small);
        let most = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(self.n - 1);
        count == 1 || (count > 1 && all_small && (sum < self.n || sum == most))
    }

    /// Withholds parts until they and their whole give nothing away, or none is left.
    fn close(&mut self, parts: &[Place], whole: Place) -> bool {
        let mut changed = false;
        while self.open(parts, whole) {
            if !self.withhold_next(parts) {
                // All are small and each the most that small can be. Called complementary, one may be anything, as in
                // the line of a smaller and a larger one that it then looks like.
                let largest = parts.iter().copied().filter(|(row, column)| *self.status.at(*row, *column) == Status::Small);
                if parts.len() < 2 || !parts.iter().all(|(row, column)| *self.status.at(*row, *column) == Status::Small) {
                    break;
                }
                if let Some(place) = largest.max_by_key(|p| (self.size(*p), *p)) {
                    self.withhold(place);
                }
            }
            changed = true;
        }
        changed
    }

    fn row(&self, row: usize) -> Vec<Place> {
        (0..self.people.columns).map(|column| (row, column)).collect()
    }

    fn column(&self, column: usize) -> Vec<Place> {
        (0..self.people.rows).map(|row| (row, column)).collect()
    }

    /// Decides the schools' groups, with the wholes as they are.
    fn settle(&mut self) {
        let (rows, columns) = (self.people.rows, self.people.columns);
        loop {
            let mut changed = false;
            for row in 0..rows {
                changed |= self.close(&self.row(row), (row, columns));
            }
            for column in 0..columns {
                changed |= self.close(&self.column(column), (rows, column));
            }
            if changed {
                continue;
            }
            let exposed = bridges::exposed(&self.status);
            if exposed.is_empty() {
                return;
            }
            for (row, column) in exposed {
                changed |= row < rows && self.withhold_next(&self.row(row));
                changed |= column < columns && self.withhold_next(&self.column(column));
            }
            if !changed {
                // Nothing is left to withhold inside; then the district's groups go too, and everything is on cycles.
                for column in 0..columns {
                    if self.shown((rows, column)) {
                        self.withhold((rows, column));
                        changed = true;
                    }
                    for row in 0..rows {
                        if self.shown((row, column)) {
                            self.withhold((row, column));
                            changed = true;
                        }
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }
}
