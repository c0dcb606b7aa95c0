//! What a service is to the chassis.

use std::pin::Pin;
use std::sync::Arc;

use chassis_access::{Access, ServiceIdentity};
use chassis_events::{EventLog, Handler, Topic};
use chassis_pg::Migrations;
use chassis_rpc::Channel;
use chassis_rpc::channel::ChannelError;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;

/// A service: its name, what it needs, and how it is put together.
pub trait Service: Send + Sync + 'static {
    /// Its own settings, under `[service]`.
    type Own: DeserializeOwned + Clone + Send + Sync + std::fmt::Debug + 'static;

    /// Name, also of its schema; e.g. `reviews`.
    const NAME: &'static str;
    /// Its own defaults as documented TOML.
    const DEFAULTS: &'static str;
    /// Topics it publishes.
    const TOPICS: &'static [Topic];

    /// Its schema; none where it owns no data.
    fn migrations() -> Option<Migrations>;

    /// Puts it together. Does no work yet: jobs and consumers start later.
    fn build(context: Context<Self::Own>) -> impl Future<Output = anyhow::Result<Parts>> + Send;

    /// Its consumers by name, for the dead letters' verbs. The same that [`Service::build`] starts.
    fn handlers(_context: &Context<Self::Own>) -> Vec<(&'static str, Arc<dyn Handler>)> {
        Vec::new()
    }

    /// Appends the current state of every state topic to the outbox again, for a consumer that lost its copy.
    fn republish(_context: Context<Self::Own>) -> impl Future<Output = anyhow::Result<u64>> + Send {
        async { Ok(0) }
    }
}

/// What a service is built from.
#[derive(Clone)]
pub struct Context<S> {
    /// All settings.
    pub settings: Arc<Settings<S>>,
    /// Its database, with its schema as the search path.
    pub pool: PgPool,
    /// Access decisions.
    pub access: Access,
    /// Itself, to its peers.
    pub identity: Arc<ServiceIdentity>,
    /// The event log, for what is not a plain consumer.
    pub log: Arc<dyn EventLog>,
    /// Cancelled when the process stops; long streams end on it.
    pub stop: CancellationToken,
}

impl<S> Context<S> {
    /// The channel to a peer; `uri` from `settings.peers`.
    pub fn channel(&self, uri: &str) -> Result<Channel, ChannelError> {
        chassis_rpc::channel(&self.settings.peers.channel(uri))
    }
}

/// Work in the background until told to stop.
pub type Job = Box<dyn FnOnce(CancellationToken) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A service, put together.
#[derive(Default)]
pub struct Parts {
    /// gRPC services, without gate, health or reflection: these are added around them.
    pub grpc: Option<tonic::service::Routes>,
    /// Web pages.
    pub http: Option<axum::Router>,
    /// Work in the background.
    pub jobs: Vec<Job>,
}

impl Parts {
    /// gRPC services; add each by `routes.add_service`.
    pub fn grpc(routes: tonic::service::Routes) -> Self {
        Self { grpc: Some(routes), ..Self::default() }
    }

    /// Adds background work.
    #[must_use]
    pub fn job<F: Future<Output = ()> + Send + 'static>(mut self, job: impl FnOnce(CancellationToken) -> F + Send + 'static) -> Self {
        self.jobs.push(Box::new(move |stop| Box::pin(job(stop))));
        self
    }
}
