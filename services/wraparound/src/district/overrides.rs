//! The settings that the one-process mode makes for each service, as TOML.

use secrecy::{ExposeSecret as _, SecretString};

use super::addresses::Addresses;
use super::database::Logins;
use super::secrets::Secrets;

/// What all services of a district are told.
#[derive(Debug)]
pub struct Plan {
    /// Where everybody is.
    pub addresses: Addresses,
    /// How each reaches the database.
    pub logins: Logins,
    /// Client secrets.
    pub secrets: Secrets,
    /// Brokers, where Kafka carries the events.
    pub kafka: Option<String>,
    /// Put before Kafka topics, so that districts on the same brokers keep apart.
    pub topic_prefix: String,
}

/// A notice for the top of every page.
pub const NOTICE: &str = "Development district: every person here is fictional, and sign-in asks for no password. Enter no real data.";

/// A TOML string. JSON's escapes are all among TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Client id of a service at the issuer.
pub fn client_id(service: &str) -> String {
    format!("service-{service}")
}

impl Plan {
    /// The secret of a client at the issuer.
    pub fn client_secret(secrets: &Secrets, client: &str) -> SecretString {
        secrets.derived(&format!("client {client}"))
    }

    /// The settings of one service, as TOML. Holds secrets.
    pub fn overrides(&self, service: &str) -> String {
        let url = |name: &str| quoted(&self.addresses.url(name));
        let issuer = self.addresses.issuer();
        let client = client_id(service);
        let mut text = format!(
            "[server]\naddress = {address}\n[admin]\naddress = \"\"\n[auth]\nissuer = {issuer}\n[identity]\ntoken_uri = {token}\nclient_id = {client}\nclient_secret = {secret}\n\
             [peers]\nrosters = {rosters}\nreviews = {reviews}\nplans = {plans}\npartners = {partners}\nreporting = {reporting}\n",
            address = quoted(&self.addresses.socket(service).to_string()),
            token = quoted(&format!("{issuer}/token")),
            secret = quoted(Self::client_secret(&self.secrets, &client).expose_secret()),
            issuer = quoted(&issuer),
            client = quoted(&client),
            rosters = url("rosters"),
            reviews = url("reviews"),
            plans = url("plans"),
            partners = url("partners"),
            reporting = url("reporting"),
        );
        if let Some(database) = self.logins.url(service) {
            // A laptop that does other things too is slow to open connections; waiting is better than failing.
            text.push_str(&format!("[database]\nurl = {}\nacquire_timeout_seconds = 30\n", quoted(database.expose_secret())));
        }
        match &self.kafka {
            Some(brokers) => {
                text.push_str(&format!(
                    "[events]\nlog = \"kafka\"\n[events.kafka]\nbrokers = {}\ntopic_prefix = {}\n",
                    quoted(brokers),
                    quoted(&self.topic_prefix)
                ));
            }
            None => text.push_str("[events]\nlog = \"postgres\"\n"),
        }
        if service == "portal" {
            text.push_str(&self.portal());
        }
        text
    }

    fn portal(&self) -> String {
        let url = |name: &str| quoted(&self.addresses.url(name));
        format!(
            "[service]\npublic_url = {}\nissuer_url = {}\nclient_id = \"portal\"\nclient_secret = {}\nrosters_url = {}\nreviews_url = {}\nplans_url = {}\npartners_url = {}\nreporting_url = {}\nnotice = {}\n",
            url("portal"),
            quoted(&self.addresses.issuer()),
            quoted(Self::client_secret(&self.secrets, "portal").expose_secret()),
            url("rosters"),
            url("reviews"),
            url("plans"),
            url("partners"),
            url("reporting"),
            quoted(NOTICE),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_survive_toml() {
        for text in ["plain", "with \"quotes\" and \\", "ä\n\u{1}"] {
            let table: toml::Table = toml::from_str(&format!("a = {}", quoted(text))).unwrap();
            assert_eq!(table["a"].as_str(), Some(text));
        }
    }
}
