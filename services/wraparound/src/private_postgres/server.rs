//! The running server: its start, the wait until it takes connections, its end.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::cluster::Cluster;
use super::process::{self, Kept};

/// Crash recovery of a large district is allowed to take this long.
const START_PATIENCE: Duration = Duration::from_mins(10);
/// Leftovers of a killed server go by themselves within seconds.
const RETRY_PATIENCE: Duration = Duration::from_secs(30);
const STOP_PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(10);
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// Settings of every private server.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    // No socket file: nothing to place, to protect or to leave behind.
    "unix_socket_directories=",
    "password_encryption=scram-sha-256",
    "max_connections=200",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    // Compiling a query costs more than these queries do.
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_destination=stderr",
    "logging_collector=off",
    // The log must hold no personal data: neither statements nor the values of a refused row. Whoever sent a bad
    // statement gets the error; the log keeps what concerns the server.
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
];

/// For data that may go with the machine's power, though never with the server: what is committed has been handed to
/// the system, so synchronous_commit stays on and even kill -9 loses nothing.
/// Several districts may share one such server, each with a hundred connections of its own.
const THROW_AWAY: &[&str] = &["fsync=off", "full_page_writes=off", "max_wal_size=512MB", "shared_buffers=128MB", "max_connections=800"];

#[derive(Debug)]
pub(super) struct Server {
    process: Kept,
    port: u16,
}

impl Server {
    /// Starts the server and waits until it takes connections.
    pub(super) fn start(cluster: &Cluster, throw_away: bool) -> anyhow::Result<Self> {
        let began = Instant::now();
        await_predecessor(&cluster.folder())?;
        loop {
            let log_start = open_log(&cluster.log_file())?.1;
            let mut server = Self::spawn(cluster, throw_away)?;
            if server.becomes_ready(cluster)? {
                tracing::info!(
                    port = server.port,
                    pid = server.pid(),
                    millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "the private PostgreSQL takes connections"
                );
                return Ok(server);
            }
            let said = log_since(&cluster.log_file(), log_start);
            // Another process took the port in between, or children of a killed server still hold its memory.
            let passing = said.contains("could not bind") || said.contains("shared memory block");
            if !passing || began.elapsed() > RETRY_PATIENCE {
                let status = server.process.status()?.map_or_else(String::new, |status| format!(" ({status})"));
                bail!("the private PostgreSQL in {} did not start{status}. It said:\n{}", cluster.folder().display(), said.trim());
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Fast shutdown; an immediate one where that hangs.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        if self.process.end(libc::SIGINT, STOP_PATIENCE).context("cannot stop the private PostgreSQL")? {
            return Ok(());
        }
        tracing::warn!("the private PostgreSQL does not stop: told to end at once, it recovers at the next start");
        let ended = self.process.end(libc::SIGQUIT, RETRY_PATIENCE).context("cannot end the private PostgreSQL")?;
        if !ended {
            bail!("the private PostgreSQL (process {}) does not end", self.process.pid());
        }
        Ok(())
    }

    fn spawn(cluster: &Cluster, throw_away: bool) -> anyhow::Result<Self> {
        let port = cluster.choose_port()?;
        let (log, _) = open_log(&cluster.log_file())?;
        let folder = cluster.folder();
        let data = File::open(&folder).with_context(|| format!("cannot open {}", folder.display()))?;
        let mut command = cluster.program("postgres", &data, &[])?;
        command.arg("-p").arg(port.to_string());
        let extra = if throw_away { THROW_AWAY } else { &[] };
        for setting in SETTINGS.iter().chain(extra) {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().context("cannot share the log file")?).stderr(log);
        let process = Kept::spawn(command).context("cannot run the private PostgreSQL")?;
        // Only now may our own handle of the folder go: the child has its copy.
        drop(data);
        Ok(Self { process, port })
    }

    /// Waits for the server's own word in its lock file, as `pg_ctl` does. False once the server has ended.
    fn becomes_ready(&self, cluster: &Cluster) -> anyhow::Result<bool> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if self.process.has_ended() {
                return Ok(false);
            }
            if says_ready(&cluster.folder(), self.pid()) {
                return Ok(true);
            }
            if Instant::now() > deadline {
                bail!("the private PostgreSQL is not ready after {} minutes: its log is {}", START_PATIENCE.as_secs() / 60, cluster.log_file().display());
            }
            thread::sleep(PAUSE);
        }
    }
}

fn says_ready(folder: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(folder.join("postmaster.pid")) else {
        return false;
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first() == Some(&pid.to_string().as_str()) && lines.get(7) == Some(&"ready")
}

/// A server of a killed parent may still be writing its last; and the number of one long gone may now be another
/// program's, which PostgreSQL would take for its own and refuse to start.
fn await_predecessor(folder: &Path) -> anyhow::Result<()> {
    let lock = folder.join("postmaster.pid");
    let pid = fs::read_to_string(&lock).ok().and_then(|text| text.lines().next()?.trim().parse::<u32>().ok());
    let Some(pid) = pid else { return Ok(()) };
    let alive = || Path::new("/proc").join(pid.to_string()).exists();
    if alive() && !serves(pid, folder) {
        return fs::remove_file(&lock).with_context(|| format!("cannot remove the stale {}", lock.display()));
    }
    let deadline = Instant::now() + STOP_PATIENCE;
    let mut told = false;
    while alive() && serves(pid, folder) {
        if !told {
            tracing::info!(pid, "waiting for the previous private PostgreSQL to end");
            process::send(pid, libc::SIGINT).with_context(|| format!("a PostgreSQL (process {pid}) still serves {}: stop it first", folder.display()))?;
            told = true;
        }
        if Instant::now() > deadline {
            bail!("a PostgreSQL (process {pid}) still serves {} and does not end: stop it first", folder.display());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// PostgreSQL works from within its data folder, so the two being one tells its server from any other process.
fn serves(pid: u32, folder: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    let there = identity(&Path::new("/proc").join(pid.to_string()).join("cwd"));
    there.is_some() && there == identity(folder)
}

/// The log, opened to append, and its present length. One that has grown large is put aside first.
fn open_log(path: &Path) -> anyhow::Result<(File, u64)> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LOG_LIMIT) {
        fs::rename(path, path.with_extension("old")).context("cannot put the old log aside")?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).with_context(|| format!("cannot write {}", path.display()))?;
    let length = file.metadata().context("cannot read the log")?.len();
    Ok((file, length))
}

fn log_since(path: &Path, start: u64) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let start = usize::try_from(start).unwrap_or(0).min(bytes.len());
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}
