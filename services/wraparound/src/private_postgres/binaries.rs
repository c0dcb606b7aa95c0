//! Finds the installed PostgreSQL: Debian's folders, newest first, then the search path.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The oldest PostgreSQL that the schemas are written for.
const OLDEST: u32 = 15;
const DEBIAN: &str = "/usr/lib/postgresql";

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) major: u32,
    pub(super) bin: PathBuf,
}

/// The installed PostgreSQL that fits: of the cluster's own version where there is a cluster, else the newest.
pub(super) fn find(cluster_version: Option<u32>) -> anyhow::Result<Binaries> {
    let mut installed = below(Path::new(DEBIAN));
    installed.extend(env::var_os("PATH").iter().flat_map(env::split_paths).filter_map(|dir| on_path(&dir)));
    choose(installed, cluster_version)
}

fn choose(mut installed: Vec<Binaries>, cluster_version: Option<u32>) -> anyhow::Result<Binaries> {
    installed.sort_by_key(|found| std::cmp::Reverse(found.major));
    let seen: Vec<String> = installed.iter().map(|found| found.major.to_string()).collect();
    let fits = |found: &Binaries| cluster_version.map_or(found.major >= OLDEST, |version| found.major == version);
    match (installed.into_iter().find(fits), cluster_version) {
        (Some(found), _) => Ok(found),
        (None, Some(version)) => bail!(
            "the data folder was made by PostgreSQL {version}, which is not installed (found: {}): install \
             postgresql-{version}, or move the data with pg_upgrade",
            listed(&seen)
        ),
        (None, None) => bail!(
            "no PostgreSQL {OLDEST} or newer is installed (looked below {DEBIAN} and along PATH; found: {}): install it \
             with `apt-get install postgresql`, or name a running server with --database",
            listed(&seen)
        ),
    }
}

fn listed(seen: &[String]) -> String {
    if seen.is_empty() { "none".to_owned() } else { seen.join(", ") }
}

/// Debian keeps every major version in a folder of its own, named by the number.
fn below(root: &Path) -> Vec<Binaries> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            complete(major, entry.path().join("bin"))
        })
        .collect()
}

/// Elsewhere the binary itself is asked. A link is followed: the other programs are beside the real one.
fn on_path(dir: &Path) -> Option<Binaries> {
    let initdb = fs::canonicalize(dir.join("initdb")).ok()?;
    let output = Command::new(&initdb).arg("--version").output().ok()?;
    complete(major_version(&String::from_utf8_lossy(&output.stdout))?, initdb.parent()?.to_path_buf())
}

fn complete(major: u32, bin: PathBuf) -> Option<Binaries> {
    (bin.join("initdb").is_file() && bin.join("postgres").is_file()).then_some(Binaries { major, bin })
}

/// `initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15.
fn major_version(output: &str) -> Option<u32> {
    let digits = output.split(") ").nth(1)?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The major version that made this cluster, from its own file.
pub(super) fn version_of(cluster_dir: &Path) -> anyhow::Result<u32> {
    let path = cluster_dir.join("PG_VERSION");
    let text = fs::read_to_string(&path).with_context(|| format!("{} holds no PostgreSQL cluster: choose another data folder", cluster_dir.display()))?;
    text.trim().parse().with_context(|| format!("{} does not hold a version number", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|major| Binaries { major: *major, bin: PathBuf::from("/somewhere") }).collect()
    }

    #[test]
    fn the_newest_is_taken_but_a_cluster_keeps_its_own() {
        assert_eq!(choose(installed(&[15, 17, 16]), None).unwrap().major, 17);
        assert_eq!(choose(installed(&[15, 17, 16]), Some(15)).unwrap().major, 15);
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = choose(installed(&[]), None).unwrap_err().to_string();
        assert!(none.contains("found: none") && none.contains("apt-get install postgresql"), "{none}");
        let old = choose(installed(&[13]), None).unwrap_err().to_string();
        assert!(old.contains("15 or newer") && old.contains("found: 13"), "{old}");
        let other = choose(installed(&[17]), Some(15)).unwrap_err().to_string();
        assert!(other.contains("install postgresql-15"), "{other}");
    }

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        assert_eq!(major_version("initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("initdb (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_version(""), None);
    }
}
