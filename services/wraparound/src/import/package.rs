//! A roster on disk: a zip as it is, or a folder put into one.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A package that can be read.
#[derive(Debug)]
pub struct Package {
    /// Name to show in lists, without its folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// The zip.
    pub file: Source,
}

/// Where the zip is.
#[derive(Debug)]
pub enum Source {
    /// As it was given.
    Given(PathBuf),
    /// Made from a folder; gone when this is dropped.
    Made(tempfile::NamedTempFile),
}

impl Source {
    /// Opens it for reading, from its beginning.
    pub fn reopen(&self) -> std::io::Result<File> {
        match self {
            Self::Given(path) => File::open(path),
            Self::Made(file) => file.reopen(),
        }
    }
}

/// Opens a zip or a folder.
pub fn open(path: &Path) -> anyhow::Result<Package> {
    let found = std::fs::metadata(path).with_context(|| format!("cannot read {}: give a OneRoster zip, or the folder with its files", path.display()))?;
    let name = super::shown_name(path);
    if !found.is_dir() {
        File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(Package { name, size: found.len(), file: Source::Given(path.to_owned()) });
    }
    let mut out = tempfile::NamedTempFile::new().context("no room for a temporary file")?;
    zip_folder(path, out.as_file_mut())?;
    out.as_file_mut().rewind()?;
    let size = out.as_file().metadata()?.len();
    Ok(Package { name, size, file: Source::Made(out) })
}

fn zip_folder(folder: &Path, out: &mut File) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))? {
        let path = entry?.path();
        let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if csv && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "the folder {} holds no CSV file: give the folder with manifest.csv in it", folder.display());
    let mut zip = ZipWriter::new(out);
    for path in files {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { bail!("{} has a name that is not text", path.display()) };
        // Large files are meant to be here: 64-bit sizes.
        zip.start_file(name, SimpleFileOptions::default().large_file(true))?;
        let mut file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        std::io::copy(&mut file, &mut zip).with_context(|| format!("cannot pack {}", path.display()))?;
    }
    zip.finish()?.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_zip_of_its_csv_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("orgs.csv"), "sourcedId\n").unwrap();
        std::fs::write(dir.path().join("notes.txt"), "no").unwrap();
        let package = open(dir.path()).unwrap();
        let mut zip = zip::ZipArchive::new(package.file.reopen().unwrap()).unwrap();
        assert_eq!(zip.len(), 1);
        assert_eq!(zip.by_index(0).unwrap().name().unwrap(), "orgs.csv");
        assert!(package.size > 0);
    }

    #[test]
    fn a_folder_without_csv_files_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(open(dir.path()).unwrap_err().to_string().contains("no CSV file"));
        assert!(open(&dir.path().join("nothing.zip")).is_err());
    }
}
