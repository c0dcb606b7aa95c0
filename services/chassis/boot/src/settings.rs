//! Settings: the documented defaults, then a file, then `WRAPAROUND__…` variables. What is unknown or wrong is refused
//! at the start, with the place, the key and the remedy.

use std::collections::BTreeSet;
use std::path::Path;

use chassis_access::TokenSettings;
use chassis_access::identity::IdentitySettings;
use chassis_events::kafka::KafkaSettings;
use chassis_pg::DatabaseSettings;
use chassis_rpc::channel::ChannelSettings;
use config::{Config, Environment, File, FileFormat};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The defaults, and the documentation of every key.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// Settings of one service; `S` are the service's own, under `[service]`.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings<S> {
    /// The port that serves.
    pub server: ServerSettings,
    /// What is the same for all services of a district.
    pub district: DistrictSettings,
    /// The port that operators look at.
    pub admin: AdminSettings,
    /// Stopping.
    pub shutdown: ShutdownSettings,
    /// The database.
    pub database: DatabaseSettings,
    /// The event log.
    pub events: EventSettings,
    /// Whom to believe.
    pub auth: TokenSettings,
    /// Who we are.
    pub identity: IdentitySettings,
    /// Where the others are.
    pub peers: PeerSettings,
    /// Logs.
    pub log: LogSettings,
    /// Traces and metrics.
    pub telemetry: TelemetrySettings,
    /// The service's own.
    pub service: S,
}

/// See `[server]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct ServerSettings {
    pub address: std::net::SocketAddr,
    pub reflection: bool,
    pub max_message_bytes: usize,
    pub request_timeout_seconds: u64,
    pub max_concurrent_requests: usize,
    pub max_connection_age_seconds: u64,
    pub tls_certificate: String,
    pub tls_key: String,
    pub tls_client_ca: String,
    pub tls_client_optional: bool,
    pub restart_spread_seconds: u64,
}

/// See `[district]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct DistrictSettings {
    #[serde(deserialize_with = "chassis_clock::deserialize")]
    pub time_zone: chassis_clock::Tz,
}

/// See `[admin]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct AdminSettings {
    pub address: String,
}

/// See `[shutdown]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct ShutdownSettings {
    pub grace_seconds: u64,
}

/// Which log carries the events.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// Apache Kafka.
    Kafka,
    /// The PostgreSQL log.
    Postgres,
}

/// See `[events]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct EventSettings {
    pub log: LogKind,
    pub postgres_url: SecretString,
    pub kafka: KafkaSettings,
}

/// See `[peers]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct PeerSettings {
    pub rosters: String,
    pub reviews: String,
    pub plans: String,
    pub partners: String,
    pub reporting: String,
    pub ca_file: String,
    pub certificate: String,
    pub key: String,
}

impl PeerSettings {
    /// How to reach one of them.
    pub fn channel(&self, uri: &str) -> ChannelSettings {
        ChannelSettings { uri: uri.to_owned(), ca_file: self.ca_file.clone(), certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// See `[log]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct LogSettings {
    pub format: LogFormat,
    pub filter: String,
    pub file: String,
}

/// See `[telemetry]` in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct TelemetrySettings {
    pub otlp_endpoint: String,
    pub sample_ratio: f64,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key that no default knows.
    #[error("{place}: {key} is not a setting{}. Every setting is listed by `check-config --defaults`", near.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownKey {
        /// File or variable.
        place: String,
        /// The key.
        key: String,
        /// A known key that looks like it.
        near: Option<String>,
    },
    /// A file or value that cannot be read.
    #[error("{place}: {problem}")]
    Unreadable {
        /// File, or all sources.
        place: String,
        /// What, with key and origin.
        problem: String,
    },
}

/// Tables whose keys are the operator's own words. All others take only the keys that the defaults have.
const OPEN_TABLES: [&str; 1] = ["auth.roles_of_groups"];

fn keys(table: &config::Map<String, config::Value>, prefix: &str, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match &value.kind {
            config::ValueKind::Table(inner) if !OPEN_TABLES.contains(&path.as_str()) => keys(inner, &path, found),
            _ => {
                found.insert(path);
            }
        }
    }
}

fn keys_of(config: &Config) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let config::ValueKind::Table(table) = &config.cache.kind {
        keys(table, "", &mut found);
    }
    found
}

fn near(key: &str, known: &BTreeSet<String>) -> Option<String> {
    known.iter().map(|k| (strsim::damerau_levenshtein(k, key), k)).filter(|(distance, _)| *distance <= 3).min().map(|(_, k)| k.clone())
}

/// Where settings come from.
#[derive(Debug, Default)]
pub struct Sources<'s> {
    /// The service's own defaults: TOML with a `[service]` table; may set others too, such as its port.
    pub service_defaults: &'s str,
    /// A file of the operator's.
    pub file: Option<&'s Path>,
    /// Settings made by the program itself (the one-process mode), as TOML. Come last.
    pub overrides: String,
    /// Whether `WRAPAROUND__…` variables count.
    pub environment: bool,
}

impl<S: DeserializeOwned> Settings<S> {
    /// Reads all sources.
    pub fn load(sources: &Sources<'_>) -> Result<Self, SettingsError> {
        let unreadable = |place: &str, error: config::ConfigError| SettingsError::Unreadable { place: place.to_owned(), problem: error.to_string() };
        let defaults = Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .add_source(File::from_str(sources.service_defaults, FileFormat::Toml))
            .build()
            .map_err(|e| unreadable("the defaults", e))?;
        let known = keys_of(&defaults);
        let check = |place: &str, config: &Config| match keys_of(config).into_iter().find(|k| !known.contains(k)) {
            Some(key) => Err(SettingsError::UnknownKey { place: place.to_owned(), near: near(&key, &known), key }),
            None => Ok(()),
        };
        let mut builder = Config::builder().add_source(defaults.clone());
        if let Some(path) = sources.file {
            let place = path.display().to_string();
            let file = File::from(path).format(FileFormat::Toml);
            let alone = Config::builder().add_source(file.clone()).build().map_err(|e| unreadable(&place, e))?;
            check(&place, &alone)?;
            builder = builder.add_source(file);
        }
        if sources.environment {
            let variables = || Environment::with_prefix("WRAPAROUND").prefix_separator("__").separator("__").try_parsing(true);
            let alone = Config::builder().add_source(variables()).build().map_err(|e| unreadable("the environment", e))?;
            check("a WRAPAROUND__ variable", &alone)?;
            builder = builder.add_source(variables());
        }
        builder = builder.add_source(File::from_str(&sources.overrides, FileFormat::Toml));
        let all = builder.build().map_err(|e| unreadable("the settings", e))?;
        all.try_deserialize().map_err(|e| unreadable("the settings", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Deserialize)]
    struct Own {
        days: u32,
    }

    fn load(overrides: &str, file: Option<&Path>) -> Result<Settings<Own>, SettingsError> {
        Settings::load(&Sources { service_defaults: "[service]\ndays = 20\n", file, overrides: overrides.to_owned(), environment: false })
    }

    #[test]
    fn defaults_are_complete() {
        let settings = load("", None).unwrap();
        assert_eq!(settings.service.days, 20);
        assert_eq!(settings.events.log, LogKind::Postgres);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_file_and_a_guess() {
        let error = from_file("[database]\nmax_conections = 3\n").unwrap_err().to_string();
        assert!(error.contains("site.toml") && error.contains("database.max_conections") && error.contains("did you mean database.max_connections"), "{error}");
    }

    fn from_file(text: &str) -> Result<Settings<Own>, SettingsError> {
        let dir = std::env::temp_dir().join(format!("settings-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("site.toml");
        std::fs::write(&path, text).unwrap();
        let loaded = load("", Some(&path));
        std::fs::remove_dir_all(&dir).unwrap();
        loaded
    }

    #[test]
    fn an_open_table_takes_any_key_as_it_is_written() {
        let groups = ["/Wraparound/Coordinators", "sis.clerks", "Lead Teachers", "a[0]", "x..y", "7", "Ä", "4f9c2b1e-0000-4000-8000-000000000000"];
        let lines: Vec<String> = groups.iter().map(|group| format!("{} = \"coordinator\"", serde_json::Value::from(*group))).collect();
        let settings = from_file(&format!("[auth]\ngroups_claim = \"groups\"\n[auth.roles_of_groups]\n{}\n", lines.join("\n"))).unwrap();
        let table = &settings.auth.claims.roles_of_groups;
        assert_eq!(table.len(), groups.len(), "{table:?}");
        assert!(groups.iter().all(|group| table[*group] == "coordinator"), "{table:?}");
        assert_eq!(settings.auth.clock_skew_seconds, 60);
    }

    #[test]
    fn beside_an_open_table_keys_are_known() {
        for (text, key) in [("[auth]\nroles_of_group = \"x\"\n", "auth.roles_of_group"), ("[auth.roles_of]\nx = \"y\"\n", "auth.roles_of.x")] {
            let error = from_file(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{key} is not a setting")), "{error}");
        }
        assert!(from_file("[auth]\nroles_of_groups = \"x\"\n").is_err());
    }

    #[test]
    fn a_bad_value_names_its_key() {
        let error = load("[service]\ndays = \"many\"\n", None).unwrap_err().to_string();
        assert!(error.contains("service.days"), "{error}");
    }
}
