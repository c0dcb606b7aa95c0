//! The file: delimiter, encoding, quotes and lines, read a batch at a time.

use std::io::{BufReader, Read, Seek, SeekFrom};

use csv::{ByteRecord, ReaderBuilder};

use super::columns::Header;
use super::entity::{Finding, Row};
use super::line_ends::LineEnds;
use super::row;

/// Rows of a batch; as many as students are matched at once.
pub const BATCH: usize = 500;
/// Rows of a file.
pub const MOST_ROWS: u64 = 100_000;
/// Bytes of one row: more means that a quote is not closed.
const LONGEST_ROW: usize = 16 * 1024;

/// Rows that read well, and what was found on the way.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows.
    pub rows: Vec<Row>,
    /// Findings.
    pub findings: Vec<Finding>,
    /// Rows read so far, good or not.
    pub read: u64,
    /// Bytes read so far.
    pub bytes: u64,
}

/// Reads a file to its end or until `sink` says that nobody listens.
pub fn read<R: Read + Seek>(mut file: R, mut sink: impl FnMut(Batch) -> bool) -> std::io::Result<()> {
    let delimiter = delimiter(&mut file)?;
    let mut csv = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(LineEnds::new(BufReader::new(file)));
    let mut record = ByteRecord::new();
    let mut batch = Batch::default();
    let first = csv.read_byte_record(&mut record);
    let header = match (first, cells(&record)) {
        (Ok(true), Some(cells)) => {
            let (header, findings) = Header::read(cells.into_iter());
            batch.findings = findings;
            header
        }
        (Ok(true), None) => {
            batch.findings.push(Finding::error(1, "", "NOT_UTF8", "the file must be UTF-8; save it again as \"CSV UTF-8\""));
            Header::default()
        }
        _ => {
            batch.findings.push(Finding::error(1, "", "FILE_EMPTY", "the file is empty; its first line names the columns"));
            Header::default()
        }
    };
    if batch.findings.iter().any(|f| f.severity == super::entity::Severity::Error) {
        sink(batch);
        return Ok(());
    }
    loop {
        let earliest = csv.position().line();
        match csv.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(std::io::Error::other(error)),
        }
        batch.read += 1;
        batch.bytes = csv.position().byte();
        let line = line_of(csv.position().line(), &record).max(earliest);
        if batch.read > MOST_ROWS {
            batch.findings.push(Finding::error(line, "", "TOO_MANY_ROWS", format!("the file must have at most {MOST_ROWS} rows; cut it into several")));
            break;
        }
        if record.as_slice().len() > LONGEST_ROW {
            batch.findings.push(Finding::error(line, "", "ROW_TOO_LARGE", "the row is too large; a quote that opens on this line may not be closed"));
        } else if let Some(cells) = cells(&record) {
            // Spreadsheets end with rows of delimiters.
            if cells.iter().any(|c| !c.trim().is_empty()) {
                batch.rows.extend(row::read(&header, line, &cells, &mut batch.findings));
            }
        } else {
            batch.findings.push(Finding::error(line, "", "NOT_UTF8", "the row is not UTF-8; save the file again as \"CSV UTF-8\""));
        }
        if batch.read % BATCH as u64 == 0 {
            let next = Batch { read: batch.read, bytes: batch.bytes, ..Batch::default() };
            if !sink(std::mem::replace(&mut batch, next)) {
                return Ok(());
            }
        }
    }
    sink(batch);
    Ok(())
}

fn cells(record: &ByteRecord) -> Option<Vec<&str>> {
    record.iter().map(|cell| std::str::from_utf8(cell).ok()).collect()
}

/// The line on which a record begins, from that on which the next may: the reader's own account is from before the blank
/// lines that it skips.
fn line_of(next: u64, record: &ByteRecord) -> u64 {
    let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    next.saturating_sub(within + 1)
}

/// What stands between cells, by the first line; leaves the file after its byte order mark.
fn delimiter<R: Read + Seek>(file: &mut R) -> std::io::Result<u8> {
    let mut start = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut start)?;
    let marked = start.starts_with(b"\xEF\xBB\xBF");
    file.seek(SeekFrom::Start(if marked { 3 } else { 0 }))?;
    let line = start.split(|b| *b == b'\n' || *b == b'\r').find(|line| !line.is_empty()).unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|b| **b == delimiter).count();
    Ok(if count(b';') > count(b',') { b';' } else { b',' })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn all(file: &[u8]) -> (Vec<Row>, Vec<Finding>, u64) {
        let (mut rows, mut findings, mut read_rows) = (Vec::new(), Vec::new(), 0);
        read(Cursor::new(file), |batch| {
            rows.extend(batch.rows);
            findings.extend(batch.findings);
            read_rows = batch.read;
            true
        })
        .unwrap();
        (rows, findings, read_rows)
    }

    #[test]
    fn files_are_read_as_spreadsheets_write_them() {
        let plain = "student,date,service_category,minutes,note\n1,2026-10-05,ED-TUT,45,\"a, \"\"b\"\"\nc\"\n\n2,2026-10-06,ED-TUT,30,\n,,,,\n";
        let semicolons = plain.replace("a, ", "a@ ").replace(',', ";").replace('@', ",");
        for file in
            [plain.to_owned(), plain.replace('\n', "\r\n"), plain.replace('\n', "\r"), format!("\u{feff}{plain}"), semicolons, plain.trim_end().to_owned()]
        {
            let (rows, findings, _) = all(file.as_bytes());
            assert_eq!(findings, []);
            assert_eq!(rows.iter().map(|r| (r.line, r.clue.identifier.as_str(), r.minutes)).collect::<Vec<_>>(), [(2, "1", Some(45)), (5, "2", Some(30))]);
            assert_eq!(rows[0].note, "a, \"b\"\nc");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let codes = |file: &[u8]| all(file).1.iter().map(|f| (f.line, f.code)).collect::<Vec<_>>();
        assert_eq!(codes(b""), [(1, "FILE_EMPTY")]);
        assert_eq!(codes(b"\xff\xfes\0t\0u\0"), [(1, "NOT_UTF8")]);
        assert_eq!(codes(b"1,2026-10-05,ED-TUT,45\n"), [(1, "HEADER_MISSING")]);
        let header = b"student,date,service_category,minutes\n";
        let file = |rest: &[u8]| [header, rest].concat();
        assert_eq!(codes(&file(b"1,2026-10-05,ED-TUT,45\n\xe9,2026-10-05,ED-TUT,45\n")), [(3, "NOT_UTF8")]);
        assert_eq!(codes(&file(b"1,2026-10-05,ED-TUT,45,46\n")), [(2, "ROW_TOO_LONG")]);
        assert_eq!(codes(&file(b"\n\n1,2026-10-05,ED-TUT,45,46")), [(4, "ROW_TOO_LONG")]);
        let endless = [b"\"1,2026-10-05,ED-TUT,45\n".as_slice(), &b"2,2026-10-05,ED-TUT,45\n".repeat(2000)].concat();
        assert_eq!(codes(&file(&endless)), [(2, "ROW_TOO_LARGE")]);
    }

    #[test]
    fn rows_come_in_batches_and_end_with_nobody_listening() {
        let mut file = b"student,date,service_category,minutes\n".to_vec();
        file.extend(b"1,2026-10-05,ED-TUT,45\n".repeat(1200));
        let mut sizes = Vec::new();
        read(Cursor::new(&file), |batch| {
            sizes.push(batch.rows.len());
            true
        })
        .unwrap();
        assert_eq!(sizes, [500, 500, 200]);
        let mut heard = 0;
        read(Cursor::new(&file), |_| {
            heard += 1;
            false
        })
        .unwrap();
        assert_eq!(heard, 1);
    }
}
