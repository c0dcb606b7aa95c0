//! Folders for the data of servers that tests start.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use tempfile::TempDir;

/// A fresh folder, removed with the value. What a killed test process has left behind goes at the next call.
///
/// # Errors
/// When the system's folder for temporary files cannot be written.
pub fn folder(purpose: &str) -> anyhow::Result<TempDir> {
    sweep(&std::env::temp_dir());
    tempfile::Builder::new()
        .prefix(&format!("wraparound-scratch-{}-{purpose}-", std::process::id()))
        .tempdir()
        .context("cannot make a folder for temporary data")
}

/// A server shared by all tests of a process is never dropped, so its folder stays until another process looks.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("wraparound-scratch-")) else {
            continue;
        };
        let owner = rest.split('-').next().and_then(|pid| pid.parse::<u32>().ok());
        let is_gone = owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists());
        if is_gone {
            // Another process may be sweeping too, or it belongs to another user: either way not ours to fail on.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_gone_process_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let gone = parent.path().join("wraparound-scratch-4294967-kafka-x");
        let ours = parent.path().join(format!("wraparound-scratch-{}-kafka-x", std::process::id()));
        let other = parent.path().join("something-else");
        for folder in [&gone, &ours, &other] {
            fs::create_dir(folder).unwrap();
        }
        sweep(parent.path());
        assert!(!gone.exists() && ours.exists() && other.exists());
    }
}
