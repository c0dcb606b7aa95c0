//! Worked tables, and that nothing withheld can be worked out, checked by elimination rather than by the rule itself.

use proptest::prelude::*;

use super::{Grid, People, Status, suppress};

const N: i64 = 10;

fn people(counted: i64, rest: i64) -> People {
    People { base: counted + rest, counted, rest, all_tells: false }
}

/// A district whose cells are (counted, rest), with its wholes added up.
fn district(cells: &[Vec<(i64, i64)>]) -> Grid<People> {
    let (rows, columns) = (cells.len(), cells.first().map_or(0, Vec::len));
    let mut grid = Grid::new(rows, columns, People::default());
    let mut add = |row: usize, column: usize, counted: i64, rest: i64| {
        let held = *grid.at(row, column);
        *grid.at_mut(row, column) = people(held.counted + counted, held.rest + rest);
    };
    for (row, line) in cells.iter().enumerate() {
        for (column, (counted, rest)) in line.iter().enumerate() {
            add(row, column, *counted, *rest);
            add(row, columns, *counted, *rest);
            add(rows, column, *counted, *rest);
            add(rows, columns, *counted, *rest);
        }
    }
    grid
}

/// Schools only: (counted, rest) each.
fn schools(cells: &[(i64, i64)]) -> Grid<People> {
    let mut grid = Grid::new(cells.len(), 0, People::default());
    for (row, (counted, rest)) in cells.iter().enumerate() {
        *grid.at_mut(row, 0) = people(*counted, *rest);
    }
    let sum = cells.iter().fold((0, 0), |(c, r), (counted, rest)| (c + counted, r + rest));
    *grid.at_mut(cells.len(), 0) = people(sum.0, sum.1);
    grid
}

fn letters(status: &Grid<Status>) -> Vec<String> {
    let letter = |s: &Status| match s {
        Status::Shown => '.',
        Status::Small => 's',
        Status::Complementary => 'c',
    };
    (0..=status.rows()).map(|row| (0..=status.columns()).map(|column| letter(status.at(row, column))).collect()).collect()
}

#[test]
fn what_is_small() {
    let cases = [
        (people(10, 10), false),
        (people(9, 100), true),
        (people(100, 9), true),
        // None of them: told of a group that is large enough, not of a small one.
        (people(0, 10), false),
        (people(0, 9), true),
        (people(10, 0), false),
        (people(9, 0), true),
        // Nobody there: nothing to protect.
        (people(0, 0), false),
        // All of them, where that says something of each.
        (People { all_tells: true, ..people(50, 0) }, true),
        (People { all_tells: true, ..people(0, 50) }, false),
        (People { all_tells: true, ..people(25, 25) }, false),
        // Many records of few students.
        (People { base: 12, counted: 12, rest: 3, all_tells: false }, true),
    ];
    for (people, small) in cases {
        assert_eq!(people.is_small(N), small, "{people:?}");
    }
}

#[test]
fn one_small_school_takes_the_next_smallest_with_it() {
    let cases: [(&[(i64, i64)], &str); 8] = [
        (&[(40, 60), (30, 70), (20, 80)], "...."),
        (&[(40, 60), (5, 70), (20, 80)], ".sc."),
        // Two hide each other, unless their sum leaves each only one value.
        (&[(40, 60), (5, 70), (6, 80)], ".ss."),
        (&[(40, 60), (1, 70), (1, 80)], "css."),
        (&[(40, 60), (9, 70), (9, 80)], "css."),
        // Nothing else is left to withhold: which of them is small stays open.
        (&[(9, 70), (9, 80)], "sc."),
        // The only school is the district.
        (&[(5, 60)], "ss"),
        // An empty school is withheld only where there is no other.
        (&[(5, 60), (0, 40), (30, 70)], "s.c."),
    ];
    for (cells, expected) in cases {
        assert_eq!(letters(&suppress(&schools(cells), N)).concat(), expected, "{cells:?}");
    }
}

#[test]
fn a_schools_group_cannot_be_had_from_the_districts_groups() {
    let grid = district(&[vec![(5, 40), (30, 40)], vec![(20, 40), (25, 40)], vec![(22, 40), (40, 40)]]);
    // The small one, its neighbour in the row, its neighbour in the column, and the corner that closes the square.
    assert_eq!(letters(&suppress(&grid, N)), ["sc.", "cc.", "...", "..."]);
}

#[test]
fn nothing_small_means_nothing_withheld() {
    let grid = district(&[vec![(10, 10), (0, 30)], vec![(15, 10), (12, 30)]]);
    assert!(letters(&suppress(&grid, N)).concat().chars().all(|c| c == '.'));
}

/// Withheld cells that the equations of the grid determine once the shown cells are known.
fn determined(status: &Grid<Status>) -> Vec<(usize, usize)> {
    const P: i64 = 1_000_003;
    let (rows, columns) = (status.rows(), status.columns());
    let mut unknowns = Vec::new();
    for row in 0..=rows {
        for column in 0..=columns {
            if *status.at(row, column) != Status::Shown {
                unknowns.push((row, column));
            }
        }
    }
    let mut matrix: Vec<Vec<i64>> = Vec::new();
    if columns > 0 {
        for line in 0..=rows {
            matrix.push(
                unknowns
                    .iter()
                    .map(|(r, c)| {
                        if *r != line {
                            0
                        } else if *c == columns {
                            P - 1
                        } else {
                            1
                        }
                    })
                    .collect(),
            );
        }
    }
    for line in 0..=columns {
        matrix.push(
            unknowns
                .iter()
                .map(|(r, c)| {
                    if *c != line {
                        0
                    } else if *r == rows {
                        P - 1
                    } else {
                        1
                    }
                })
                .collect(),
        );
    }
    let inverse = |value: i64| {
        let (mut result, mut base, mut power) = (1, value, P - 2);
        while power > 0 {
            if power & 1 == 1 {
                result = result * base % P;
            }
            base = base * base % P;
            power >>= 1;
        }
        result
    };
    let mut top = 0;
    for column in 0..unknowns.len() {
        let Some(pivot) = (top..matrix.len()).find(|r| matrix[*r][column] != 0) else { continue };
        matrix.swap(top, pivot);
        let scale = inverse(matrix[top][column]);
        let lead: Vec<i64> = matrix[top].iter().map(|v| v * scale % P).collect();
        matrix[top].clone_from(&lead);
        for (index, row) in matrix.iter_mut().enumerate() {
            let factor = row[column];
            if index != top && factor != 0 {
                for (value, by) in row.iter_mut().zip(&lead) {
                    *value = (*value + (P - factor) * by) % P;
                }
            }
        }
        top += 1;
    }
    matrix
        .iter()
        .filter_map(|row| {
            let mut nonzero = row.iter().enumerate().filter(|(_, v)| **v != 0).map(|(i, _)| i);
            match (nonzero.next(), nonzero.next()) {
                (Some(only), None) => Some(unknowns[only]),
                _ => None,
            }
        })
        .collect()
}

#[test]
fn the_check_itself_finds_what_subtraction_gives_away() {
    let mut status = Grid::new(2, 0, Status::Shown);
    *status.at_mut(0, 0) = Status::Small;
    assert_eq!(determined(&status), [(0, 0)]);
    *status.at_mut(1, 0) = Status::Complementary;
    assert!(determined(&status).is_empty());
}

fn count() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..12i64, 2 => 10..200i64, 1 => Just(0)]
}

fn table() -> impl Strategy<Value = Vec<Vec<(i64, i64)>>> {
    (1..7usize, 1..6usize).prop_flat_map(|(rows, columns)| prop::collection::vec(prop::collection::vec((count(), count()), columns), rows))
}

/// Lets every other test of the crate be quick and this one thorough.
fn thorough() -> ProptestConfig {
    ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn no_withheld_number_follows_from_the_shown_ones(cells in table()) {
        let grid = district(&cells);
        let status = suppress(&grid, N);
        // The only group there is, is the whole by another name; and so is the only school.
        prop_assert_eq!(determined(&status), vec![], "{:?}", letters(&status));
    }

    #[test]
    fn no_small_number_is_shown(cells in table()) {
        let grid = district(&cells);
        let status = suppress(&grid, N);
        for row in 0..=grid.rows() {
            for column in 0..=grid.columns() {
                prop_assert!(!grid.at(row, column).is_small(N) || *status.at(row, column) != Status::Shown);
            }
        }
    }

    #[test]
    fn schools_wholes_are_decided_alike_whatever_the_grouping(cells in table()) {
        let grouped = district(&cells);
        let sums: Vec<(i64, i64)> = cells.iter().map(|line| line.iter().fold((0, 0), |(c, r), (counted, rest)| (c + counted, r + rest))).collect();
        let (whole, by_group) = (suppress(&schools(&sums), N), suppress(&grouped, N));
        for row in 0..=grouped.rows() {
            prop_assert_eq!(whole.at(row, 0), by_group.at(row, grouped.columns()));
        }
    }

    #[test]
    fn of_a_line_of_schools_none_is_pinned_by_a_known_sum(cells in prop::collection::vec((count(), Just(100i64)), 2..8)) {
        // The whole and each shown school are known; a small one is known to lie from 1 to 9. More than one value stays open.
        let grid = schools(&cells);
        let status = suppress(&grid, N);
        let rows = grid.rows();
        if *status.at(rows, 0) == Status::Shown {
            let hidden: Vec<usize> = (0..rows).filter(|r| *status.at(*r, 0) != Status::Shown).collect();
            let sum: i64 = hidden.iter().map(|r| grid.at(*r, 0).counted).sum();
            let bounds = |r: usize| if *status.at(r, 0) == Status::Small { (1, N - 1) } else { (0, i64::MAX / 100) };
            for row in &hidden {
                let others: Vec<_> = hidden.iter().filter(|r| *r != row).map(|r| bounds(*r)).collect();
                let low = bounds(*row).0.max(sum - others.iter().map(|b| b.1).sum::<i64>());
                let high = bounds(*row).1.min(sum - others.iter().map(|b| b.0).sum::<i64>());
                prop_assert!(low < high, "{:?}", letters(&status));
            }
        }
    }
}
