//! The verbs: `serve`, `work`, `migrate`, `wait-for-db`, `check-config`, `topics`, `republish`, `after-restore` and `dead-letters`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use chassis_events::dead_letter::{self, Replay};
use chassis_events::restored::{self, LogAfter};
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::admin;
use crate::run::{self, Shared, Work};
use crate::service::Service;
use crate::settings::{DEFAULTS, Settings, Sources};
use crate::telemetry;

#[derive(Debug, Parser)]
#[command(version, about = "A Wraparound service")]
struct Cli {
    /// A TOML file with settings that differ from the defaults.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Answer calls.
    Serve {
        /// Also run the background work in this process.
        #[arg(long)]
        with_work: bool,
    },
    /// Publish and consume events, run jobs.
    Work,
    /// Bring the schema up to date, then exit.
    Migrate,
    /// Wait until the database is there and migrated, then exit.
    WaitForDb {
        /// Give up after this many seconds.
        #[arg(long, default_value_t = 300)]
        timeout_seconds: u64,
    },
    /// Read and check all settings, then exit.
    CheckConfig {
        /// Print every setting with its default instead.
        #[arg(long)]
        defaults: bool,
    },
    /// Publish the current state of every state topic again.
    Republish,
    /// List the topics that the service publishes and reads, as JSON lines.
    Topics,
    /// Prepare a schema that was just restored from a backup; see docs/operators/BACKUP.md. Nothing of the service may run.
    AfterRestore {
        /// Whether the event log is the one from before, or a new and empty one.
        #[arg(long, value_enum)]
        log: Log,
        /// Where every service was set back to one moment: that moment, e.g. 2026-11-27T03:00:00Z. Events published between it and
        /// now tell of writes that are gone, and are passed over.
        #[arg(long)]
        all_set_back_to: Option<DateTime<Utc>>,
        /// When they were set back; now where not given. For a read model that is made anew some time after a restore.
        #[arg(long, requires = "all_set_back_to")]
        set_back_at: Option<DateTime<Utc>>,
    },
    /// Events that could not be applied.
    DeadLetters {
        #[command(subcommand)]
        verb: DeadLetterVerb,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    Kept,
    Lost,
}

#[derive(Debug, Subcommand)]
enum DeadLetterVerb {
    /// List them as JSON lines, oldest first. No payloads.
    List,
    /// Apply one again.
    Replay {
        /// Its id.
        id: Uuid,
    },
    /// Forget one.
    Discard {
        /// Its id.
        id: Uuid,
    },
}

/// The whole of a service's `main`.
pub fn main<S: Service>() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{}: cannot start: {error}", S::NAME);
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(execute::<S>(cli));
    // A second of patience for blocking calls; the rest of the process has ended already.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", S::NAME);
            ExitCode::FAILURE
        }
    }
}

async fn execute<S: Service>(cli: Cli) -> anyhow::Result<()> {
    if let Verb::CheckConfig { defaults: true } = cli.verb {
        println!("{DEFAULTS}\n{}", S::DEFAULTS);
        return Ok(());
    }
    let sources = Sources { service_defaults: S::DEFAULTS, file: cli.config.as_deref(), overrides: String::new(), environment: true };
    let settings: Settings<S::Own> = Settings::load(&sources)?;
    let shared = Shared::default();
    if let Verb::CheckConfig { .. } = cli.verb {
        run::context::<S>(settings, &shared)?;
        println!("{}: the settings are complete", S::NAME);
        return Ok(());
    }
    if let Verb::Topics = cli.verb {
        return topics::<S>(&run::context::<S>(settings, &shared)?);
    }
    let telemetry = telemetry::init(S::NAME, &settings.log, &settings.telemetry)?;
    let grace = Duration::from_secs(settings.shutdown.grace_seconds);
    let admin_address = settings.admin.address.clone();
    let context = run::context::<S>(settings.clone(), &shared)?;
    match cli.verb {
        Verb::CheckConfig { .. } | Verb::Topics => {}
        Verb::Migrate => {
            if let Some(migrations) = S::migrations() {
                migrations.apply(&context.pool).await.context("the schema is not up to date")?;
            }
            println!("{}: the schema is up to date", S::NAME);
        }
        Verb::WaitForDb { timeout_seconds } => wait_for_db::<S>(&context.pool, Duration::from_secs(timeout_seconds)).await?,
        Verb::Republish => println!("{}: {} states go out again", S::NAME, S::republish(context).await?),
        Verb::AfterRestore { log, all_set_back_to, set_back_at } => {
            let undone = all_set_back_to.map(|from| (from, set_back_at.unwrap_or_else(Utc::now)));
            after_restore::<S>(&context.pool, log, undone).await?;
        }
        Verb::DeadLetters { verb } => dead_letters::<S>(verb, context).await?,
        Verb::Serve { .. } | Verb::Work => {
            let work = match cli.verb {
                Verb::Serve { with_work: true } => Work::Both,
                Verb::Work => Work::Background,
                _ => Work::Serve,
            };
            run::start::<S>(settings, &shared, work).await?;
            if !admin_address.is_empty() {
                let listener =
                    TcpListener::bind(&admin_address).await.with_context(|| format!("cannot listen on {admin_address}; set admin.address to a free one"))?;
                tracing::info!(address = %listener.local_addr()?, "admin port listens");
                let router = admin::router(shared.readiness.clone());
                tokio::spawn(async move { axum::serve(listener, router).await });
            }
            run::until_stopped(&shared, grace).await;
        }
    }
    telemetry.shutdown().await;
    Ok(())
}

async fn wait_for_db<S: Service>(pool: &sqlx::PgPool, patience: Duration) -> anyhow::Result<()> {
    let Some(migrations) = S::migrations() else { return Ok(()) };
    let until = std::time::Instant::now() + patience;
    loop {
        match migrations.check(pool).await {
            Ok(()) => return Ok(()),
            Err(error) if std::time::Instant::now() > until => return Err(error).context("the database is not ready"),
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

async fn after_restore<S: Service>(pool: &sqlx::PgPool, log: Log, undone: Option<(DateTime<Utc>, DateTime<Utc>)>) -> anyhow::Result<()> {
    let Some(migrations) = S::migrations() else { anyhow::bail!("{} owns no data, so there is nothing to restore", S::NAME) };
    migrations.check(pool).await?;
    if let Some((from, until)) = undone {
        anyhow::ensure!(from < until, "--all-set-back-to must lie before the moment of the restore, {until}");
    }
    let after = match log {
        Log::Kept => LogAfter::Kept,
        Log::Lost => LogAfter::Lost,
    };
    restored::stand_again(pool, after, undone).await?;
    println!("{}: its consumers read the log from the beginning and pass over what the backup holds", S::NAME);
    if after == LogAfter::Lost {
        println!("{}: now run `republish`, once every service has been prepared", S::NAME);
    }
    Ok(())
}

fn topics<S: Service>(context: &crate::Context<S::Own>) -> anyhow::Result<()> {
    for topic in S::TOPICS {
        println!("{}", serde_json::json!({ "topic": topic.name, "use": "publishes", "partitions": topic.partitions, "compacted": topic.compacted }));
    }
    for (consumer, handler) in S::handlers(context) {
        for topic in handler.topics() {
            println!("{}", serde_json::json!({ "topic": topic, "use": "reads", "consumer": consumer }));
        }
    }
    Ok(())
}

async fn dead_letters<S: Service>(verb: DeadLetterVerb, context: crate::Context<S::Own>) -> anyhow::Result<()> {
    match verb {
        DeadLetterVerb::List => {
            for letter in dead_letter::list(&context.pool).await? {
                println!("{}", serde_json::to_string(&letter)?);
            }
        }
        DeadLetterVerb::Discard { id } => {
            anyhow::ensure!(dead_letter::discard(&context.pool, id).await?, "there is no dead letter {id}");
            println!("discarded {id}");
        }
        DeadLetterVerb::Replay { id } => {
            let letters = dead_letter::list(&context.pool).await?;
            let letter = letters.iter().find(|l| l.dead_letter_id == id).with_context(|| format!("there is no dead letter {id}"))?;
            let handlers = S::handlers(&context);
            let (_, handler) =
                handlers.iter().find(|(name, _)| *name == letter.consumer).with_context(|| format!("this binary has no consumer {}", letter.consumer))?;
            match dead_letter::replay(&context.pool, id, handler.as_ref()).await? {
                Replay::Applied => println!("applied {id}"),
                Replay::Refused(reason) => anyhow::bail!("refused again: {reason}"),
                Replay::NotFound => anyhow::bail!("there is no dead letter {id}"),
            }
        }
    }
    Ok(())
}
