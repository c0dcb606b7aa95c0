//! A whole district as its own process: the real `wraparound` binary on free ports, which a test may kill or restart.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tonic::transport::Channel;
use wraparound::district::ready::Ready;
use wraparound::tls::Tls;

use crate::clients::{Clients, Reached};
use crate::process::{self, Process, signal};
use crate::tokens::{Claims, Tokens};
use crate::{postgres, scratch};

const START_PATIENCE: Duration = Duration::from_secs(180);
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// What district to start.
#[derive(Clone, Debug, Default)]
pub struct DistrictOptions {
    /// Its database; a fresh one of the shared test server where not given.
    pub database: Option<String>,
    /// Run on a private PostgreSQL in the data folder, as `up` does without `--database`.
    pub private_database: bool,
    /// `host:port` of Apache Kafka; the PostgreSQL log where not given.
    pub kafka: Option<String>,
    /// What to log, as in `RUST_LOG`.
    pub log: Option<String>,
    /// Where to send traces and metrics.
    pub otlp_endpoint: Option<String>,
    /// Fill it with the sample.
    pub sample: bool,
}

/// A running district. Dropping it kills the process and removes its data.
#[derive(Debug)]
pub struct District {
    // Dropped in this order: the process is killed before its data goes.
    process: Process,
    ready: Ready,
    tokens: Option<Tokens>,
    options: DistrictOptions,
    folder: TempDir,
}

impl District {
    /// Starts one and waits until it is ready.
    ///
    /// # Panics
    /// When the binary is not built, or the district does not come up; with what it said.
    pub async fn start(mut options: DistrictOptions) -> Self {
        if options.database.is_none() && !options.private_database {
            options.database = Some(postgres::fresh_database("district").await.unwrap_or_else(|error| panic!("{error:#}")));
        }
        let folder = scratch::folder("district").unwrap_or_else(|error| panic!("{error:#}"));
        let process = launch(&options, folder.path());
        let mut district = Self { process, ready: nowhere(), tokens: None, options, folder };
        district.await_ready().await;
        district
    }

    /// Where it listens.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its data folder.
    pub fn data_dir(&self) -> PathBuf {
        data_dir(self.folder.path())
    }

    /// Its ready file.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// The address of its database, as superuser.
    ///
    /// # Panics
    /// With a private database.
    pub fn database(&self) -> &str {
        self.options.database.as_deref().unwrap_or_else(|| panic!("this district runs on a private database"))
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Everything it has logged and printed so far.
    pub fn log(&self) -> String {
        let read = |path: PathBuf| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        format!("{}\n{}\n{}", read(self.data_dir().join("wraparound.log")), read(self.folder.path().join("stderr")), read(self.folder.path().join("stdout")))
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same data, after [`District::kill9`] or [`District::stop`]. Its addresses change.
    pub async fn restart(&mut self) {
        self.process.kill();
        // A killed one leaves its ready file.
        let _ = fs::remove_file(self.ready_file());
        self.process = launch(&self.options, self.folder.path());
        self.await_ready().await;
    }

    /// Asks it to stop, as an operator does, and answers how it ended.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn stop(&mut self) -> ExitStatus {
        signal(self.pid(), "TERM");
        let deadline = Instant::now() + STOP_PATIENCE;
        loop {
            if let Some(status) = self.process.ended() {
                return status;
            }
            assert!(Instant::now() < deadline, "wraparound does not stop within {STOP_PATIENCE:?}; it said:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Makes tokens that this district believes.
    ///
    /// # Panics
    /// Before it was ready.
    pub fn tokens(&self) -> &Tokens {
        self.tokens.as_ref().unwrap_or_else(|| panic!("the district is not ready"))
    }

    /// Clients of every service, for a caller with these claims.
    pub fn clients(&self, claims: &Claims) -> Clients {
        self.clients_with(&self.tokens().mint(claims))
    }

    /// Clients of every service, with any token.
    pub fn clients_with(&self, token: &str) -> Clients {
        Clients::new(&self.ready, token)
    }

    /// A connection to one of its services, by name.
    pub fn channel(&self, service: &str) -> Channel {
        connect(self.address(service), &self.ready.tls)
    }

    /// The address of one of its services, by name.
    ///
    /// # Panics
    /// For an unknown name.
    pub fn address(&self, service: &str) -> &str {
        match service {
            "rosters" => &self.ready.rosters,
            "reviews" => &self.ready.reviews,
            "plans" => &self.ready.plans,
            "partners" => &self.ready.partners,
            "reporting" => &self.ready.reporting,
            other => panic!("there is no service {other}"),
        }
    }

    async fn await_ready(&mut self) {
        let deadline = Instant::now() + START_PATIENCE;
        while !self.ready_file().exists() {
            let ended = self.process.ended();
            assert!(ended.is_none(), "wraparound ended ({ended:?}) before it was ready; it said:\n{}", self.log());
            assert!(Instant::now() < deadline, "wraparound is not ready after {START_PATIENCE:?}; it said:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.ready = Ready::read(&self.ready_file()).unwrap_or_else(|error| panic!("{error:#}"));
        self.ready.keep_its_time().unwrap_or_else(|error| panic!("{error:#}"));
        self.tokens = Some(Tokens::of(&self.data_dir(), &self.ready.issuer).await);
    }
}

/// A connection that is made at the first call.
pub(crate) fn connect(address: &str, tls: &Tls) -> Channel {
    chassis_boot::run::install_crypto();
    tls.endpoint(address).unwrap_or_else(|error| panic!("{address}: {error}")).timeout(Duration::from_secs(30)).connect_lazy()
}

impl Reached for District {
    fn clients(&self, claims: &Claims) -> Clients {
        self.clients(claims)
    }
}

/// The built `wraparound`, beside this test's own binary.
///
/// # Panics
/// When it is not built.
pub fn binary() -> PathBuf {
    process::binaries().join("wraparound")
}

fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn nowhere() -> Ready {
    let none = String::new;
    Ready {
        portal: none(),
        rosters: none(),
        reviews: none(),
        plans: none(),
        partners: none(),
        reporting: none(),
        admin: none(),
        issuer: none(),
        database: none(),
        time_zone: none(),
        pid: 0,
        tls: Tls::default(),
    }
}

fn launch(options: &DistrictOptions, folder: &Path) -> Process {
    let written = |name: &str| {
        File::options().create(true).append(true).open(folder.join(name)).unwrap_or_else(|error| panic!("cannot write {name} of the district: {error}"))
    };
    let mut command = process::command(&binary());
    command.arg("up").args(["--ports-from", "0"]);
    command.arg("--data-dir").arg(data_dir(folder)).arg("--ready-file").arg(folder.join("ready.json"));
    command.stdin(Stdio::null()).stdout(written("stdout")).stderr(written("stderr"));
    command.env("RUST_LOG", options.log.as_deref().unwrap_or("info"));
    for inherited in ["DATABASE_URL", "WRAPAROUND_DATABASE_URL", "WRAPAROUND_KAFKA", "WRAPAROUND_DATA_DIR"] {
        command.env_remove(inherited);
    }
    if let Some(database) = &options.database {
        command.env("WRAPAROUND_DATABASE_URL", database);
    }
    if let Some(kafka) = &options.kafka {
        command.args(["--kafka", kafka]);
    }
    if let Some(endpoint) = &options.otlp_endpoint {
        command.env("WRAPAROUND__TELEMETRY__OTLP_ENDPOINT", endpoint);
    }
    if options.sample {
        command.arg("--sample");
    }
    Process::spawn(command)
}
