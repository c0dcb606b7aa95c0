//! The rules of the house that a machine can check, so that nobody needs to remember them.

mod contract;
mod dependencies;
mod files;
mod policies;
mod reasons;

pub use policies::matrix;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above this crate").to_path_buf()
}

/// What is built, downloaded or stored by running, rather than written by somebody.
const NOT_OURS: [&str; 5] = [".git", ".sqlx", "target", "data", "node_modules"];

/// Every written file below a folder, as (path relative to the root, absolute path), sorted.
pub fn files_below(folder: &str) -> Vec<(String, PathBuf)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = root();
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    found.sort();
    found.into_iter().map(|path| (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), path)).collect()
}

/// As [`files_below`], only Rust sources.
pub fn sources_below(folder: &str) -> Vec<(String, PathBuf)> {
    files_below(folder).into_iter().filter(|(name, _)| name.ends_with(".rs")).collect()
}

/// A file's text; empty where it is not text.
pub fn text(path: &Path) -> String {
    String::from_utf8(fs::read(path).unwrap()).unwrap_or_default()
}

/// A source without comments and without the tests at its end.
pub fn code(path: &Path) -> String {
    let text = text(path);
    let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    own.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Fails with every finding on a line of its own.
pub fn none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
