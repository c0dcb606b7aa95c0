//! `manifest.csv`: which version a package follows and how each file is given.

use std::collections::HashMap;

use super::finding::{Findings, Place};
use super::spec::{FileKind, Version};

/// Name of the manifest inside the zip.
pub(super) const FILE: &str = "manifest.csv";

/// How a file is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Not in the package.
    Absent,
    /// The complete current set.
    Bulk,
    /// Only what changed since the last exchange.
    Delta,
}

/// What a package says about itself.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Version of the binding.
    pub version: Version,
    modes: HashMap<FileKind, Mode>,
}

impl Manifest {
    /// How a file is given.
    pub fn mode(&self, kind: FileKind) -> Mode {
        self.modes.get(&kind).copied().unwrap_or(Mode::Absent)
    }
}

/// Reads the manifest's records (line, name, value), compares it with the files that are `present`. None where it cannot
/// be used; the findings say why.
pub(super) fn parse(records: &[(u64, String, String)], present: &dyn Fn(FileKind) -> bool, findings: &mut Findings) -> Option<Manifest> {
    let mut properties: HashMap<&str, (u64, &str)> = HashMap::new();
    for (line, name, value) in records {
        if name.eq_ignore_ascii_case("propertyName") || name.is_empty() {
            continue;
        }
        if properties.insert(name.as_str(), (*line, value.as_str())).is_some() {
            findings.error("manifest.duplicate_property", at(*line, "propertyName"), name, || {
                "The property stands twice in the manifest; keep one line for each property.".to_owned()
            });
        }
    }
    let version = version(&properties, findings)?;
    let mut modes = HashMap::new();
    for kind in FileKind::ALL {
        if kind == FileKind::Roles && version == Version::V11 && !properties.contains_key("file.roles") {
            continue;
        }
        modes.insert(kind, mode(kind, &properties, present(kind), findings));
    }
    Some(Manifest { version, modes })
}

fn version(properties: &HashMap<&str, (u64, &str)>, findings: &mut Findings) -> Option<Version> {
    let hint = || "Give oneroster.version as 1.1, 1.2 or 1.2.1; other versions cannot be read.".to_owned();
    match properties.get("oneroster.version") {
        Some((line, value)) => match *value {
            "1.1" | "1.1.1" => Some(Version::V11),
            "1.2" | "1.2.0" | "1.2.1" => Some(Version::V12),
            _ => {
                findings.error("manifest.version", at(*line, "value"), value, hint);
                None
            }
        },
        None => {
            findings.error("manifest.version", Place::file(FILE), "", || {
                "The manifest has no property oneroster.version. Export the set as OneRoster 1.1 or 1.2 CSV.".to_owned()
            });
            None
        }
    }
}

fn mode(kind: FileKind, properties: &HashMap<&str, (u64, &str)>, present: bool, findings: &mut Findings) -> Mode {
    let property = kind.manifest_property();
    let Some((line, value)) = properties.get(property) else {
        if present {
            findings.warning("manifest.property_missing", Place { file: FILE, line: 0, column: property }, "", || {
                format!("The manifest does not name {property}, but the file is there; it is read as bulk.")
            });
            return Mode::Bulk;
        }
        return Mode::Absent;
    };
    let place = at(*line, property);
    let mode = match value.to_ascii_lowercase().as_str() {
        "absent" => Mode::Absent,
        "bulk" => Mode::Bulk,
        "delta" => Mode::Delta,
        "" | "null" => {
            let taken = if present { Mode::Bulk } else { Mode::Absent };
            findings
                .warning("manifest.value_blank", place, value, || format!("Write absent, bulk or delta for {property}; a blank is read as {}.", word(taken)));
            taken
        }
        _ => {
            findings.error("manifest.value", place, value, || format!("Write absent, bulk or delta for {property}."));
            return Mode::Absent;
        }
    };
    match (mode, present) {
        (Mode::Absent, true) => {
            findings.warning("manifest.file_present", Place::file(kind.file_name()), "", || {
                format!("The manifest declares {property} absent, so this file is left out. Declare it bulk or delta.")
            });
            Mode::Absent
        }
        (Mode::Bulk | Mode::Delta, false) => {
            findings.error("manifest.file_missing", place, value, || {
                format!("The manifest declares {} but the zip does not hold it. Add the file or declare it absent.", kind.file_name())
            });
            Mode::Absent
        }
        _ => mode,
    }
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Absent => "absent",
        Mode::Bulk => "bulk",
        Mode::Delta => "delta",
    }
}

fn at<'a>(line: u64, column: &'a str) -> Place<'a> {
    Place { file: FILE, line, column }
}
