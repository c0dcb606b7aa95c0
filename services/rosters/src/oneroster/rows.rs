//! One file, row by row: every cell checked, brought to its normal form and handed on.

use std::io::Read;

use csv::ByteRecord;

use super::cell;
use super::finding::{Findings, Place, Severity};
use super::header::{self, Header};
use super::limits::{Excess, Guard, Limits, Meter};
use super::line_ends::LineEnds;
use super::manifest::Mode;
use super::package::unreadable;
use super::spec::{Column, FileKind, Kind, Need, Version};

/// Bytes that the CSV reader reads ahead of the record in hand.
pub(super) const READ_AHEAD: usize = 64 << 10;

/// Whoever takes the rows has gone away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the import was stopped")]
pub struct Stopped;

/// Takes rows as they are read.
pub trait RowSink {
    /// A file begins; its rows will carry these columns.
    fn begin(&mut self, kind: FileKind, columns: &[&'static Column]) -> Result<(), Stopped>;
    /// The next row.
    fn row(&mut self, row: &Row<'_>) -> Result<(), Stopped>;
    /// The file is done.
    fn end(&mut self, kind: FileKind) -> Result<(), Stopped>;
}

/// A row in normal form: dates as ISO, booleans as `t` and `f`, lists with [`super::LIST_SEPARATOR`].
#[derive(Debug)]
pub struct Row<'a> {
    /// Line on which the row begins.
    pub line: u64,
    columns: &'static [Column],
    text: &'a str,
    spans: &'a [Option<(u32, u32)>],
    carried: &'a [usize],
}

impl Row<'_> {
    /// A cell by the column's name in the specification.
    pub fn get(&self, name: &str) -> Option<&str> {
        let index = self.columns.iter().position(|column| column.name == name)?;
        self.at(index)
    }

    /// The cells of the columns that [`RowSink::begin`] named, in that order.
    pub fn cells(&self) -> impl Iterator<Item = (&'static Column, Option<&str>)> {
        self.carried.iter().map(|&index| (&self.columns[index], self.at(index)))
    }

    fn at(&self, index: usize) -> Option<&str> {
        let (start, end) = self.spans[index]?;
        self.text.get(start as usize..end as usize)
    }
}

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRows {
    /// Data rows.
    pub rows: u64,
    /// False where the file could not be read to its end, so that nothing can be said about references into it.
    pub complete: bool,
}

/// What to read, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileTask {
    pub(super) kind: FileKind,
    pub(super) version: Version,
    pub(super) mode: Mode,
    pub(super) limits: Limits,
}

/// Reads a file.
pub(super) fn read<R: Read>(task: FileTask, reader: Guard<R>, meter: &Meter, findings: &mut Findings, sink: &mut dyn RowSink) -> Result<FileRows, Stopped> {
    let file = task.kind.file_name();
    let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(READ_AHEAD).from_reader(LineEnds::new(reader));
    let mut record = ByteRecord::new();
    let mut counted = FileRows { rows: 0, complete: false };
    if !matches!(csv.read_byte_record(&mut record), Ok(true)) {
        if meter.total() == 0 {
            findings.error("header.missing", Place::file(file), "", || "The file is empty; even a file without rows has its header.".to_owned());
        } else {
            unreadable(file, "the header could not be read", findings);
        }
        return Ok(counted);
    }
    let Some(header) = read_header(task, &record, findings) else {
        return Ok(counted);
    };
    let mut checker = RowChecker::new(task, header);
    let carried: Vec<&'static Column> = checker.carried.iter().map(|&index| &checker.columns[index]).collect();
    sink.begin(task.kind, &carried)?;
    loop {
        meter.row_done();
        let begun = csv.position().line();
        match csv.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                stopped_reading(file, begun, meter, &error.to_string(), findings);
                sink.end(task.kind)?;
                return Ok(counted);
            }
        }
        counted.rows += 1;
        let line = first_line(csv.position().line(), &record);
        if let Some(row) = checker.check(line, &record, findings) {
            sink.row(&row)?;
        }
    }
    sink.end(task.kind)?;
    counted.complete = true;
    Ok(counted)
}

/// The line on which a record begins, from that on which the next may. The reader's own account of where a record begins
/// is from before the blank lines that it skips.
fn first_line(next: u64, record: &ByteRecord) -> u64 {
    let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    next.saturating_sub(within + 1)
}

fn stopped_reading(file: &str, line: u64, meter: &Meter, error: &str, findings: &mut Findings) {
    match meter.excess() {
        Some(Excess::Row) => findings.error("row.too_long", Place { file, line, column: "" }, "", || {
            "The row does not come to an end. Most often a quote is opened near here and never closed.".to_owned()
        }),
        Some(Excess::Unpacked) => {
            findings.error("package.too_large", Place { file, line, column: "" }, "", || "Unpacked, the files are larger than we read.".to_owned())
        }
        None => unreadable(file, error, findings),
    }
}

fn read_header(task: FileTask, record: &ByteRecord, findings: &mut Findings) -> Option<Header> {
    let file = task.kind.file_name();
    let place = Place { file, line: 1, column: "" };
    let first = record.get(0).unwrap_or_default();
    if first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]) {
        findings.error("encoding.utf16", place, "", || "The file is UTF-16. Save it as UTF-8.".to_owned());
        return None;
    }
    let mut cells = Vec::with_capacity(record.len());
    for cell in record {
        let Ok(text) = std::str::from_utf8(cell) else {
            findings
                .error("encoding.invalid_utf8", place, &String::from_utf8_lossy(cell), || "The header is not valid UTF-8. Save the file as UTF-8.".to_owned());
            return None;
        };
        cells.push(text.trim_start_matches('\u{feff}').trim().trim_matches('"').to_owned());
    }
    header::read(task.kind, task.version, &cells, findings)
}

/// Checks rows of one file. Its buffers are used again for each row.
struct RowChecker {
    task: FileTask,
    columns: &'static [Column],
    header: Header,
    carried: Vec<usize>,
    text: String,
    spans: Vec<Option<(u32, u32)>>,
}

impl RowChecker {
    fn new(task: FileTask, header: Header) -> Self {
        let columns = task.kind.columns();
        let carried = (0..columns.len()).filter(|&i| !columns[i].stage.is_empty() && header.at[i].is_some()).collect();
        Self { task, columns, header, carried, text: String::new(), spans: vec![None; columns.len()] }
    }

    /// None where the row cannot even be named.
    fn check(&mut self, line: u64, record: &ByteRecord, findings: &mut Findings) -> Option<Row<'_>> {
        let file = self.task.kind.file_name();
        self.check_width(line, record, findings);
        self.text.clear();
        let mut deleted = false;
        for index in 0..self.columns.len() {
            let column = &self.columns[index];
            self.spans[index] = None;
            if column.kind == Kind::Secret {
                continue;
            }
            let place = Place { file, line, column: column.name };
            let bytes = self.header.at[index].and_then(|at| record.get(at)).unwrap_or_default();
            let Ok(raw) = std::str::from_utf8(bytes) else {
                findings.error("encoding.invalid_utf8", place, &String::from_utf8_lossy(bytes), || {
                    "The cell is not valid UTF-8, most often because the file was saved as Windows-1252. Save it as UTF-8.".to_owned()
                });
                return None;
            };
            let start = self.text.len();
            if self.take_cell(column, raw.trim(), place, deleted, findings) && self.text.len() > start {
                self.spans[index] = Some((start as u32, self.text.len() as u32));
            } else {
                self.text.truncate(start);
            }
            if column.kind == Kind::Status {
                deleted = &self.text[start..] == "t";
            }
            if index == 0 && self.spans[0].is_none() {
                return None;
            }
        }
        let row = Row { line, columns: self.columns, text: &self.text, spans: &self.spans, carried: &self.carried };
        if !deleted {
            check_across(self.task.kind, &row, record, &self.header, findings);
        }
        Some(row)
    }

    fn check_width(&self, line: u64, record: &ByteRecord, findings: &mut Findings) {
        let place = Place { file: self.task.kind.file_name(), line, column: "" };
        if record.len() < self.header.width {
            findings.warning("row.too_few_cells", place, &record.len().to_string(), || {
                format!("The header has {} columns; the cells missing at the end are read as blank.", self.header.width)
            });
        } else if record.len() > self.header.width {
            let extra = record.iter().skip(self.header.width).any(|cell| !cell.trim_ascii().is_empty());
            let hint = || format!("The header has {} columns, the row has more. Put cells that hold a comma into double quotes.", self.header.width);
            let severity = if extra { Severity::Error } else { Severity::Warning };
            findings.add(severity, "row.too_many_cells", place, &record.len().to_string(), 1, hint);
        }
    }

    /// Appends the normal form of a cell to the row's text; false where the cell counts as empty. Of rows that
    /// are marked deleted only the identifier matters.
    fn take_cell(&mut self, column: &'static Column, text: &str, place: Place<'_>, deleted: bool, findings: &mut Findings) -> bool {
        let demanded = column.is_in(self.task.version);
        if cell::is_blank(column.kind, text) {
            if column.kind == Kind::Status {
                if self.task.mode == Mode::Delta {
                    findings.error("status.missing", place, "", || "In a delta file every row says active or tobedeleted.".to_owned());
                }
                self.text.push('f');
                return true;
            }
            let hint = || format!("The specification requires a value for {} in every row.", column.name);
            match column.need {
                Need::Must if demanded && !deleted => findings.error("cell.missing", place, "", hint),
                Need::Should if demanded && !deleted && self.has(column) => {
                    findings.warning("cell.missing", place, "", hint);
                }
                _ => {}
            }
            return false;
        }
        let is_id = matches!(column.kind, Kind::Id);
        let limit = match column.kind {
            Kind::Id => self.task.limits.id_chars,
            Kind::IdList | Kind::TextList | Kind::Grades | Kind::UserIds => self.task.limits.cell_chars,
            _ => self.task.limits.text_chars,
        };
        if text.len() > limit && text.chars().count() > limit {
            findings.error("cell.too_long", place, text, || format!("The cell holds more than {limit} characters."));
            return false;
        }
        let cleaned;
        let mut text = text;
        if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            let hint = || "The cell holds a line break or another control character; remove it.".to_owned();
            if is_id {
                findings.error("cell.control_character", place, text, hint);
                return false;
            }
            findings.warning("cell.control_character", place, text, hint);
            cleaned = text.replace(|c: char| c.is_ascii_control(), " ");
            text = cleaned.trim();
        }
        match cell::normalise(column.kind, text, self.task.version, &mut self.text) {
            None => true,
            Some(fault) if deleted => fault.taken,
            Some(fault) => {
                // Dropping a date would change what the row means; other optional cells can be done without.
                let grave = column.need == Need::Must || matches!(column.kind, Kind::Date | Kind::Status);
                let severity = if grave && !fault.taken { Severity::Error } else { Severity::Warning };
                findings.add(severity, fault.rule, place, text, 1, || {
                    let left_out = if severity == Severity::Warning && !fault.taken { " The cell was left out." } else { "" };
                    format!("{}{left_out}", fault.hint)
                });
                fault.taken
            }
        }
    }

    /// Whether the file has the column at all: a missing one was already reported, once.
    fn has(&self, column: &Column) -> bool {
        self.columns.iter().position(|c| c.name == column.name).is_some_and(|i| self.header.at[i].is_some())
    }
}

/// Rules about several cells of one row.
fn check_across(kind: FileKind, row: &Row<'_>, record: &ByteRecord, header: &Header, findings: &mut Findings) {
    let place = |column| Place { file: kind.file_name(), line: row.line, column };
    match kind {
        FileKind::AcademicSessions => {
            if let (Some(start), Some(end)) = (row.get("startDate"), row.get("endDate"))
                && start >= end
            {
                findings.error("date.order", place("endDate"), end, || "A session must begin before it ends; the end date is exclusive.".to_owned());
            }
        }
        FileKind::Roles | FileKind::Enrollments => {
            if let (Some(begin), Some(end)) = (row.get("beginDate"), row.get("endDate"))
                && begin > end
            {
                findings.error("date.order", place("endDate"), end, || "The end date lies before the begin date.".to_owned());
            }
            if kind == FileKind::Enrollments && row.get("primary") == Some("t") && row.get("role") != Some("teacher") {
                findings.warning("enrollment.primary_role", place("primary"), "true", || "Only a teacher can be primary; the mark was left out.".to_owned());
            }
        }
        FileKind::Classes | FileKind::Courses => {
            let length = |name: &str| {
                let index = kind.columns().iter().position(|column| column.name == name)?;
                let bytes = record.get(header.at[index]?)?;
                Some(cell::list_len(std::str::from_utf8(bytes).ok()?))
            };
            if let (Some(subjects @ 1..), Some(codes @ 1..)) = (length("subjects"), length("subjectCodes"))
                && subjects != codes
            {
                findings.warning("list.length", place("subjectCodes"), &codes.to_string(), || {
                    format!("There are {subjects} subjects and {codes} subject codes; give as many of each.")
                });
            }
        }
        FileKind::Users => {
            if row.get("givenName").is_none() && row.get("familyName").is_none() {
                findings.error("user.nameless", place("familyName"), "", || "A user needs at least a given or a family name.".to_owned());
            }
        }
        FileKind::Orgs | FileKind::Demographics => {}
    }
}
