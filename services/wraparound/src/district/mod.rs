//! A whole district in this process, on loopback: database, issuer, every service, portal and the admin port.

pub mod addresses;
pub mod database;
pub mod overrides;
pub mod ready;
pub mod secrets;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chassis_boot::settings::{LogFormat, LogSettings, TelemetrySettings};
use chassis_boot::telemetry::{self, Telemetry};
use chassis_boot::{Service, Settings, Shared, Work, admin, start_on};
use secrecy::SecretString;

use crate::dev_issuer::{DevIssuer, IssuerOptions};
use crate::private_postgres::{PrivatePostgres, PrivatePostgresOptions};
use crate::progress::say;

use addresses::Held;
use overrides::Plan;
use ready::Ready;
use secrets::Secrets;

/// What district to run.
#[derive(Debug)]
pub struct DistrictOptions {
    /// Its data.
    pub data_dir: PathBuf,
    /// First port; 0 for free ones.
    pub ports_from: u16,
    /// A database to use instead of a private one.
    pub database: Option<SecretString>,
    /// Kafka to use instead of the PostgreSQL log.
    pub kafka: Option<String>,
    /// The data may go with the machine's power.
    pub throw_away: bool,
}

/// A running district.
pub struct District {
    /// Where everything is.
    pub ready: Ready,
    shared: Shared,
    postgres: Option<PrivatePostgres>,
    telemetry: Telemetry,
}

/// A data folder that belongs to this process for as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing and takes it, before anything in it is changed.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        secrets::private_folder(folder)?;
        let path = folder.join("lock");
        let lock = File::create(&path).with_context(|| format!("cannot write {}: choose a data folder that this user may write to", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                anyhow::bail!("a district is running on the data folder {}: stop it first, or choose another folder with --data-dir", folder.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

const DATABASE: &str = "wraparound";

impl District {
    /// Starts everything; answers when every service listens and its schema is up to date.
    pub async fn start(options: &DistrictOptions) -> anyhow::Result<Self> {
        secrets::private_folder(&options.data_dir)?;
        let log_file = options.data_dir.join("wraparound.log");
        let telemetry = logging(&log_file)?;
        let mut held = Held::take(options.ports_from).await?;
        let addresses = held.addresses()?;
        let secrets = Secrets::open_or_create(&options.data_dir.join("secrets"))?;
        let (postgres, url) = database_of(options).await?;
        let logins = database::prepare(&url, &secrets).await?;
        if !logins.separate {
            say("  the database user may not make roles: all services share it");
        }
        let topic_prefix = prefix(&options.data_dir, &url);
        let plan = Plan { addresses: addresses.clone(), logins, secrets: secrets.clone(), kafka: options.kafka.clone(), topic_prefix };

        // The issuer first: services ask it for their own tokens.
        let shared = Shared::default();
        let issuer = DevIssuer::open(&IssuerOptions { addresses: addresses.clone(), secrets, folder: options.data_dir.join("secrets") })?;
        serve_admin(held.release("admin")?, Arc::new(issuer), &shared);

        say("Bringing the schemas up to date and starting the services …");
        start_service::<rosters::App>(&plan, &mut held, &shared).await?;
        start_service::<reviews::App>(&plan, &mut held, &shared).await?;
        start_service::<plans::App>(&plan, &mut held, &shared).await?;
        start_service::<partners::App>(&plan, &mut held, &shared).await?;
        start_service::<reporting::App>(&plan, &mut held, &shared).await?;
        start_service::<portal::App>(&plan, &mut held, &shared).await?;
        shared.readiness.check().await.map_err(|why| anyhow::anyhow!("the district is not ready: {why}"))?;
        let ready = Ready::new(&addresses, &plan.logins.shown);
        Ok(Self { ready, shared, postgres, telemetry })
    }

    /// Runs until Ctrl-C or a termination signal, then ends everything cleanly.
    pub async fn until_stopped(self) -> anyhow::Result<()> {
        chassis_boot::run::until_stopped(&self.shared, Duration::from_secs(15)).await;
        self.end().await
    }

    /// Ends everything cleanly.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shared.readiness.drain();
        self.shared.stop.cancel();
        self.shared.tasks.close();
        // What does not end in time holds no data: writes are transactions.
        let _ = tokio::time::timeout(Duration::from_secs(15), self.shared.tasks.wait()).await;
        self.end().await
    }

    async fn end(self) -> anyhow::Result<()> {
        self.telemetry.shutdown().await;
        if let Some(mut postgres) = self.postgres {
            tokio::task::spawn_blocking(move || postgres.stop()).await??;
        }
        Ok(())
    }

    /// Cancelled when the district is told to stop.
    pub fn stopping(&self) -> tokio_util::sync::CancellationToken {
        self.shared.stop.clone()
    }
}

fn logging(file: &Path) -> anyhow::Result<Telemetry> {
    let filter = std::env::var("RUST_LOG").ok().filter(|f| !f.is_empty()).unwrap_or_else(|| "info".to_owned());
    let log = LogSettings { format: LogFormat::Text, filter, file: file.display().to_string() };
    let otlp_endpoint = std::env::var("WRAPAROUND__TELEMETRY__OTLP_ENDPOINT").unwrap_or_default();
    telemetry::init("wraparound", &log, &TelemetrySettings { otlp_endpoint, sample_ratio: 1.0 })
}

/// Kafka topics of two districts on the same brokers must not meet; those of one must stay the same.
fn prefix(data_dir: &Path, url: &SecretString) -> String {
    use secrecy::ExposeSecret as _;
    use sha2::{Digest as _, Sha256};
    // An own database is the district; a private one lives in its folder.
    let place = std::fs::canonicalize(data_dir.join("postgres")).map_or_else(|_| url.expose_secret().to_owned(), |p| p.display().to_string());
    let digest: String = Sha256::digest(place.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("wraparound-{digest}-")
}

async fn database_of(options: &DistrictOptions) -> anyhow::Result<(Option<PrivatePostgres>, SecretString)> {
    if let Some(url) = &options.database {
        return Ok((None, url.clone()));
    }
    let data_dir = options.data_dir.join("postgres");
    let first = !data_dir.join("cluster").exists();
    say(if first { "Making a private PostgreSQL …" } else { "Starting the private PostgreSQL …" });
    let throw_away = options.throw_away;
    let postgres = tokio::task::spawn_blocking(move || PrivatePostgres::start(PrivatePostgresOptions { data_dir, throw_away })).await??;
    database::create_database(&postgres.url("postgres"), DATABASE).await?;
    let url = postgres.url(DATABASE);
    Ok((Some(postgres), url))
}

async fn start_service<S: Service>(plan: &Plan, held: &mut Held, shared: &Shared) -> anyhow::Result<()> {
    let sources = chassis_boot::settings::Sources { service_defaults: S::DEFAULTS, file: None, overrides: plan.overrides(S::NAME), environment: false };
    let settings: Settings<S::Own> = Settings::load(&sources).with_context(|| format!("the settings of {}", S::NAME))?;
    if let Some(migrations) = S::migrations() {
        let pool = chassis_pg::connect(&settings.database, S::NAME)?;
        migrations.apply(&pool).await.with_context(|| format!("the schema of {} could not be brought up to date", S::NAME))?;
        pool.close().await;
    }
    ensure!(settings.server.address.ip().is_loopback(), "the one-process mode listens on loopback only");
    start_on::<S>(settings, shared, Work::Both, Some(held.release(S::NAME)?)).await.with_context(|| format!("{} could not start", S::NAME))?;
    Ok(())
}

/// Where the process looks healthy, and the issuer. The issuer must answer until the last service has ended.
fn serve_admin(listener: tokio::net::TcpListener, issuer: Arc<DevIssuer>, shared: &Shared) {
    let router = admin::router(shared.readiness.clone()).nest("/dev-issuer", crate::dev_issuer::router(issuer));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the admin port stopped");
        }
    });
}

/// Where a running district is: by its ready file, else by its data folder.
pub fn find(ready_file: Option<&Path>, data_dir: &Path) -> anyhow::Result<Ready> {
    let ready = Ready::read(ready_file.unwrap_or(&ready::in_data_dir(data_dir)))?;
    ready.keep_its_time()?;
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::take(dir.path()).unwrap();
        assert!(DataFolder::take(dir.path()).unwrap_err().to_string().contains("--data-dir"));
        drop(first);
        DataFolder::take(dir.path()).unwrap();
    }
}
