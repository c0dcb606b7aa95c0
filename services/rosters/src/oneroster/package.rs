//! The zip: is it safe to open, is it OneRoster at all, and which file is where.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::ZipArchive;

use super::finding::{Findings, Place};
use super::limits::{Guard, Limits};
use super::manifest::{self, Manifest, Mode};
use super::rows::{self, FileRows, RowSink, Stopped};
use super::spec::{FileKind, OTHER_FILES};

/// What every refusal of something else ends with.
const EXPECTED: &str = "Expected a OneRoster 1.1 or 1.2 CSV zip with manifest.csv and the CSV files at its root, or in one folder.";

/// A package whose manifest has been read.
#[derive(Debug)]
pub struct Package {
    archive: ZipArchive<BufReader<File>>,
    at: HashMap<FileKind, usize>,
    manifest: Manifest,
    limits: Limits,
    unpacked: u64,
}

impl Package {
    /// Opens a zip. None where it cannot be read as OneRoster; the findings say why. `name` is the file's name
    /// as its owner knows it.
    pub fn open(path: &Path, name: &str, limits: Limits, findings: &mut Findings) -> Option<Self> {
        let mut archive = open_zip(path, name, limits, findings)?;
        let files = list_files(&mut archive, name, limits, findings)?;
        let Some(manifest_at) = find_file(&files, manifest::FILE, findings) else {
            refuse_without_manifest(&files, name, findings);
            return None;
        };
        let mut at = HashMap::new();
        for kind in FileKind::ALL {
            if let Some(index) = find_file(&files, kind.file_name(), findings) {
                at.insert(kind, index);
            }
        }
        let records = read_manifest(&mut archive, manifest_at, limits, findings)?;
        let manifest = manifest::parse(&records, &|kind| at.contains_key(&kind), findings)?;
        note_unread_files(&files, findings);
        Some(Self { archive, at, manifest, limits, unpacked: 0 })
    }

    /// What the package says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes of a file once unpacked, as the zip declares them; good for progress only.
    pub fn declared_bytes(&self, kind: FileKind) -> u64 {
        let size = |index: &usize| self.archive.by_index_data(*index).ok().map(|entry| entry.size());
        self.at.get(&kind).and_then(size).unwrap_or(0)
    }

    /// Reads one file, row by row. Nothing where the manifest declares it absent.
    pub fn read(&mut self, kind: FileKind, findings: &mut Findings, sink: &mut dyn RowSink) -> Result<FileRows, Stopped> {
        let mode = self.manifest.mode(kind);
        let (Some(&index), true) = (self.at.get(&kind), mode != Mode::Absent) else {
            return Ok(FileRows { rows: 0, complete: true });
        };
        let left = self.limits.unpacked_bytes.saturating_sub(self.unpacked);
        let entry = match self.archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                unreadable(kind.file_name(), &error.to_string(), findings);
                return Ok(FileRows { rows: 0, complete: false });
            }
        };
        let (reader, meter) = Guard::new(entry, self.limits.row_bytes + rows::READ_AHEAD as u64, left);
        let task = rows::FileTask { kind, version: self.manifest.version, mode, limits: self.limits };
        let read = rows::read(task, reader, &meter, findings, sink);
        self.unpacked += meter.total();
        read
    }
}

/// Adds the finding for bytes that cannot be unpacked.
pub(super) fn unreadable(file: &str, error: &str, findings: &mut Findings) {
    findings.error("package.unreadable", Place::file(file), error, || {
        "The zip is damaged or packed in a way we cannot read. Make it anew with deflate compression, without a password.".to_owned()
    });
}

fn open_zip(path: &Path, name: &str, limits: Limits, findings: &mut Findings) -> Option<ZipArchive<BufReader<File>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            unreadable(name, &error.to_string(), findings);
            return None;
        }
    };
    let size = file.metadata().map(|meta| meta.len()).unwrap_or(0);
    if size > limits.zip_bytes {
        findings.error("package.too_large", Place::file(name), &size.to_string(), || format!("The zip is larger than {} bytes.", limits.zip_bytes));
        return None;
    }
    let mut start = [0u8; 4];
    let got = file.read(&mut start).unwrap_or(0);
    if got < 4 || &start[..2] != b"PK" {
        findings.error("package.not_zip", Place::file(name), "", || format!("This is not a zip. {EXPECTED}"));
        return None;
    }
    // The archive reader keeps an entry in memory for each one declared: look at the figure first.
    match declared_directory(&mut file, size) {
        Some((entries, bytes)) if entries <= limits.entries && bytes <= 1 << 20 => {}
        Some((entries, _)) => {
            findings.error("package.too_many_entries", Place::file(name), &entries.to_string(), || {
                format!("A package holds at most {} files. {EXPECTED}", limits.entries)
            });
            return None;
        }
        None => {
            unreadable(name, "no end of central directory", findings);
            return None;
        }
    }
    match file.seek(SeekFrom::Start(0)).map_err(zip::result::ZipError::from).and_then(|_| ZipArchive::new(BufReader::with_capacity(64 << 10, file))) {
        Ok(archive) => Some(archive),
        Err(error) => {
            unreadable(name, &error.to_string(), findings);
            None
        }
    }
}

/// Entries and bytes of the central directory, as the end record (the last 22 bytes and a comment) declares them.
fn declared_directory(file: &mut File, size: u64) -> Option<(u64, u64)> {
    let tail = size.min(22 + 65_535);
    file.seek(SeekFrom::Start(size - tail)).ok()?;
    let mut bytes = Vec::with_capacity(tail as usize);
    file.take(tail).read_to_end(&mut bytes).ok()?;
    let mut most: Option<(u64, u64)> = None;
    // Whichever end record the archive reader picks, the largest figures are the ones to fear.
    for at in (0..bytes.len().saturating_sub(21)).filter(|at| bytes[*at..].starts_with(b"PK\x05\x06")) {
        let entries = u64::from(u16::from_le_bytes([bytes[at + 10], bytes[at + 11]]));
        let length = u64::from(u32::from_le_bytes([bytes[at + 12], bytes[at + 13], bytes[at + 14], bytes[at + 15]]));
        let (e, l) = most.unwrap_or((0, 0));
        most = Some((e.max(entries), l.max(length)));
    }
    most
}

/// Names and indexes of the files, without their one common folder.
fn list_files(archive: &mut ZipArchive<BufReader<File>>, name: &str, limits: Limits, findings: &mut Findings) -> Option<HashMap<String, usize>> {
    if archive.has_duplicate_names() {
        findings.error("package.duplicate_name", Place::file(name), "", || {
            "The zip holds two entries of the same name, so nobody can say which one counts.".to_owned()
        });
        return None;
    }
    let mut listed: Vec<(String, String, usize)> = Vec::new();
    let mut declared: u64 = 0;
    for index in 0..archive.len() {
        let entry = match archive.by_index_raw(index) {
            Ok(entry) => entry,
            Err(error) => {
                unreadable(name, &error.to_string(), findings);
                return None;
            }
        };
        let path = entry.name().map(|name| name.into_owned()).unwrap_or_default();
        if entry.is_dir() || path.starts_with("__MACOSX/") || path.ends_with(".DS_Store") {
            continue;
        }
        if entry.enclosed_name().is_none() || entry.is_symlink() || path.contains("..") || path.contains('\\') {
            findings.error("package.path", Place::file(name), &path, || "An entry's path leads out of the zip, or is a link. Zip the plain files.".to_owned());
            return None;
        }
        if entry.encrypted() {
            findings.error("package.encrypted", Place::file(&path), "", || {
                "The entry is encrypted. Zip it without a password; the connection protects it.".to_owned()
            });
            return None;
        }
        declared = declared.saturating_add(entry.size());
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        listed.push((folder.to_owned(), file.to_owned(), index));
    }
    if declared > limits.unpacked_bytes {
        findings.error("package.too_large", Place::file(name), &declared.to_string(), || {
            format!("Unpacked, the files are larger than {} bytes.", limits.unpacked_bytes)
        });
        return None;
    }
    // Files count where the manifest lies; where there is none, the findings need every name.
    let home = listed.iter().find(|(_, file, _)| file.eq_ignore_ascii_case(manifest::FILE)).map(|(folder, _, _)| folder.clone());
    if let Some(home) = &home
        && home.contains('/')
    {
        findings.error("package.nesting", Place::file(name), home, || format!("The files lie more than one folder deep. {EXPECTED}"));
        return None;
    }
    let mut files = HashMap::new();
    for (folder, file, index) in listed {
        if home.as_ref().is_none_or(|home| *home == folder) {
            files.insert(file, index);
        } else {
            findings.warning("package.unknown_file", Place::file(&format!("{folder}/{file}")), "", || {
                "The file lies in another folder than manifest.csv and was left out.".to_owned()
            });
        }
    }
    Some(files)
}

fn find_file(files: &HashMap<String, usize>, wanted: &str, findings: &mut Findings) -> Option<usize> {
    if let Some(index) = files.get(wanted) {
        return Some(*index);
    }
    let (name, index) = files.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    findings.warning("package.file_name_case", Place::file(name), "", || format!("The file's name should be {wanted}, in exactly this letter case."));
    Some(*index)
}

fn refuse_without_manifest(files: &HashMap<String, usize>, name: &str, findings: &mut Findings) {
    let has = |file: &str| files.keys().any(|name| name.eq_ignore_ascii_case(file));
    let what = if has("School.csv") && has("Section.csv") {
        "This is a Microsoft School Data Sync (version 1) set, which has no manifest.csv."
    } else if has("userFlags.csv") || has("relationships.csv") {
        "This is a Microsoft School Data Sync 2.1 set, which resembles OneRoster but has no manifest.csv."
    } else if files.keys().any(|name| name.to_ascii_lowercase().ends_with(".xml")) {
        "The zip holds XML files, as an Ed-Fi set does, and no manifest.csv."
    } else if has("users.csv") || has("orgs.csv") {
        "The zip holds OneRoster files but no manifest.csv, as a version 1.0 set does. Export version 1.1 or 1.2."
    } else {
        "The zip holds no manifest.csv."
    };
    findings.error("package.manifest_missing", Place::file(name), "", || format!("{what} {EXPECTED}"));
}

fn note_unread_files(files: &HashMap<String, usize>, findings: &mut Findings) {
    for name in files.keys() {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        if same(manifest::FILE) || FileKind::ALL.iter().any(|kind| same(kind.file_name())) {
            continue;
        }
        if OTHER_FILES.iter().any(|other| same(other)) {
            findings.warning("package.file_not_imported", Place::file(name), "", || "Gradebook, resource and profile files are not imported.".to_owned());
        } else {
            findings.warning("package.unknown_file", Place::file(name), "", || "The file is no part of OneRoster and was left out.".to_owned());
        }
    }
}

fn read_manifest(archive: &mut ZipArchive<BufReader<File>>, index: usize, limits: Limits, findings: &mut Findings) -> Option<Vec<(u64, String, String)>> {
    let entry = match archive.by_index(index) {
        Ok(entry) => entry,
        Err(error) => {
            unreadable(manifest::FILE, &error.to_string(), findings);
            return None;
        }
    };
    let (guard, _) = Guard::new(entry, limits.row_bytes, 1 << 20);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(guard);
    let mut records = Vec::new();
    for record in reader.byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                unreadable(manifest::FILE, &error.to_string(), findings);
                return None;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| {
            let text = String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
            text.trim_start_matches('\u{feff}').trim().to_owned()
        };
        records.push((line, cell(0), cell(1)));
    }
    Some(records)
}
