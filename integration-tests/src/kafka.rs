//! A real Apache Kafka for tests: one node on loopback that can be killed and restarted.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::scratch;

const START_PATIENCE: Duration = Duration::from_mins(2);
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A running broker with a data folder of its own. Dropping it kills the broker and removes the data.
#[derive(Debug)]
pub struct Kafka {
    broker: Option<Broker>,
    /// Certificates, where it speaks TLS only and wants one of every client.
    tls: Option<Authority>,
    folder: TempDir,
    port: u16,
    controller_port: u16,
}

impl Kafka {
    /// Fetches Apache Kafka where that has not been done, starts it and waits until it answers. Blocks.
    ///
    /// # Errors
    /// When Java or Maven is missing, the download fails or the broker does not come up; with what it said.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(None)
    }

    /// As [`Kafka::start`], over mutual TLS alone. Clients show certificates of `authority`, whose common name is their user.
    ///
    /// # Errors
    /// As there.
    pub fn start_tls(authority: &Authority) -> anyhow::Result<Self> {
        Self::start_with(Some(authority.clone()))
    }

    fn start_with(tls: Option<Authority>) -> anyhow::Result<Self> {
        fetch()?;
        // Both at once, so that they differ.
        let (one, two) = (free_port()?, free_port()?);
        let (port, controller_port) = (port_of(&one)?, port_of(&two)?);
        drop((one, two));
        let mut kafka = Self { broker: None, tls, folder: scratch::folder("kafka")?, port, controller_port };
        kafka.launch()?;
        Ok(kafka)
    }

    /// Where clients begin: `host:port`.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What a client needs to speak to it, as somebody who may do everything.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap());
        if let Some(authority) = &self.tls {
            let files = authority.issue("broker");
            config.set("security.protocol", "ssl").set("ssl.ca.location", &files.ca_file);
            config.set("ssl.certificate.location", &files.certificate).set("ssl.key.location", &files.key);
        }
        config
    }

    /// The broker's process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.broker.as_ref().map(|broker| broker.pid)
    }

    /// Ends the broker as a power cut would, without a word. [`Kafka::restart`] brings it back.
    ///
    /// # Errors
    /// When the broker's keeper failed.
    pub fn kill9(&mut self) -> anyhow::Result<()> {
        self.broker.take().map_or(Ok(()), Broker::kill)
    }

    /// Stops the broker in good order, if it runs, and starts it again on the same data and port.
    ///
    /// # Errors
    /// When it does not stop or does not come up again; with what it said.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(broker) = self.broker.take() {
            broker.stop()?;
        }
        self.launch()
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let log_path = self.folder.path().join("broker.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(&log_path).context("cannot write the broker's log")?;
        let mut command = Command::new(script());
        command
            .arg("run")
            .arg(self.folder.path())
            .args([self.port.to_string(), self.controller_port.to_string()])
            .args(self.tls.as_ref().map(Authority::folder))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share the broker's log")?)
            .stderr(log);
        let broker = Broker::spawn(command).context("cannot run scripts/kafka.sh")?;
        let outcome = await_answer(self.client(), &broker);
        self.broker = Some(broker);
        outcome.with_context(|| {
            let said = fs::read_to_string(&log_path).unwrap_or_default();
            format!("Apache Kafka did not start. It said:\n{said}")
        })
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // The data may only go once nobody writes to it; a panicked keeper has nothing more to say here.
        let _ = self.kill9();
    }
}

/// The broker's process, kept by a thread of its own: the script asks Linux to end the broker with its parent, and
/// Linux takes the thread that started it for the parent.
#[derive(Debug)]
struct Broker {
    pid: u32,
    // Dropped first, which tells the keeper to kill.
    stay: Sender<()>,
    keeper: JoinHandle<io::Result<()>>,
}

impl Broker {
    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let (stay, told) = mpsc::channel::<()>();
        let (started, starting) = mpsc::channel();
        let keeper = thread::Builder::new().name("kafka-keeper".to_owned()).spawn(move || {
            let mut child: Child = command.spawn()?;
            // The starter may be gone; then the loop below ends at once.
            let _ = started.send(child.id());
            while child.try_wait()?.is_none() {
                if let Err(RecvTimeoutError::Disconnected) = told.recv_timeout(Duration::from_millis(20)) {
                    child.kill()?;
                    child.wait()?;
                }
            }
            Ok(())
        })?;
        match starting.recv() {
            Ok(pid) => Ok(Self { pid, stay, keeper }),
            Err(_) => match keeper.join() {
                Ok(Err(error)) => Err(error.into()),
                _ => bail!("the keeper of the broker ended early"),
            },
        }
    }

    fn has_ended(&self) -> bool {
        self.keeper.is_finished()
    }

    fn kill(self) -> anyhow::Result<()> {
        drop(self.stay);
        match self.keeper.join() {
            Ok(outcome) => outcome.context("cannot kill Apache Kafka"),
            Err(_) => bail!("the keeper of the broker panicked"),
        }
    }

    fn stop(self) -> anyhow::Result<()> {
        let told =
            Command::new("bash").args(["-c", r#"kill -TERM "$1""#, "bash", &self.pid.to_string()]).status().context("cannot tell Apache Kafka to stop")?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while told.success() && !self.has_ended() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        self.kill()
    }
}

/// Waits until the broker describes itself to a client.
fn await_answer(mut config: ClientConfig, broker: &Broker) -> anyhow::Result<()> {
    let client: BaseConsumer =
        config.set("reconnect.backoff.max.ms", "100").set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg).create().context("cannot make a Kafka client")?;
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        if let Ok(metadata) = client.fetch_metadata(None, Duration::from_millis(300))
            && !metadata.brokers().is_empty()
        {
            return Ok(());
        }
        if broker.has_ended() {
            bail!("the broker ended");
        }
        if Instant::now() > deadline {
            bail!("the broker does not answer after {} seconds", START_PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn fetch() -> anyhow::Result<()> {
    let output = Command::new(script()).arg("fetch").output().context("cannot run scripts/kafka.sh")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/kafka.sh")
}

fn free_port() -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")
}

fn port_of(listener: &TcpListener) -> anyhow::Result<u16> {
    Ok(listener.local_addr().context("no free port on 127.0.0.1")?.port())
}
