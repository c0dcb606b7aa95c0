//! The header row: which of our columns stands where.

use super::finding::{Findings, Place};
use super::spec::{Column, FileKind, Need, Version};

/// For each column of the specification, where it stands in the file.
#[derive(Debug)]
pub(super) struct Header {
    /// Index into the record, by index of the specification.
    pub(super) at: Vec<Option<usize>>,
    /// Cells of the header row.
    pub(super) width: usize,
}

/// Matches a header by name: first exactly, then by a known alias, then without regard to letter case. None
/// where the file cannot be read with it.
pub(super) fn read(kind: FileKind, version: Version, cells: &[String], findings: &mut Findings) -> Option<Header> {
    let file = kind.file_name();
    let columns = kind.columns();
    if let [only] = cells
        && (only.contains(';') || only.contains('\t'))
    {
        findings.error("header.delimiter", Place { file, line: 1, column: "" }, only, || {
            "Cells must be separated by commas, not by semicolons or tabs.".to_owned()
        });
        return None;
    }
    let mut header = Header { at: vec![None; columns.len()], width: cells.len() };
    let mut usable = true;
    for (index, cell) in cells.iter().enumerate() {
        let place = Place { file, line: 1, column: cell };
        let Some((column, exact)) = find(columns, cell) else {
            if !is_extension(cell) {
                findings.warning("header.unknown_column", place, cell, || "The column is not part of the specification and was left out.".to_owned());
            }
            continue;
        };
        if header.at[column].is_some() {
            findings.error("header.duplicate_column", place, cell, || format!("The column {} stands twice in the header; keep one.", columns[column].name));
            usable = false;
            continue;
        }
        if !exact {
            findings.warning("header.name", place, cell, || format!("The column is read as {}; name it exactly so.", columns[column].name));
        }
        header.at[column] = Some(index);
    }
    usable &= ask_for_missing(kind, version, &header, findings);
    warn_on_order(file, columns, &header, findings);
    usable.then_some(header)
}

fn find(columns: &[Column], cell: &str) -> Option<(usize, bool)> {
    let position = |test: &dyn Fn(&Column) -> bool| columns.iter().position(test);
    if let Some(column) = position(&|column| column.name == cell) {
        return Some((column, true));
    }
    position(&|column| column.aliases.contains(&cell))
        .or_else(|| position(&|column| column.name.eq_ignore_ascii_case(cell)))
        .or_else(|| position(&|column| column.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(cell))))
        .map(|column| (column, false))
}

fn is_extension(cell: &str) -> bool {
    cell.is_empty() || cell.starts_with("metadata.") || cell.starts_with("ext_") || cell.starts_with("ext.")
}

fn ask_for_missing(kind: FileKind, version: Version, header: &Header, findings: &mut Findings) -> bool {
    let mut usable = true;
    for (column, at) in kind.columns().iter().zip(&header.at) {
        if at.is_some() || !column.is_in(version) {
            continue;
        }
        let place = Place { file: kind.file_name(), line: 1, column: column.name };
        match column.need {
            Need::Must => {
                findings
                    .error("header.missing_column", place, "", || format!("The header lacks the required column {}. Export the file with it.", column.name));
                usable = false;
            }
            Need::Should => findings.warning("header.missing_column", place, "", || {
                format!("The header lacks {}, which the specification requires; it is read as blank.", column.name)
            }),
            Need::May => {}
        }
    }
    usable
}

fn warn_on_order(file: &str, columns: &[Column], header: &Header, findings: &mut Findings) {
    let mut last = 0;
    for (column, at) in columns.iter().zip(&header.at) {
        let Some(at) = *at else { continue };
        if at < last {
            findings.warning("header.order", Place { file, line: 1, column: column.name }, "", || {
                "The columns are not in the order of the specification; they were matched by name.".to_owned()
            });
            return;
        }
        last = at;
    }
}
