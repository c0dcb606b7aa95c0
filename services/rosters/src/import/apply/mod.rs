//! Brings the staged rows in, set by set. Each function answers what became of its file's rows.
//!
//! New rows are inserted and held rows updated in two statements: an insert that may meet a conflict probes its index
//! first, which costs a third more on the first import of a district.

pub mod members;
pub mod people;
pub mod places;

use crate::oneroster::{FileKind, Manifest, Mode};

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// New to us.
    pub added: i64,
    /// Changed what we hold.
    pub changed: i64,
    /// Held, no longer named.
    pub missing: i64,
    /// Left out.
    pub skipped: i64,
}

/// How each file is to be applied.
#[derive(Debug, Clone, Copy)]
pub struct Modes<'m> {
    manifest: &'m Manifest,
    /// Whether the district held anybody before: where not, there is nothing to compare with.
    pub held: bool,
    /// Whether roles name every school at which a student has classes.
    pub schools_are_told: bool,
}

impl<'m> Modes<'m> {
    /// By the package's manifest.
    pub fn new(manifest: &'m Manifest, held: bool, schools_are_told: bool) -> Self {
        Self { manifest, held, schools_are_told }
    }

    /// Whether rows that a file no longer names are missing.
    pub fn is_whole(&self, kind: FileKind) -> bool {
        self.held && self.manifest.mode(kind) == Mode::Bulk
    }

    /// Whether the roles, from whichever file they come, are the whole truth.
    pub fn roles_are_whole(&self) -> bool {
        self.is_whole(if self.manifest.mode(FileKind::Roles) == Mode::Absent { FileKind::Users } else { FileKind::Roles })
    }
}
