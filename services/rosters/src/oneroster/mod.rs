//! Reads OneRoster 1.1 and 1.2 CSV packages as a stream.
//!
//! The reader knows the format and nothing of our database: it checks the package, its manifest, headers and
//! every cell, and hands normalised rows on. What needs more than one row at a time (duplicates, references)
//! is checked in SQL over the staged rows, so that memory stays small whatever the size of a file.

mod cell;
mod finding;
mod header;
mod limits;
mod line_ends;
mod manifest;
mod package;
mod rows;
mod spec;

pub use cell::LIST_SEPARATOR;
pub(crate) use cell::mended_grade as grade_code;
pub use finding::{Finding, Findings, Place, Severity};
pub use limits::Limits;
pub use manifest::{Manifest, Mode};
pub use package::Package;
pub use rows::{FileRows, Row, RowSink, Stopped};
pub use spec::{Column, FileKind, Kind, Version};

#[cfg(test)]
mod tests;
