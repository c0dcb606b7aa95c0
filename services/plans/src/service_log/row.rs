//! One row: its cells read into what they mean, with a finding for each that does not.

use chrono::{Datelike as _, NaiveDate};
use uuid::Uuid;

use super::columns::{Column, Header};
use super::entity::{Clue, Finding, Row};
use crate::codes::{Attendance, DeliveryMode};
use crate::grpc::is_code;

/// Characters of a name, an identifier or a group's name.
const LONG: usize = 100;

/// Reads a row. None where it cannot be used; then a finding says why.
pub fn read(header: &Header, line: u64, cells: &[&str], findings: &mut Vec<Finding>) -> Option<Row> {
    let before = findings.len();
    let cell = |column| header.cell(cells, column);
    let mut wrong = |column: Column, code, message: &str| findings.push(Finding::error(line, column.name(), code, message));
    if cells.len() > header.len() {
        wrong(Column::Student, "ROW_TOO_LONG", "the row has more cells than the header; put quotes around cells that hold the delimiter");
        return None;
    }
    for column in [Column::Student, Column::GivenName, Column::FamilyName, Column::Grade, Column::Group] {
        if cell(column).chars().count() > LONG {
            wrong(column, "CELL_TOO_LONG", "must have at most 100 characters; a quote may not be closed");
        }
    }
    let clue = Clue {
        identifier: cell(Column::Student).to_owned(),
        given_name: cell(Column::GivenName).to_owned(),
        family_name: cell(Column::FamilyName).to_owned(),
        birth_date: cell(Column::BirthDate).to_owned(),
        grade: cell(Column::Grade).to_owned(),
    };
    if !clue.birth_date.is_empty() && iso(&clue.birth_date).is_none() {
        wrong(Column::BirthDate, "DATE_NOT_ISO", "must be an ISO date such as 2016-10-05, or left empty");
    }
    let names = [&clue.given_name, &clue.family_name].iter().all(|name| !name.is_empty());
    if clue.identifier.is_empty() && !(names && !(clue.birth_date.is_empty() && clue.grade.is_empty())) {
        wrong(Column::Student, "STUDENT_NOT_GIVEN", "must be given; or give given_name, family_name and birth_date or grade");
    }
    let date = iso(cell(Column::Date));
    if date.is_none() {
        wrong(Column::Date, "DATE_NOT_ISO", "must be an ISO date such as 2026-10-05");
    }
    let service_category = cell(Column::ServiceCategory).to_uppercase();
    if !service_category.is_empty() && !is_code(&service_category) {
        wrong(Column::ServiceCategory, "CATEGORY_UNKNOWN", "must be a code such as ED-TUT");
    }
    let plan_item = cell(Column::PlanItem);
    let item = Uuid::parse_str(plan_item).ok();
    if !plan_item.is_empty() && item.is_none() {
        wrong(Column::PlanItem, "PLAN_ITEM_INVALID", "must be the item's id, a UUID, or left empty");
    }
    let group = cell(Column::Group).to_owned();
    if service_category.is_empty() && plan_item.is_empty() && group.is_empty() {
        wrong(Column::ServiceCategory, "SERVICE_NOT_GIVEN", "must be given; or give group or plan_item");
    }
    let written = cell(Column::Minutes);
    let minutes = written.parse::<i16>().ok().filter(|m| (0..=600).contains(m));
    if !written.is_empty() && minutes.is_none() {
        wrong(Column::Minutes, "MINUTES_INVALID", "must be whole minutes from 0 to 600, without a unit");
    }
    let word = cell(Column::Attendance).to_lowercase().replace([' ', '-'], "_");
    let attendance = if word.is_empty() { minutes.filter(|m| *m > 0).map(|_| Attendance::Present) } else { Attendance::from_code(&word) };
    if attendance.is_none() && (!word.is_empty() || minutes.is_some() || written.is_empty()) {
        wrong(Column::Attendance, "ATTENDANCE_INVALID", &format!("must be one of {}", Attendance::CODES.join(", ")));
    }
    if attendance == Some(Attendance::Partial) && minutes.is_none_or(|m| m == 0) && written.is_empty() {
        wrong(Column::Minutes, "MINUTES_NOT_GIVEN", "must say for how long, where attendance is partial");
    }
    let word = cell(Column::Mode).to_lowercase().replace([' ', '-'], "_");
    let mode = DeliveryMode::from_code(&word);
    if !word.is_empty() && mode.is_none() {
        wrong(Column::Mode, "MODE_INVALID", &format!("must be one of {}, or left empty", DeliveryMode::CODES.join(", ")));
    }
    let note = cell(Column::Note).to_owned();
    if note.chars().count() > 500 || note.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        wrong(Column::Note, "NOTE_INVALID", "must have at most 500 characters and no control characters; a quote may not be closed");
    }
    if findings.len() > before {
        return None;
    }
    Some(Row { line, clue, delivered_on: date?, service_category, group, plan_item: item, minutes, attendance: attendance?, mode, note })
}

fn iso(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| text.len() == 10 && (1900..=2200).contains(&day.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "student,given_name,family_name,birth_date,grade,date,service_category,group,plan_item,minutes,attendance,mode,note";

    fn read_line(line: &str) -> (Option<Row>, Vec<&'static str>) {
        let (header, _) = Header::read(HEADER.split(','));
        let mut findings = Vec::new();
        let row = read(&header, 2, &line.split(',').collect::<Vec<_>>(), &mut findings);
        assert!(findings.iter().all(|f| !f.message.contains("Marker")), "no value is repeated");
        (row, findings.iter().map(|f| f.code).collect())
    }

    #[test]
    fn each_cell_that_means_nothing_has_its_finding() {
        for (line, expected) in [
            ("4711,,,,,2026-10-05,ED-TUT,,,45,,,", &[][..]),
            ("4711,,,,,2026-10-05,ed-tut,,,,absent excused,,", &[]),
            (",Marker,Marker,2016-01-31,,2026-10-05,,Lunch bunch,,45,present,small-group,fine", &[]),
            (",Marker,Marker,,3,2026-10-05,ED-TUT,,,45,,,", &[]),
            (",Marker,Marker,,,2026-10-05,ED-TUT,,,45,,,", &["STUDENT_NOT_GIVEN"]),
            ("Marker,,,,,7/5/16,ED-TUT,,,45,,,", &["DATE_NOT_ISO"]),
            ("Marker,,,1/2/16,,2026-02-30,ED-TUT,,,45,,,", &["DATE_NOT_ISO", "DATE_NOT_ISO"]),
            ("Marker,,,,,2026-10-05,,,,45,,,", &["SERVICE_NOT_GIVEN"]),
            ("Marker,,,,,2026-10-05,Marker is reading,,,45,,,", &["CATEGORY_UNKNOWN"]),
            ("Marker,,,,,2026-10-05,,,Marker,45,,,", &["PLAN_ITEM_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,45 min,,,", &["MINUTES_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,601,present,,", &["MINUTES_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,,,,", &["ATTENDANCE_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,0,,,", &["ATTENDANCE_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,45,Marker,,", &["ATTENDANCE_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,,partial,,", &["MINUTES_NOT_GIVEN"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,45,,Marker,", &["MODE_INVALID"]),
            ("Marker,,,,,2026-10-05,ED-TUT,,,45,,,,one too many", &["ROW_TOO_LONG"]),
            ("Marker", &["DATE_NOT_ISO", "SERVICE_NOT_GIVEN", "ATTENDANCE_INVALID"]),
        ] {
            let (row, codes) = read_line(line);
            assert_eq!(codes, expected, "{line}");
            assert_eq!(row.is_some(), expected.is_empty(), "{line}");
        }
        assert_eq!(read_line("4711,,,,,2026-10-05,ed-tut,,,45,,,").0.unwrap().service_category, "ED-TUT");
    }
}
