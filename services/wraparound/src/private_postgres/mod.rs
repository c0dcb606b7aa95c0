//! A private PostgreSQL for one district on one machine, from the binaries that are installed.
//!
//! The cluster lives in a folder of the district's data and is stopped with the process that started it, even when
//! that process is killed. It listens on loopback only, asks for a password, and has no other door: no socket file.
//!
//! PostgreSQL refuses to run as root. Started as root, the server runs as `postgres`, else `nobody`, and still works
//! below folders that such a user may not enter (root's closed home): it is handed the open data folder and finds it
//! as `/proc/self/fd/N`, which asks nothing of the folders above.

mod account;
mod binaries;
mod cluster;
mod process;
mod server;

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use cluster::Cluster;
use server::Server;

/// Where a private PostgreSQL keeps its data, and how much that data is worth.
#[derive(Debug, Clone)]
pub struct PrivatePostgresOptions {
    /// A folder for this PostgreSQL alone: the cluster, its password, port and log. Made where it is missing.
    pub data_dir: PathBuf,
    /// The data may be lost with the machine's power: nothing waits for the disk. For tests only.
    pub throw_away: bool,
}

/// A running private PostgreSQL. Dropping it stops the server; the data stays.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    server: Option<Server>,
    throw_away: bool,
    // Held for as long as this lives: two processes must never serve one folder.
    _lock: File,
}

impl PrivatePostgres {
    /// Starts the server, making the cluster first where there is none. Blocks until it takes connections.
    ///
    /// # Errors
    /// Says what is missing or in the way and how to mend it: no PostgreSQL installed, a folder in use or not
    /// writable, a cluster of another version; and what the server itself said when it did not come up.
    pub fn start(options: PrivatePostgresOptions) -> anyhow::Result<Self> {
        let data_dir = prepare_folder(&options.data_dir)?;
        let lock = lock_folder(&data_dir)?;
        let cluster = Cluster::open_or_create(&data_dir)?;
        let server = Server::start(&cluster, options.throw_away)?;
        Ok(Self { cluster, server: Some(server), throw_away: options.throw_away, _lock: lock })
    }

    /// The address of one database, as superuser. It holds the password, so it is a secret.
    pub fn url(&self, database: &str) -> SecretString {
        // A stopped server's port is still the remembered one.
        let port = self.server.as_ref().map_or_else(|| self.cluster.remembered_port().unwrap_or(0), Server::port);
        SecretString::from(format!(
            "postgres://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=disable",
            user = cluster::SUPERUSER,
            password = self.cluster.password(),
            database = percent_encoded(database),
        ))
    }

    /// The port on loopback. The same after every start, unless something else has taken it meanwhile.
    pub fn port(&self) -> Option<u16> {
        self.server.as_ref().map(Server::port)
    }

    /// The server's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Where the server writes its log.
    pub fn log_file(&self) -> PathBuf {
        self.cluster.log_file()
    }

    /// Stops the server cleanly: open transactions are rolled back, everything committed is on disk.
    ///
    /// # Errors
    /// When the server cannot be told to stop or is still there after a minute.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.server.take().map_or(Ok(()), Server::stop)
    }

    /// Stops the server where it runs and starts it again on the same data and, if still free, the same port.
    ///
    /// # Errors
    /// As for [`PrivatePostgres::stop`] and [`PrivatePostgres::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.server = Some(Server::start(&self.cluster, self.throw_away)?);
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(error = format!("{error:#}"), "the private PostgreSQL did not stop cleanly");
        }
    }
}

/// Makes the folder where it is missing and gives its absolute path.
fn prepare_folder(data_dir: &Path) -> anyhow::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .with_context(|| format!("cannot make the data folder {}: choose one that this user may write to", data_dir.display()))?;
    fs::canonicalize(data_dir).with_context(|| format!("cannot read the data folder {}", data_dir.display()))
}

fn lock_folder(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file =
        File::create(&path).with_context(|| format!("cannot write to the data folder {}: choose one that this user may write to", data_dir.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("the data folder {} is in use by another running wraparound: stop that one, or choose another folder", data_dir.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// A database name as one part of an address.
fn percent_encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
