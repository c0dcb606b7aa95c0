//! The ready file: where a running district is, as JSON. Says that everything is ready by being there.

use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::secrets::write_whole;
use crate::tls::Tls;

/// Addresses of a running district. Holds no secret.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each is the address of what it names")]
pub struct Ready {
    pub portal: String,
    pub rosters: String,
    pub reviews: String,
    pub plans: String,
    pub partners: String,
    pub reporting: String,
    pub admin: String,
    pub issuer: String,
    /// Host, port and database, without user or password.
    pub database: String,
    /// By which the district reckons days, as the IANA database names it.
    pub time_zone: String,
    /// The process.
    pub pid: u32,
    /// What it takes to speak to the services, where they speak TLS.
    #[serde(default)]
    pub tls: Tls,
}

impl Ready {
    /// What to write for these addresses.
    pub fn new(addresses: &Addresses, database: &str) -> Self {
        Self {
            portal: addresses.url("portal"),
            rosters: addresses.url("rosters"),
            reviews: addresses.url("reviews"),
            plans: addresses.url("plans"),
            partners: addresses.url("partners"),
            reporting: addresses.url("reporting"),
            admin: addresses.url("admin"),
            issuer: addresses.issuer(),
            database: database.to_owned(),
            time_zone: chassis_clock::zone().name().to_owned(),
            pid: std::process::id(),
            tls: addresses.tls().clone(),
        }
    }

    /// Makes this process reckon days as the district does.
    pub fn keep_its_time(&self) -> anyhow::Result<()> {
        Ok(chassis_clock::set_zone(chassis_clock::named(&self.time_zone)?)?)
    }

    /// Writes it whole or not at all.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        write_whole(path, &bytes)
    }

    /// Reads that of a running district.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| {
            format!("no running district is found: {} is not there. Start one with `wraparound up`, or name its data folder or ready file", path.display())
        })?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is not a ready file of a district", path.display()))
    }
}

/// The ready file that `up` always writes, below its data folder.
pub fn in_data_dir(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join("ready.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = in_data_dir(dir.path());
        assert!(Ready::read(&path).unwrap_err().to_string().contains("wraparound up"));
        let text = |s: &str| s.to_owned();
        let ready = Ready {
            portal: text("http://127.0.0.1:1"),
            rosters: text("r"),
            reviews: text("v"),
            plans: text("p"),
            partners: text("a"),
            reporting: text("o"),
            admin: text("d"),
            issuer: text("i"),
            database: text("b"),
            time_zone: "America/New_York".to_owned(),
            tls: Tls::default(),
            pid: 7,
        };
        ready.write(&path).unwrap();
        assert_eq!(Ready::read(&path).unwrap(), ready);
    }
}
