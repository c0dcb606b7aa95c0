//! Starts, watches and signals a child process that must not outlive this one.
#![expect(unsafe_code, reason = "prctl between fork and exec, and kill, have no safe form in the standard library")]

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A child process, and the thread that keeps it.
///
/// Linux sends the death signal when the *thread* that started the child ends, not the process: so the child gets a
/// thread of its own that waits for it, whatever thread asked.
#[derive(Debug)]
pub(super) struct Kept {
    pid: u32,
    keeper: Option<JoinHandle<io::Result<ExitStatus>>>,
}

impl Kept {
    /// Starts `command`.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        let (started, starting) = mpsc::channel();
        let keeper = thread::Builder::new().name("private-postgres".to_owned()).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let again = io::Error::from(error.kind());
                    // The starter waits for exactly one message; if it is gone, nobody needs it.
                    let _ = started.send(Err(error));
                    return Err(again);
                }
            };
            let _ = started.send(Ok(child.id()));
            // Descriptors lent to the child stay open here no longer than needed.
            drop(command);
            child.wait()
        })?;
        let pid = starting.recv().map_err(|_| io::Error::other("the keeper of the child ended early"))??;
        Ok(Self { pid, keeper: Some(keeper) })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the child has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.keeper.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// How the child ended. Waits for it.
    pub(super) fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        let Some(keeper) = self.keeper.take() else {
            return Ok(None);
        };
        keeper.join().map_err(|_| io::Error::other("the keeper of the child panicked"))?.map(Some)
    }

    /// Sends `signal` and waits until the child has ended, at most `patience`. Says whether it has.
    pub(super) fn end(&self, signal: i32, patience: Duration) -> io::Result<bool> {
        if !self.has_ended() {
            send(self.pid, signal)?;
        }
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() > deadline {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(true)
    }
}

/// Sends a signal; a process that is gone already is none the worse for it.
pub(super) fn send(pid: u32, signal: i32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: kill takes two numbers and touches no memory of ours.
    if unsafe { libc::kill(pid, signal) } == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Has the child told to stop when this process ends in whatever way, and lends it open descriptors.
pub(super) fn tie(command: &mut Command, lent: Vec<RawFd>) {
    let parent = std::process::id();
    // A group of its own: Ctrl-C in the terminal must reach this process only, which then stops the child last.
    command.process_group(0);
    // SAFETY: between fork and exec only async-signal-safe calls are made (prctl, getppid, fcntl) and nothing is
    // allocated. The standard library runs this after it has changed the user, which would clear the death signal.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGINT) != 0 {
                return Err(io::Error::last_os_error());
            }
            // The parent may have gone before the signal was asked for.
            if u32::try_from(libc::getppid()) != Ok(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            for descriptor in &lent {
                if libc::fcntl(*descriptor, libc::F_SETFD, 0) != 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
}
