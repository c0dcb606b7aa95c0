//! A row of a service log, what can be wrong with it, and which enrolment it is a session of. All pure.

use std::fmt;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::codes::{Attendance, DeliveryMode};
use crate::delivery::entity::{self as delivery, Delivery, Source, Span};

/// Whether a finding stops the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

impl Severity {
    /// As the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something about a row. Values of the row are never in it: they may be personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line in the file, 1 is the header.
    pub line: u64,
    /// Column; empty where it is about the row.
    pub column: &'static str,
    /// Whether it stops the import.
    pub severity: Severity,
    /// What, for programs.
    pub code: &'static str,
    /// What, and how to mend it.
    pub message: String,
}

impl Finding {
    /// One that stops the import.
    pub fn error(line: u64, column: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { line, column, severity: Severity::Error, code, message: message.into() }
    }
    /// One that does not.
    pub fn warning(line: u64, column: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(line, column, code, message) }
    }
}

/// Who a row is about, as it says.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Clue {
    /// Identifier of the student information system, or our id.
    pub identifier: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// ISO date.
    pub birth_date: String,
    /// Grade.
    pub grade: String,
}

impl fmt::Debug for Clue {
    /// Not printed: it is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clue")
    }
}

/// A row that reads well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line in the file.
    pub line: u64,
    /// Who.
    pub clue: Clue,
    /// When.
    pub delivered_on: NaiveDate,
    /// Only enrolments of this category.
    pub service_category: String,
    /// Only enrolments in this group: its name or id.
    pub group: String,
    /// Only enrolments of this item.
    pub plan_item: Option<Uuid>,
    /// Delivered minutes; what was planned where none and the student was there.
    pub minutes: Option<i16>,
    /// Whether the student was there.
    pub attendance: Attendance,
    /// How it was done.
    pub mode: Option<DeliveryMode>,
    /// In words.
    pub note: String,
}

/// An enrolment that a row may be about.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its id.
    pub enrolment_id: Uuid,
    /// The item it is for.
    pub plan_item_id: Uuid,
    /// Who.
    pub student_id: Uuid,
    /// Category of its item.
    pub service_category: String,
    /// Its group.
    pub group_id: Option<Uuid>,
    /// Name of its group; empty where there is none.
    pub group_name: String,
    /// Minutes a session.
    pub minutes_per_session: i16,
    /// When sessions of it may be logged.
    pub span: Span,
}

/// The enrolment of a row, out of those of its student; else what is wrong and how to mend it.
pub fn choose<'c>(row: &Row, candidates: impl Iterator<Item = &'c Candidate>) -> Result<&'c Candidate, Finding> {
    let named = |c: &&Candidate| {
        (row.service_category.is_empty() || row.service_category == c.service_category)
            && row.plan_item.is_none_or(|item| item == c.plan_item_id)
            && (row.group.is_empty()
                || c.group_id.is_some_and(|id| id.to_string() == row.group.to_lowercase())
                || !c.group_name.is_empty() && c.group_name.to_lowercase() == row.group.to_lowercase())
    };
    let fits: Vec<&Candidate> = candidates.filter(named).collect();
    let open: Vec<&Candidate> = fits
        .iter()
        .filter(|c| c.span.started_on.is_some_and(|start| start <= row.delivered_on) && c.span.ended_on.is_none_or(|end| row.delivered_on <= end))
        .copied()
        .collect();
    match (open.as_slice(), fits.len()) {
        ([one], _) => Ok(one),
        ([], 0) => Err(Finding::error(
            row.line,
            "",
            "ENROLMENT_MISSING",
            "the student has no plan item with an enrolment in this service; add the item to the plan, enrol the student and start it, or mend service_category, group or plan_item",
        )),
        ([], _) => Err(Finding::error(
            row.line,
            "date",
            "ENROLMENT_NOT_RUNNING",
            "the student's enrolment in this service did not run on this day; mend the date, or start the enrolment from that day",
        )),
        _ => Err(Finding::error(
            row.line,
            "plan_item",
            "ENROLMENT_AMBIGUOUS",
            "the student has several enrolments in this service on this day; name the one by its plan_item or group",
        )),
    }
}

/// What of a file makes a delivery the same again: the enrolment, what is said of the session, and that it is said the
/// `occurrence`th time.
pub fn delivery_id(row: &Row, enrolment: &Candidate, minutes: i16, occurrence: u32) -> Uuid {
    const SERVICE_LOG: Uuid = Uuid::from_u128(0x8f3d_9c1e_52b7_5d6a_9f04_77e2_a6c1_0b35);
    let mode = row.mode.map_or("", DeliveryMode::as_str);
    let said = format!("{} {} {minutes} {} {mode} {occurrence} {}", enrolment.enrolment_id, row.delivered_on, row.attendance.as_str(), row.note);
    Uuid::new_v5(&SERVICE_LOG, said.as_bytes())
}

/// The delivery of a row; `occurrence` tells how often the same was said before in this file.
pub fn delivery(row: &Row, enrolment: &Candidate, occurrence: impl FnOnce(Uuid) -> u32, today: NaiveDate) -> Result<Delivery, Finding> {
    let minutes = match (row.minutes, row.attendance) {
        (Some(minutes), _) => minutes,
        (None, Attendance::Present) => enrolment.minutes_per_session,
        (None, _) => 0,
    };
    let first = delivery_id(row, enrolment, minutes, 0);
    let id = match occurrence(first) {
        0 => first,
        more => delivery_id(row, enrolment, minutes, more),
    };
    let planned = enrolment.minutes_per_session;
    let delivery = Delivery {
        mode: row.mode.or(enrolment.group_id.map(|_| DeliveryMode::SmallGroup)),
        note: row.note.clone(),
        source: Source::File,
        group_id: enrolment.group_id,
        ..Delivery::plain(id, enrolment.enrolment_id, row.delivered_on, (planned, minutes), row.attendance)
    };
    match delivery::refusal(&delivery, enrolment.span, today) {
        None => Ok(delivery),
        Some(("delivered_minutes", message)) => Err(Finding::error(row.line, "minutes", "MINUTES_WITHOUT_ATTENDANCE", message)),
        Some(("delivered_on", message)) => Err(Finding::error(row.line, "date", "DATE_OUTSIDE", message)),
        Some((_, message)) => Err(Finding::error(row.line, "", "ENROLMENT_NOT_RUNNING", message)),
    }
}
