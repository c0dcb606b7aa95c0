//! Every service as processes of its own, as a large district runs them: settings files, secrets by variables, a database and a role
//! for each service, Apache Kafka, mutual TLS between all of them, and work apart from calls.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use wraparound::dev_issuer::{DevIssuer, IssuerOptions};
use wraparound::district::addresses::{Addresses, Held};
use wraparound::district::overrides::{Plan, client_id};
use wraparound::district::ready::Ready;
use wraparound::district::secrets::Secrets;
use wraparound::tls::Tls;

use crate::authority::Authority;
use crate::clients::{Clients, Reached};
use crate::databases::Databases;
use crate::process::{self, Process, signal};
use crate::scratch;
use crate::tokens::{Claims, Tokens};

/// Those that own a schema, and the portal, in the order in which they start.
pub const SERVICES: [&str; 6] = ["rosters", "reviews", "plans", "partners", "reporting", "portal"];
const START_PATIENCE: Duration = Duration::from_secs(120);

/// An identity provider that is not ours.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Its token endpoint.
    pub token_uri: String,
    /// Client id and secret of the portal; the secret may be empty.
    pub portal: (String, String),
    /// Client id and secret by which services are known, the same for all.
    pub services: (String, String),
    /// More lines of TOML for every service, such as `[auth.roles_of_groups]`.
    pub settings: String,
    /// More lines of TOML below the portal's `[service]`.
    pub portal_settings: String,
}

/// What fleet to start.
#[derive(Clone, Debug, Default)]
pub struct FleetOptions {
    /// `host:port` of Apache Kafka; else the PostgreSQL log, and one database for all.
    pub kafka: Option<String>,
    /// Who signs certificates; else everything speaks plain text.
    pub authority: Option<Authority>,
    /// Who signs tokens; else the development issuer, in this process.
    pub provider: Option<Provider>,
    /// The programs; those that were built with this test where not given.
    pub binaries: Option<PathBuf>,
    /// Its databases; fresh ones where not given.
    pub databases: Option<Databases>,
    /// Where to send traces and metrics.
    pub otlp_endpoint: Option<String>,
    /// Put before every Kafka topic.
    pub topic_prefix: String,
    /// Calls and background work in one process a service, as in a small district.
    pub together: bool,
}

/// A running fleet. Dropping it kills the processes and removes their files.
pub struct Fleet {
    // Dropped in this order: the processes are killed before their files go.
    processes: BTreeMap<(&'static str, &'static str), Process>,
    admin: BTreeMap<(&'static str, &'static str), u16>,
    addresses: Addresses,
    ready: Ready,
    databases: Databases,
    secrets: Secrets,
    tokens: Option<Tokens>,
    options: FleetOptions,
    folder: TempDir,
}

impl Fleet {
    /// Migrates every schema, starts every process and waits until all are ready.
    ///
    /// # Panics
    /// When something does not come up; with what it said.
    pub async fn start(options: FleetOptions) -> Self {
        let mut fleet = Self::prepare(options).await;
        for service in SERVICES {
            fleet.migrate(service).await;
        }
        for service in SERVICES {
            fleet.launch(service).await;
        }
        fleet
    }

    /// Databases, settings and the issuer; no process yet.
    ///
    /// # Panics
    /// When there is no room for it.
    pub async fn prepare(options: FleetOptions) -> Self {
        let folder = scratch::folder("fleet").unwrap_or_else(|error| panic!("{error:#}"));
        let secrets = Secrets::open_or_create(&folder.path().join("secrets")).unwrap_or_else(|error| panic!("{error:#}"));
        let databases = match &options.databases {
            Some(databases) => databases.clone(),
            None if options.kafka.is_some() => Databases::apart().await,
            None => Databases::together(&secrets).await,
        };
        let mut held = Held::take(0).await.unwrap_or_else(|error| panic!("{error:#}"));
        let mut addresses = held.addresses().unwrap_or_else(|error| panic!("{error:#}"));
        if let Some(authority) = &options.authority {
            addresses = addresses.over(authority.issue("operator"));
        }
        let admin_listener = held.release("admin").unwrap_or_else(|error| panic!("{error:#}"));
        // The services take their ports over; nobody else on a test machine asks for these in particular.
        drop(held);
        let mut ready = Ready::new(&addresses, "several");
        if let Some(provider) = &options.provider {
            ready.issuer.clone_from(&provider.issuer);
        }
        let mut fleet = Self {
            processes: BTreeMap::new(),
            admin: BTreeMap::new(),
            addresses: addresses.clone(),
            ready,
            databases,
            secrets: secrets.clone(),
            tokens: None,
            options,
            folder,
        };
        if fleet.options.provider.is_none() {
            let issuer = IssuerOptions { addresses, secrets, folder: fleet.folder.path().join("secrets") };
            let issuer = DevIssuer::open(&issuer).unwrap_or_else(|error| panic!("{error:#}"));
            let router = axum::Router::new().nest("/dev-issuer", wraparound::dev_issuer::router(std::sync::Arc::new(issuer)));
            tokio::spawn(async move { axum::serve(admin_listener, router).await });
            fleet.tokens = Some(Tokens::of(fleet.folder.path(), &fleet.ready.issuer).await);
        }
        fleet.ready.write(&fleet.ready_file()).unwrap_or_else(|error| panic!("{error:#}"));
        for service in SERVICES {
            let text = fleet.settings(service);
            fs::write(fleet.settings_file(service), text).unwrap_or_else(|error| panic!("{error}"));
        }
        fleet
    }

    /// Where it listens.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Where it listens, as a file that `wraparound` takes for `--address`.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// Its databases.
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Clients of every service, for a caller with these claims.
    ///
    /// # Panics
    /// With a provider that is not ours.
    pub fn clients(&self, claims: &Claims) -> Clients {
        let tokens = self.tokens.as_ref().unwrap_or_else(|| panic!("this fleet's tokens are its provider's"));
        self.clients_with(&tokens.mint(claims))
    }

    /// Clients of every service, with any token.
    pub fn clients_with(&self, token: &str) -> Clients {
        Clients::new(&self.ready, token)
    }

    /// What every process has logged so far.
    pub fn log(&self) -> String {
        SERVICES.iter().map(|service| format!("== {service}\n{}", self.log_of(service))).collect()
    }

    /// What a service has logged so far.
    pub fn log_of(&self, service: &str) -> String {
        fs::read(self.log_file(service)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The metrics of a service's process: `serve` or `work`.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn metrics(&self, service: &'static str, role: &'static str) -> String {
        let port = self.admin.get(&(service, role)).unwrap_or_else(|| panic!("{service} does not {role}"));
        let answer = async { reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await?.error_for_status()?.text().await };
        answer.await.unwrap_or_else(|error| panic!("{service}: {error}"))
    }

    /// The processes of a service.
    pub fn pids(&self, service: &'static str) -> Vec<u32> {
        self.processes.iter().filter(|((name, _), _)| *name == service).map(|(_, process)| process.pid()).collect()
    }

    /// Whether every process of a service has ended by itself.
    pub fn has_ended(&mut self, service: &'static str) -> bool {
        self.processes.iter_mut().filter(|((name, _), _)| *name == service).all(|(_, process)| process.ended().is_some())
    }

    /// Runs another verb of a service with its settings.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn verb(&self, service: &'static str, arguments: &[&str]) -> Output {
        let mut command = self.command(service);
        command.args(arguments);
        tokio::task::spawn_blocking(move || command.output()).await.ok().and_then(Result::ok).unwrap_or_else(|| panic!("{service} cannot be started"))
    }

    /// Brings a schema up to date, as the init container does.
    ///
    /// # Panics
    /// When that fails; with what it said.
    pub async fn migrate(&self, service: &'static str) {
        if service != "portal" {
            let output = self.verb(service, &["migrate"]).await;
            assert!(output.status.success(), "{service} cannot migrate: {}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Starts a service and waits until it is ready.
    ///
    /// # Panics
    /// When it does not come up; with what it said.
    pub async fn launch(&mut self, service: &'static str) {
        let roles: &[(&'static str, &[&str])] = match (service, self.options.together) {
            ("portal", _) => &[("serve", &["serve"])],
            (_, true) => &[("serve", &["serve", "--with-work"])],
            (_, false) => &[("serve", &["serve"]), ("work", &["work"])],
        };
        for (role, arguments) in roles {
            let port = free_port();
            let log = File::options().create(true).append(true).open(self.log_file(service)).unwrap_or_else(|error| panic!("{error}"));
            let mut command = self.command(service);
            command.args(*arguments).env("WRAPAROUND__ADMIN__ADDRESS", format!("127.0.0.1:{port}"));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            self.processes.insert((service, *role), Process::spawn(command));
            self.admin.insert((service, *role), port);
        }
        for (role, _) in roles {
            self.await_ready(service, role).await;
        }
    }

    /// Ends a service as a power cut would.
    pub fn kill9(&mut self, service: &'static str) {
        self.processes.retain(|(name, _), _| *name != service);
    }

    /// Asks a service to stop and waits until it has.
    ///
    /// # Panics
    /// When it does not.
    pub async fn stop(&mut self, service: &'static str) {
        for pid in self.pids(service) {
            signal(pid, "TERM");
        }
        let deadline = Instant::now() + Duration::from_secs(40);
        while !self.has_ended(service) {
            assert!(Instant::now() < deadline, "{service} does not stop; it said:\n{}", self.log_of(service));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill9(service);
    }

    /// Where its data is from now on, for services that start after this.
    pub fn move_to(&mut self, databases: Databases) {
        self.databases = databases;
    }

    /// Which programs are started from now on.
    pub fn use_binaries(&mut self, folder: Option<PathBuf>) {
        self.options.binaries = folder;
    }

    async fn await_ready(&mut self, service: &'static str, role: &'static str) {
        let deadline = Instant::now() + START_PATIENCE;
        let url = format!("http://127.0.0.1:{}/readyz", self.admin.get(&(service, role)).copied().unwrap_or_default());
        loop {
            let ready = reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success());
            if ready {
                return;
            }
            let ended = self.processes.get_mut(&(service, role)).and_then(Process::ended);
            assert!(ended.is_none() && Instant::now() < deadline, "{service} {role} is not ready ({ended:?}); it said:\n{}", self.log_of(service));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn command(&self, service: &'static str) -> Command {
        let binaries = self.options.binaries.clone().unwrap_or_else(process::binaries);
        let mut command = process::command(&binaries.join(service));
        command.arg("--config").arg(self.settings_file(service));
        for (name, value) in self.secret_variables(service) {
            command.env(name, value);
        }
        command
    }

    fn secret_variables(&self, service: &'static str) -> Vec<(&'static str, String)> {
        let mut variables = vec![];
        if let Some(url) = self.databases.own(service) {
            variables.push(("WRAPAROUND__DATABASE__URL", url.to_owned()));
        }
        let derived = |client: &str| Plan::client_secret(&self.secrets, client).expose_secret().to_owned();
        let (portal, own) = match &self.options.provider {
            Some(provider) => (provider.portal.1.clone(), provider.services.1.clone()),
            None => (derived("portal"), derived(&client_id(service))),
        };
        variables.push(("WRAPAROUND__IDENTITY__CLIENT_SECRET", own));
        if service == "portal" {
            variables.push(("WRAPAROUND__SERVICE__CLIENT_SECRET", portal));
        }
        variables
    }

    /// As the charts render them: nothing secret.
    fn settings(&self, service: &'static str) -> String {
        let provider = self.options.provider.clone().unwrap_or_else(|| Provider {
            issuer: self.ready.issuer.clone(),
            token_uri: format!("{}/token", self.ready.issuer),
            portal: ("portal".to_owned(), String::new()),
            services: (client_id(service), String::new()),
            ..Provider::default()
        });
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        // Without TLS no key of it is named, so that older programs take the file, too.
        let tls = self.options.authority.as_ref().map(|authority| authority.issue(service));
        let files = tls.as_ref().map(files).unwrap_or_default();
        let mut text = format!("[server]\naddress = {}\n", quoted(&self.addresses.socket(service).to_string()));
        if let Some(own) = &tls {
            let client_ca = if service == "portal" { "" } else { &own.ca_file };
            text += &format!("tls_certificate = {}\ntls_key = {}\ntls_client_ca = {}\n", quoted(&own.certificate), quoted(&own.key), quoted(client_ca));
            text += "restart_spread_seconds = 1\n";
        }
        let (issuer, token_uri, client) = (quoted(&provider.issuer), quoted(&provider.token_uri), quoted(&provider.services.0));
        text += &format!("[auth]\nissuer = {issuer}\n[identity]\ntoken_uri = {token_uri}\nclient_id = {client}\n[peers]\n");
        for peer in SERVICES.iter().filter(|peer| **peer != "portal") {
            text += &format!("{peer} = {}\n", quoted(&self.addresses.url(peer)));
        }
        text += &files;
        text += &match &self.options.kafka {
            Some(brokers) => {
                let (brokers, prefix) = (quoted(brokers), quoted(&self.options.topic_prefix));
                let protocol = if tls.is_some() { "security_protocol = \"ssl\"\n" } else { "" };
                format!("[events]\nlog = \"kafka\"\n[events.kafka]\nbrokers = {brokers}\ntopic_prefix = {prefix}\n{protocol}{files}")
            }
            None => "[events]\nlog = \"postgres\"\n".to_owned(),
        };
        text += &format!("[telemetry]\notlp_endpoint = {}\n", quoted(self.options.otlp_endpoint.as_deref().unwrap_or_default()));
        text += &provider.settings;
        if service == "portal" {
            let (url, issuer) = (quoted(&self.ready.portal), quoted(&provider.issuer));
            text +=
                &format!("\n[service]\npublic_url = {url}\nissuer_url = {issuer}\nclient_id = {}\n{}", quoted(&provider.portal.0), provider.portal_settings);
        }
        text
    }

    fn settings_file(&self, service: &str) -> PathBuf {
        self.folder.path().join(format!("{service}.toml"))
    }

    fn log_file(&self, service: &str) -> PathBuf {
        self.folder.path().join(format!("{service}.log"))
    }
}

impl Reached for Fleet {
    fn clients(&self, claims: &Claims) -> Clients {
        self.clients(claims)
    }
}

fn files(tls: &Tls) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!("ca_file = {}\ncertificate = {}\nkey = {}\n", quoted(&tls.ca_file), quoted(&tls.certificate), quoted(&tls.key))
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.unwrap_or_else(|error| panic!("no free port: {error}")).port()
}

/// A file of the repository.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
