//! Starts a service and its background work, and stops both: first softly, then hard.

use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chassis_access::{Access, ClaimSettings, Gate, Policies, ServiceIdentity, TokenVerifier};
use chassis_events::kafka::KafkaLog;
use chassis_events::postgres::PostgresLog;
use chassis_events::relay::Relay;
use chassis_events::{Consumer, EventLog};
use chassis_rpc::observe::Observe;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::admin::Readiness;
use crate::service::{Context, Parts, Service};
use crate::settings::{LogKind, ServerSettings, Settings};
use crate::{certificates, gauges, http};

/// What the services of one process have in common.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// What `/readyz` looks at.
    pub readiness: Readiness,
    /// Cancelled to stop softly.
    pub stop: CancellationToken,
    /// Cancelled where the process wants to be started again, with files that have changed.
    pub restart: CancellationToken,
    /// Every task of the process.
    pub tasks: TaskTracker,
}

/// Which half of a service runs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Calls only.
    Serve,
    /// Relay, consumers and jobs only.
    Background,
    /// Both.
    Both,
}

/// A service that has started.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// Where it listens; unspecified where it only works in the background.
    pub address: SocketAddr,
}

/// The policies that come with the binary.
pub const CEDAR_SCHEMA: &str = include_str!("../../../../policies/wraparound.cedarschema");
/// See [`CEDAR_SCHEMA`].
pub const CEDAR_POLICIES: &str = include_str!("../../../../policies/wraparound.cedar");

/// Makes the process's TLS provider known; safe to call again.
pub fn install_crypto() {
    // An error says that one is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Builds what a service stands on.
pub fn context<S: Service>(settings: Settings<S::Own>, shared: &Shared) -> anyhow::Result<Context<S::Own>> {
    install_crypto();
    chassis_clock::set_zone(settings.district.time_zone).context("district.time_zone")?;
    let mut database = settings.database.clone();
    if S::migrations().is_none() {
        // Owns no data; nothing ever connects here.
        database.url = "postgres://nobody@127.0.0.1:1/none".to_owned().into();
    }
    anyhow::ensure!(
        !database.url.expose_secret().is_empty(),
        "database.url is not set; set WRAPAROUND__DATABASE__URL to postgres://user:password@host:port/database"
    );
    let pool = chassis_pg::connect(&database, S::NAME).context("database.url is not an address such as postgres://user:password@host:port/database")?;
    let log: Arc<dyn EventLog> = match settings.events.log {
        LogKind::Kafka => {
            anyhow::ensure!(!settings.events.kafka.brokers.is_empty(), "events.kafka.brokers is not set although events.log is \"kafka\"");
            Arc::new(KafkaLog::new(settings.events.kafka.clone())?)
        }
        LogKind::Postgres => {
            let own = settings.events.postgres_url.expose_secret();
            let url = if own.is_empty() { database.url.expose_secret() } else { own };
            let options = PgConnectOptions::from_str(url).context("events.postgres_url is not an address")?.application_name("wraparound-event-log");
            Arc::new(PostgresLog::new(PgPoolOptions::new().max_connections(4).connect_lazy_with(options)))
        }
    };
    let policies = Policies::new(CEDAR_SCHEMA, CEDAR_POLICIES)?;
    groups_give_known_roles(&settings.auth.claims, &policies)?;
    Ok(Context {
        access: Access::new(policies, pool.clone()),
        identity: Arc::new(ServiceIdentity::new(settings.identity.clone())),
        settings: Arc::new(settings),
        pool,
        log,
        stop: shared.stop.clone(),
    })
}

/// A role that is misspelt gives nobody anything, which should be seen at the start and not by the one who is shut out.
fn groups_give_known_roles(claims: &ClaimSettings, policies: &Policies) -> anyhow::Result<()> {
    let known = policies.roles();
    if let Some((group, role)) = claims.unknown_roles(|role| known.contains(role)).first() {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        anyhow::bail!("auth.roles_of_groups gives the group {group:?} the role {role:?}, which no access policy names; there are {known}");
    }
    Ok(())
}

/// Starts a service in this process. Its schema must be migrated.
pub async fn start<S: Service>(settings: Settings<S::Own>, shared: &Shared, work: Work) -> anyhow::Result<Running> {
    start_on::<S>(settings, shared, work, None).await
}

/// As [`start`], on a port that the process holds already; `server.address` then only says which it is.
pub async fn start_on<S: Service>(settings: Settings<S::Own>, shared: &Shared, work: Work, held: Option<TcpListener>) -> anyhow::Result<Running> {
    let context = context::<S>(settings, shared)?;
    if let Some(migrations) = S::migrations() {
        shared.readiness.watch(migrations, context.pool.clone());
    }
    let verifier = Arc::new(TokenVerifier::new(context.settings.auth.clone()));
    let gate = Gate::new(verifier, context.access.clone());
    let server = context.settings.server.clone();
    let files = certificates::files(&context.settings);
    if !files.is_empty() {
        shared.tasks.spawn(certificates::watch(files, Duration::from_secs(server.restart_spread_seconds), shared.clone()));
    }
    if S::migrations().is_some() {
        shared.tasks.spawn(gauges::pool(S::NAME, context.pool.clone(), context.settings.database.max_connections, shared.stop.clone()));
    }
    let parts = S::build(context.clone()).await?;
    if work != Work::Serve {
        background::<S>(&context, shared);
        for job in parts.jobs {
            shared.tasks.spawn(job(shared.stop.clone()));
        }
    }
    let parts = Parts { jobs: Vec::new(), ..parts };
    if work == Work::Background {
        return Ok(Running { address: SocketAddr::from(([0, 0, 0, 0], 0)) });
    }
    let listener = match held {
        Some(listener) => listener,
        None => TcpListener::bind(server.address)
            .await
            .with_context(|| format!("{}: cannot listen on {}; set server.address to a free one", S::NAME, server.address))?,
    };
    let address = listener.local_addr()?;
    match parts {
        Parts { grpc: Some(routes), .. } => serve_grpc::<S>(routes, gate, listener, &server, shared).await?,
        Parts { http: Some(router), .. } => http::serve(router, listener, &server, shared).await?,
        _ => {}
    }
    tracing::info!(service = S::NAME, %address, "service listens");
    Ok(Running { address })
}

fn background<S: Service>(context: &Context<S::Own>, shared: &Shared) {
    if S::migrations().is_none() {
        return;
    }
    let handlers = S::handlers(context);
    let names = handlers.iter().map(|(name, _)| *name).collect();
    shared.tasks.spawn(gauges::waiting(S::NAME, names, context.pool.clone(), shared.stop.clone()));
    let (log, pool, stop, tasks) = (context.log.clone(), context.pool.clone(), shared.stop.clone(), shared.tasks.clone());
    shared.tasks.spawn(async move {
        // The log may be away at the start; nothing else waits for it.
        let mut wait = Duration::from_millis(200);
        while let Err(error) = log.ensure_topics(S::TOPICS).await {
            tracing::warn!(service = S::NAME, error = &error as &dyn std::error::Error, "topics cannot be made yet; trying again");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(Duration::from_secs(5)),
            }
        }
        tasks.spawn(Relay::new(pool.clone(), S::NAME, log.clone()).run(stop.clone()));
        for (name, handler) in handlers {
            tasks.spawn(Consumer::new(S::NAME, name, pool.clone(), log.clone(), handler).run(stop.clone()));
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(3600)) => {}
            }
            if let Ok(mut conn) = pool.acquire().await
                && let Err(error) = chassis_pg::idempotency::purge(&mut conn).await
            {
                tracing::warn!(service = S::NAME, error = &error as &dyn std::error::Error, "old request ids were not forgotten; trying again in an hour");
            }
        }
    });
}

async fn serve_grpc<S: Service>(
    routes: tonic::service::Routes,
    gate: Gate,
    listener: TcpListener,
    settings: &ServerSettings,
    shared: &Shared,
) -> anyhow::Result<()> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let mut routes = routes.add_service(health_service);
    if settings.reflection {
        // The descriptors are those of the whole contract; told is what this server answers.
        let names = service_names(S::NAME)?;
        let reflection = || {
            let builder = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("grpc.health.v1.Health");
            names.iter().fold(builder, |builder, name| builder.with_service_name(name))
        };
        // Python's client, among others, asks by the older name.
        routes = routes.add_service(reflection().build_v1alpha()?);
        routes = routes.add_service(reflection().build_v1()?);
    }
    let mut builder = Server::builder()
        .timeout(Duration::from_secs(settings.request_timeout_seconds))
        .concurrency_limit_per_connection(settings.max_concurrent_requests)
        .max_connection_age(Duration::from_secs(settings.max_connection_age_seconds))
        .http2_keepalive_interval(Some(Duration::from_secs(30)));
    if !settings.tls_certificate.is_empty() {
        let read = |file: &str| std::fs::read(file).with_context(|| format!("cannot read {file}, which the settings under [server] name"));
        let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(read(&settings.tls_certificate)?, read(&settings.tls_key)?));
        if !settings.tls_client_ca.is_empty() {
            tls = tls.client_ca_root(Certificate::from_pem(read(&settings.tls_client_ca)?)).client_auth_optional(settings.tls_client_optional);
        }
        builder = builder.tls_config(tls)?;
    }
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stop = shared.stop.clone();
    let router = builder.layer(Observe).layer(gate).add_routes(routes.prepare());
    shared.tasks.spawn(async move {
        let drained = async {
            stop.cancelled().await;
            health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        };
        if let Err(error) = router.serve_with_incoming_shutdown(incoming, drained).await {
            tracing::error!(service = S::NAME, error = &error as &dyn std::error::Error, "the server stopped");
        }
    });
    Ok(())
}

/// The gRPC services of the contract in the package of this one.
fn service_names(service: &str) -> anyhow::Result<Vec<String>> {
    let package = format!("wraparound.{service}.v1");
    let files = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET)?.file;
    Ok(files.iter().filter(|file| file.package() == package).flat_map(|file| &file.service).map(|service| format!("{package}.{}", service.name())).collect())
}

/// Waits for a stop signal, or for the wish to be started again, then stops softly, and hard after the grace period or a second signal.
pub async fn until_stopped(shared: &Shared, grace: Duration) {
    tokio::select! {
        () = signal() => {}
        () = shared.restart.cancelled() => {}
    }
    shared.readiness.drain();
    shared.stop.cancel();
    shared.tasks.close();
    tokio::select! {
        () = shared.tasks.wait() => {}
        () = tokio::time::sleep(grace) => tracing::warn!("some work did not end in time; stopping hard"),
        () = signal() => tracing::warn!("second signal; stopping hard"),
    }
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut term), Ok(mut int)) => {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        }
        // Without handlers the default action ends the process, which is a stop as well.
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_with_a_role_that_no_policy_names_is_refused_with_those_that_are() {
        let policies = Policies::new(CEDAR_SCHEMA, CEDAR_POLICIES).unwrap();
        let with = |role: &str| ClaimSettings { roles_of_groups: [("/Staff/Coordinators".to_owned(), role.to_owned())].into(), ..ClaimSettings::default() };
        groups_give_known_roles(&with("coordinator"), &policies).unwrap();
        let refused = groups_give_known_roles(&with("cordinator"), &policies).unwrap_err().to_string();
        assert!(
            refused.contains("/Staff/Coordinators") && refused.contains("\"cordinator\"") && refused.contains("auditor, coordinator, data_clerk"),
            "{refused}"
        );
    }
}
