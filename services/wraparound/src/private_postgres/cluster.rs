//! The cluster on disk: its folder, password, port and the program that made it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::account::{self, Account};
use super::binaries::{self, Binaries};
use super::process;

/// The cluster's superuser, by the name that every tool expects.
pub(super) const SUPERUSER: &str = "postgres";

/// A cluster that is complete and whose password is known.
#[derive(Debug)]
pub(super) struct Cluster {
    data_dir: PathBuf,
    password: String,
    account: Account,
    binaries: Binaries,
}

impl Cluster {
    /// Opens the cluster below `data_dir`, which is locked by the caller, making it where there is none.
    pub(super) fn open_or_create(data_dir: &Path) -> anyhow::Result<Self> {
        let folder = data_dir.join("cluster");
        let account = account::for_server(&folder)?;
        if folder.exists() {
            let binaries = binaries::find(Some(binaries::version_of(&folder)?))?;
            let password = read_password(&data_dir.join("password"))?;
            return Ok(Self { data_dir: data_dir.to_path_buf(), password, account, binaries });
        }
        let binaries = binaries::find(None)?;
        let password = write_password(&data_dir.join("password"), account)?;
        let cluster = Self { data_dir: data_dir.to_path_buf(), password, account, binaries };
        cluster.create()?;
        Ok(cluster)
    }

    /// The folder that PostgreSQL calls its data directory.
    pub(super) fn folder(&self) -> PathBuf {
        self.data_dir.join("cluster")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.data_dir.join("log")
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// The port of the last start.
    pub(super) fn remembered_port(&self) -> Option<u16> {
        fs::read_to_string(self.data_dir.join("port")).ok()?.trim().parse().ok()
    }

    /// The remembered port while it is free, else another free one, remembered from now on.
    pub(super) fn choose_port(&self) -> anyhow::Result<u16> {
        if let Some(port) = self.remembered_port()
            && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        {
            return Ok(port);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        let port = listener.local_addr().context("no free port on 127.0.0.1")?.port();
        fs::write(self.data_dir.join("port"), format!("{port}\n")).context("cannot remember the port")?;
        Ok(port)
    }

    /// One of PostgreSQL's programs, run as the right user, on the data folder that it is lent.
    pub(super) fn program(&self, name: &str, data: &File, also_lent: &[RawFd]) -> anyhow::Result<Command> {
        let mut command = Command::new(self.binaries.bin.join(name));
        command.arg("-D").arg(format!("/proc/self/fd/{}", data.as_raw_fd()));
        // Nothing of the caller's environment may steer the server (PGDATA, PGPORT, a locale that is not installed).
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        // The caller's folder may be closed to the server's user.
        command.current_dir("/");
        if account::must_switch_to(self.account)? {
            command.uid(self.account.uid).gid(self.account.gid);
        }
        let mut lent = vec![data.as_raw_fd()];
        lent.extend_from_slice(also_lent);
        process::tie(&mut command, lent);
        Ok(command)
    }

    /// Makes the cluster beside its place and moves it there once complete, so that a crash leaves no half of one.
    fn create(&self) -> anyhow::Result<()> {
        tracing::info!(postgresql = self.binaries.major, folder = %self.data_dir.display(), "making a private PostgreSQL");
        let new = self.data_dir.join("cluster.new");
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove the unfinished {}", new.display()));
            }
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&new).with_context(|| format!("cannot make {}", new.display()))?;
        account::give(&new, self.account)?;
        let data = File::open(&new).with_context(|| format!("cannot open {}", new.display()))?;
        let password = File::open(self.data_dir.join("password")).context("cannot open the password file")?;
        let output = self
            .program("initdb", &data, &[password.as_raw_fd()])?
            .arg(format!("--username={SUPERUSER}"))
            .arg(format!("--pwfile=/proc/self/fd/{}", password.as_raw_fd()))
            .args(["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"])
            .arg("--no-instructions")
            .output()
            .with_context(|| format!("cannot run {}", self.binaries.bin.join("initdb").display()))?;
        if !output.status.success() {
            bail!("initdb could not make a cluster in {} ({}): {}", new.display(), output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        fs::rename(&new, self.folder()).with_context(|| format!("cannot move {} to its place", new.display()))?;
        File::open(&self.data_dir).and_then(|dir| dir.sync_all()).context("cannot write the data folder to disk")
    }
}

fn read_password(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}, the password of the cluster beside it: put the file back, or choose another data folder", path.display()))?;
    let password = text.trim_end();
    // It becomes part of an address as it is, and we only ever write such ones.
    if password.is_empty() || !password.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        bail!("{} does not hold a password of letters and digits", path.display());
    }
    Ok(password.to_owned())
}

fn write_password(path: &Path, account: Account) -> anyhow::Result<String> {
    let password = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    // An old file may belong to another user; there is no cluster yet that it could open.
    let _ = fs::remove_file(path);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| writeln!(file, "{password}").and_then(|()| file.sync_all()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    account::give(path, account)?;
    Ok(password)
}
