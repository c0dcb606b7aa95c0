//! `generate`: a fictional district as a file.

use std::fs::File;
use std::io::BufWriter;

use anyhow::Context as _;

use crate::cli::{Ending, GenerateArgs};
use crate::generate::{DistrictSpec, generate, school_year_of};
use crate::progress::{Progress, grouped};

/// Writes the file beside its place and moves it there once complete.
pub fn run(args: &GenerateArgs) -> anyhow::Result<Ending> {
    let spec = DistrictSpec {
        schools: args.schools,
        students: args.students,
        seed: args.seed,
        school_year: args.school_year.unwrap_or_else(|| school_year_of(chassis_clock::today())),
    };
    let folder = args.out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| std::path::Path::new("."));
    let unwritable = || format!("cannot write {}: choose a file in a folder that is there and writable", args.out.display());
    let file = tempfile::NamedTempFile::new_in(folder).with_context(unwritable)?;
    let progress = Progress::new("Writing fictional people", 0);
    let out: File = file.reopen().with_context(unwritable)?;
    generate(&spec, BufWriter::new(out), |done, total| progress.at("Writing fictional people", done, total))?;
    file.persist(&args.out).with_context(unwritable)?;
    let size = std::fs::metadata(&args.out).with_context(unwritable)?.len();
    progress.done(&format!(
        "{}: {} schools, {} students, school year {}, {} bytes. Everybody in it is fictional.",
        args.out.display(),
        grouped(spec.schools),
        grouped(spec.students),
        spec.school_year,
        grouped(size)
    ));
    Ok(Ending::Done)
}
