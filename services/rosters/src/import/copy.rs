//! Turns rows into COPY text and hands them over in pieces, so that reading and loading go on side by side.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::foresight::Foresight;
use crate::naming::Name;
use crate::oneroster::{Column, FileKind, Kind, LIST_SEPARATOR, Row, RowSink, Stopped};

/// Bytes of one piece.
const PIECE: usize = 128 << 10;
/// Pieces under way between the reader and the database.
pub const PIECES_AHEAD: usize = 8;

/// What the reader sends.
#[derive(Debug)]
pub enum Piece {
    /// A COPY begins with this statement.
    Begin(FileKind, String),
    /// COPY text, and how many rows of the file were read so far.
    Data(Bytes, u64),
    /// The file's COPY ends.
    End,
}

/// Name of a file's staging table.
pub fn stage_table(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Orgs => "rosters.stage_org",
        FileKind::AcademicSessions => "rosters.stage_session",
        FileKind::Courses => "rosters.stage_course",
        FileKind::Classes => "rosters.stage_class",
        FileKind::Users => "rosters.stage_user",
        FileKind::Roles => "rosters.stage_role",
        FileKind::Enrollments => "rosters.stage_enrollment",
        FileKind::Demographics => "rosters.stage_demographics",
    }
}

/// Whether rows of a file bring a new thing into being, which needs an id.
fn has_new_id(kind: FileKind) -> bool {
    matches!(kind, FileKind::Orgs | FileKind::AcademicSessions | FileKind::Courses | FileKind::Classes | FileKind::Users)
}

/// Sends rows as COPY text.
#[derive(Debug)]
pub struct CopySink {
    pieces: mpsc::Sender<Piece>,
    text: BytesMut,
    kind: FileKind,
    rows: u64,
    foresight: Foresight,
}

impl CopySink {
    /// A sink on a channel.
    pub fn new(pieces: mpsc::Sender<Piece>, foresight: Foresight) -> Self {
        Self { pieces, text: BytesMut::with_capacity(PIECE + (PIECE >> 2)), kind: FileKind::Orgs, rows: 0, foresight }
    }

    /// What the first look at the rows that went by came to.
    pub fn foresight(&self) -> &Foresight {
        &self.foresight
    }

    fn send(&self, piece: Piece) -> Result<(), Stopped> {
        self.pieces.blocking_send(piece).map_err(|_| Stopped)
    }

    fn flush(&mut self) -> Result<(), Stopped> {
        let data = self.text.split().freeze();
        self.text.reserve(PIECE + (PIECE >> 2));
        self.send(Piece::Data(data, self.rows))
    }

    fn push(&mut self, text: &str) {
        escape(&mut self.text, text);
    }

    fn push_list<'a>(&mut self, items: impl Iterator<Item = &'a str>) {
        self.text.extend_from_slice(b"{");
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.text.extend_from_slice(b",");
            }
            self.text.extend_from_slice(b"\"");
            if item.contains(['"', '\\']) {
                let quoted = item.replace('\\', "\\\\").replace('"', "\\\"");
                escape(&mut self.text, &quoted);
            } else {
                self.text.extend_from_slice(item.as_bytes());
            }
            self.text.extend_from_slice(b"\"");
        }
        self.text.extend_from_slice(b"}");
    }

    fn names(&mut self, row: &Row<'_>) {
        let name = Name {
            given: row.get("givenName"),
            middle: row.get("middleName"),
            family: row.get("familyName"),
            preferred_given: row.get("preferredGivenName"),
            preferred_family: row.get("preferredFamilyName"),
        };
        self.text.extend_from_slice(b"\t");
        self.push(&name.display());
        self.text.extend_from_slice(b"\t");
        self.push(&name.sort());
        self.text.extend_from_slice(b"\t");
        self.push(&name.search_text(row.get("identifier")));
    }
}

/// COPY's own escapes. Control characters cannot occur: the reader has replaced them.
fn escape(out: &mut BytesMut, text: &str) {
    if text.contains('\\') {
        out.extend_from_slice(text.replace('\\', "\\\\").as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

impl RowSink for CopySink {
    fn begin(&mut self, kind: FileKind, columns: &[&'static Column]) -> Result<(), Stopped> {
        self.kind = kind;
        self.rows = 0;
        self.foresight.begin();
        let mut names = vec!["line"];
        if has_new_id(kind) {
            names.push("new_id");
        }
        names.extend(columns.iter().map(|column| column.stage));
        if kind == FileKind::Users {
            names.extend(["display_name", "sort_name", "search_text"]);
        }
        let statement = format!("copy {} ({}) from stdin", stage_table(kind), names.join(", "));
        self.send(Piece::Begin(kind, statement))
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), Stopped> {
        self.rows += 1;
        self.foresight.see(self.kind, row);
        // Writing to a buffer in memory cannot fail.
        let _ = write!(self.text, "{}", row.line);
        if has_new_id(self.kind) {
            let _ = write!(self.text, "\t{}", Uuid::now_v7());
        }
        for (column, cell) in row.cells() {
            self.text.extend_from_slice(b"\t");
            match cell {
                None => self.text.extend_from_slice(b"\\N"),
                Some(cell) if matches!(column.kind, Kind::IdList | Kind::Grades | Kind::TextList) => self.push_list(cell.split(LIST_SEPARATOR)),
                Some(cell) => self.push(cell),
            }
        }
        if self.kind == FileKind::Users {
            self.names(row);
        }
        self.text.extend_from_slice(b"\n");
        if self.text.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    fn end(&mut self, _: FileKind) -> Result<(), Stopped> {
        self.flush()?;
        self.send(Piece::End)
    }
}
