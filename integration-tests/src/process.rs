//! Processes of ours that a test starts: they end with the test, whatever happens to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Where the built programs are, beside this test's own binary.
///
/// # Panics
/// When they are not built.
pub fn binaries() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("no path of this test: {error}"));
    // target/debug/deps/it-… or target/debug/…
    let built = own.ancestors().skip(1).take(3).find(|folder| folder.join("wraparound").is_file());
    built.unwrap_or_else(|| panic!("the programs are not built: run `make test`, or `make build` first")).to_path_buf()
}

/// A command that ends with this process, even where this one is killed.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// Sends a signal to a process that a test started.
///
/// # Panics
/// When the signal cannot be sent.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("bash").args(["-c", r#"kill -"$1" "$2""#, "bash", name, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{name} to {pid}");
}

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts one.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(command: Command) -> Self {
        Self { child: spawn(command) }
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, if it has.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|error| panic!("cannot wait for a process: {error}"))
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

type Order = (Command, Sender<std::io::Result<Child>>);

/// Spawns from a thread that lives as long as this process: Linux takes the thread that started a child for its parent,
/// and a test's own thread ends with the test, while others may still use the district.
fn spawn(command: Command) -> Child {
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, taken) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in taken {
                // Whoever asked may be gone; then nobody needs the child, and dropping it leaves it to pdeathsig.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (answer, answered) = channel();
    let sent = spawner.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer));
    assert!(sent.is_ok(), "the thread that starts processes has ended");
    match answered.recv() {
        Ok(Ok(child)) => child,
        Ok(Err(error)) => panic!("cannot start a process by setpriv (Debian package util-linux): {error}"),
        Err(_) => panic!("the thread that starts processes has ended"),
    }
}
