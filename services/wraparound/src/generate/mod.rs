//! Generates a fictional OneRoster 1.2 district: realistic in shape, the same for the same seed.
//!
//! Nobody in it exists. The district is written as a stream: only its plan (schools and grades) is in memory, and every person
//! follows from the seed and a number.

mod files;
mod names;
mod people;
mod plan;
mod tables;

use std::io::{Seek, Write};

use anyhow::{Context as _, ensure};
use chrono::{Datelike as _, NaiveDate};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use plan::Plan;

/// What district to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DistrictSpec {
    /// Schools, 1 to 1,000.
    pub schools: u64,
    /// Students, at least one a school, at most 2,000,000.
    pub students: u64,
    /// The same seed gives the same file, byte for byte.
    pub seed: u64,
    /// The year in which the school year ends. See [`school_year_of`].
    pub school_year: i32,
}

/// The school year (named by the year in which it ends) that a day belongs to: a new one begins in July.
pub fn school_year_of(day: NaiveDate) -> i32 {
    if day.month() >= 7 { day.year() + 1 } else { day.year() }
}

/// Writes a district as a OneRoster 1.2 zip. `progress` is told rows written and rows in all, now and then.
pub fn generate(spec: &DistrictSpec, out: impl Write + Seek, progress: impl FnMut(u64, u64)) -> anyhow::Result<()> {
    ensure!((1..=1_000).contains(&spec.schools), "give a number of schools from 1 to 1,000");
    ensure!((spec.schools..=2_000_000).contains(&spec.students), "give a number of students from one a school ({}) to 2,000,000", spec.schools);
    ensure!((2000..2100).contains(&spec.school_year), "give a school year from 2000 to 2099");
    let plan = Plan::new(spec);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(DateTime::default()).unix_permissions(0o644);
    let mut district = files::District::new(spec, &plan, progress);
    let mut zip = ZipWriter::new(out);
    for file in files::FileName::ALL {
        let name = file.name();
        zip.start_file(name, options).with_context(|| format!("cannot begin {name}"))?;
        let mut csv = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(&mut zip);
        district.write(file, &mut csv).with_context(|| format!("cannot write {name}"))?;
        csv.flush().with_context(|| format!("cannot write {name}"))?;
    }
    district.finish();
    zip.finish().context("cannot finish the zip")?.flush().context("cannot finish the zip")?;
    Ok(())
}

#[cfg(test)]
mod tests;
