//! The secrets of a district on one machine: one random key in a file that only its owner may read, and what follows from it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// The key, from which every password and client secret is derived.
#[derive(Clone, Debug)]
pub struct Secrets {
    key: SecretString,
}

impl Secrets {
    /// Reads the key below `folder`, making both where they are missing.
    pub fn open_or_create(folder: &Path) -> anyhow::Result<Self> {
        private_folder(folder)?;
        let key = read_or_write(&folder.join("key"), || Ok(format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()).into_bytes()))?;
        let key = String::from_utf8(key).unwrap_or_default().trim().to_owned();
        ensure!(
            key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit()),
            "{} does not hold a key: put the file back as it was",
            folder.join("key").display()
        );
        Ok(Self { key: key.into() })
    }

    /// The secret for one purpose: letters and digits only. The key's length is fixed, so no two purposes can meet.
    pub fn derived(&self, purpose: &str) -> SecretString {
        let digest = Sha256::new().chain_update(self.key.expose_secret()).chain_update(purpose).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
    }
}

/// Makes a folder that only its owner may enter.
pub fn private_folder(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make {}: choose a data folder that this user may write to", folder.display()))
}

/// A file's bytes; made once, complete or not at all, for its owner's eyes only.
pub fn read_or_write(path: &Path, make: impl FnOnce() -> anyhow::Result<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => return Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let bytes = make()?;
    write_whole(path, &bytes)?;
    Ok(bytes)
}

/// Writes a file of the owner's beside its place and moves it there: readers see all of it or none.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unwritable = || format!("cannot write {}", path.display());
    let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    // One of an earlier process of this number, which crashed.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).with_context(unwritable)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(unwritable)?;
    fs::rename(&new, path).with_context(unwritable)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_stays_and_purposes_differ() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("secrets");
        let first = Secrets::open_or_create(&folder).unwrap();
        let second = Secrets::open_or_create(&folder).unwrap();
        assert_eq!(first.derived("a").expose_secret(), second.derived("a").expose_secret());
        assert_ne!(first.derived("a").expose_secret(), first.derived("b").expose_secret());
        assert_eq!(fs::metadata(folder.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
