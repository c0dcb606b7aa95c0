//! The equity view's cells, counted by hand; who sees it; and that it gives nothing away.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chassis_access::caller::DISTRICT;
use proptest::prelude::*;
use uuid::Uuid;

use super::entity::{GroupTally, Table};
use super::roster::Groups;
use super::{Asked, answer, leads_district};
use crate::app::MIGRATIONS;
use crate::error::ReportError;
use crate::measure::{Cell, EQUITY};
use crate::suppression::Status;
use crate::worked_district::{YEAR, apply, events, student, today};

const TIERS: [&str; 4] = ["Tier 1", "Tier 2a", "Tier 2b", "Tier 3"];

fn table(rows: &[(&str, [i64; 4])]) -> Table {
    let lines = rows.iter().flat_map(|(group, counts)| {
        TIERS.iter().zip(counts).map(|(tier, count)| GroupTally { group: (*group).to_owned(), tier: (*tier).to_owned(), count: *count })
    });
    Table::of(lines.collect())
}

fn lines(cells: &[Cell]) -> Vec<String> {
    let number = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
    cells.iter().map(|cell| format!("{} {}/{}", cell.group, number(cell.numerator), number(cell.denominator)).trim().to_owned()).collect()
}

#[test]
fn a_cell_is_a_tiers_share_of_the_group() {
    let cells = table(&[("male", [60, 30, 20, 10]), ("not_recorded", [20, 20, 20, 20]), ("other", [40, 30, 20, 10])]).cells(10, &BTreeSet::new());
    assert_eq!(
        lines(&cells),
        [
            "300/300",
            "male, Tier 1 60/120",
            "male, Tier 2a 30/120",
            "male, Tier 2b 20/120",
            "male, Tier 3 10/120",
            "other, Tier 1 40/100",
            "other, Tier 2a 30/100",
            "other, Tier 2b 20/100",
            "other, Tier 3 10/100",
            "not_recorded, Tier 1 20/80",
            "not_recorded, Tier 2a 20/80",
            "not_recorded, Tier 2b 20/80",
            "not_recorded, Tier 3 20/80",
        ]
    );
    assert_eq!(cells[4].value(), Some(10.0 / 120.0));
    assert_eq!(lines(&Table::default().cells(10, &BTreeSet::new())), ["0/0"]);
}

#[test]
fn a_small_cell_takes_others_with_it() {
    let cells = table(&[("female", [60, 30, 20, 4]), ("male", [60, 30, 20, 30]), ("other", [60, 30, 20, 20])]).cells(10, &BTreeSet::new());
    let letter = |cell: &Cell| match cell.status {
        Status::Shown => '.',
        Status::Small => 's',
        Status::Complementary => 'c',
    };
    let letters: String = cells.iter().map(letter).collect();
    // The whole; then a group's four tiers after another's. Every line with a withheld cell has two.
    assert_eq!(letters, "..ccs.cc...cc");
    assert_eq!(cells.iter().filter(|cell| cell.status == Status::Shown).filter(|cell| cell.numerator.is_none()).count(), 0);
}

#[test]
fn a_group_of_few_has_no_cell_nor_has_the_one_that_would_tell_its_size() {
    let cells = table(&[("female", [60, 30, 20, 20]), ("male", [40, 30, 20, 20]), ("other", [4, 0, 0, 0])]).cells(10, &BTreeSet::new());
    for cell in cells.iter().filter(|cell| cell.group.starts_with("other") || cell.group.starts_with("male")) {
        assert_ne!(cell.status, Status::Shown, "{cell:?}");
    }
    // All of a group in one tier would tell it of each of them.
    let alike = table(&[("female", [0, 0, 0, 20]), ("male", [40, 30, 20, 20])]).cells(10, &BTreeSet::new());
    assert!(alike.iter().any(|cell| cell.group == "female, Tier 3" && cell.status != Status::Shown));
}

#[test]
fn what_is_withheld_of_the_district_is_not_given_away_here() {
    let rows = [("female", [60, 30, 20, 20]), ("male", [40, 30, 20, 20])];
    let cells = table(&rows).cells(10, &BTreeSet::from(["Tier 3".to_owned()]));
    assert!(cells.iter().all(|cell| cell.status == Status::Complementary && cell.numerator.is_none() && cell.denominator.is_none()));
    assert!(table(&rows).cells(10, &BTreeSet::from(["No tier".to_owned()])).iter().all(|cell| cell.status == Status::Shown));
}

#[test]
fn only_those_who_lead_the_district_see_groups() {
    let roles = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let at = |school| BTreeMap::from([("program_manager".to_owned(), BTreeSet::from([school])), ("coordinator".to_owned(), BTreeSet::from([DISTRICT]))]);
    assert!(leads_district(&roles(&["district_leader"]), &BTreeMap::new()));
    assert!(leads_district(&roles(&["program_manager"]), &at(DISTRICT)));
    assert!(!leads_district(&roles(&["program_manager"]), &at(Uuid::from_u128(7))));
    for other in ["teacher", "coordinator", "student_support_member", "principal", "partnership_manager", "data_clerk", "privacy_officer", "service"] {
        assert!(!leads_district(&roles(&[other]), &at(Uuid::from_u128(7))), "{other}");
    }
}

/// Whether a withheld cell follows from the shown ones: by filling in lines of which one number is missing, over and over.
fn worked_out(counts: &[[i64; 4]], cells: &[Cell]) -> Option<String> {
    let rows = counts.len();
    let shown = |row: usize, column: usize| cells[1 + row * 4 + column].status == Status::Shown;
    // What is published: shown cells with their groups' sizes, the whole, and at worst the tiers' totals.
    let mut known = vec![[false; 5]; rows + 1];
    for (row, line) in known.iter_mut().enumerate().take(rows) {
        for column in 0..4 {
            line[column] = shown(row, column);
            line[4] |= shown(row, column);
        }
    }
    known[rows] = [true; 5];
    let start = known.clone();
    loop {
        let mut learnt = false;
        for line in &mut known {
            if line.iter().filter(|known| !**known).count() == 1 {
                *line = [true; 5];
                learnt = true;
            }
        }
        for column in 0..5 {
            if known.iter().filter(|line| !line[column]).count() == 1 {
                known.iter_mut().for_each(|line| line[column] = true);
                learnt = true;
            }
        }
        if !learnt {
            break;
        }
    }
    (0..rows)
        .flat_map(|row| (0..4).map(move |column| (row, column)))
        .find(|(row, column)| known[*row][*column] && !start[*row][*column])
        .map(|at| format!("{at:?}"))
}

proptest! {
    #[test]
    fn nothing_withheld_can_be_worked_out(counts in proptest::collection::vec(proptest::array::uniform4(prop_oneof![0i64..15, 10i64..200]), 2..7)) {
        let names: Vec<String> = (0..counts.len()).map(|row| format!("group {row}")).collect();
        let rows: Vec<(&str, [i64; 4])> = names.iter().map(String::as_str).zip(counts.iter().copied()).collect();
        let tiers: Vec<i64> = (0..4).map(|column| counts.iter().map(|line| line[column]).sum()).collect();
        // The tiers' totals are large, so that they are public.
        prop_assume!(tiers.iter().all(|tier| *tier >= 10) && counts.iter().all(|line| line.iter().sum::<i64>() > 0));
        let cells = table(&rows).cells(10, &BTreeSet::new());
        for cell in &cells {
            prop_assert_eq!(cell.numerator.is_some(), cell.status == Status::Shown);
        }
        for (row, line) in counts.iter().enumerate() {
            let size: i64 = line.iter().sum();
            for (column, count) in line.iter().enumerate() {
                let cell = &cells[1 + row * 4 + column];
                let small = |n: i64| 0 < n && n < 10;
                if small(size) || small(*count) || small(size - count) || *count == size {
                    prop_assert_ne!(cell.status, Status::Shown);
                }
            }
        }
        prop_assert_eq!(worked_out(&counts, &cells), None);
    }
}

/// A roster in which students 1 and 2 are girls.
struct Known;

#[async_trait]
impl Groups for Known {
    async fn tally(&self, group_by: &'static str, students: BTreeMap<String, Vec<Uuid>>) -> Result<Vec<GroupTally>, ReportError> {
        assert_eq!(group_by, "sex");
        let girls = [student(1), student(2)];
        let group = |id: &Uuid| if girls.contains(id) { "female" } else { "not_recorded" }.to_owned();
        Ok(students.iter().flat_map(|(tier, ids)| ids.iter().map(|id| GroupTally { group: group(id), tier: tier.clone(), count: 1 })).collect())
    }
}

#[tokio::test]
async fn the_worked_district_is_counted_once_a_student() {
    let pool = chassis_pg::testing::database(&MIGRATIONS).await;
    apply(&pool, &events()).await;
    let asked = |threshold| Asked { group_by: "sex", school_year: YEAR, as_of: today(), threshold };
    // Student 6 is at two schools; student 3 has no tier; student 4 has left.
    assert_eq!(
        lines(&answer(&pool, &Known, asked(0)).await.unwrap()).into_iter().filter(|line| !line.contains(" 0/")).collect::<Vec<_>>(),
        ["4/4", "female, Tier 2a 1/2", "female, Tier 3 1/2", "not_recorded, Tier 1 1/2", "not_recorded, Tier 2b 1/2"]
    );
    let suppressed = answer(&pool, &Known, asked(10)).await.unwrap();
    assert!(suppressed.iter().all(|cell| cell.numerator.is_none() && cell.denominator.is_none()), "{suppressed:?}");
    assert_eq!(EQUITY, "TR-4");
}
