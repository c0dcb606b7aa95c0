//! One lazily connected channel a peer, with a connect timeout, keepalive and a deadline on every call.

use std::time::Duration;

use serde::Deserialize;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::again::Channel;

/// How to reach a peer.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ChannelSettings {
    /// `http://host:port` or `https://host:port`.
    pub uri: String,
    /// PEM file of the authority that signed the peer's certificate; the public ones where empty.
    #[serde(default)]
    pub ca_file: String,
    /// PEM file of the certificate that is shown to the peer; none where empty.
    #[serde(default)]
    pub certificate: String,
    /// PEM file of its key.
    #[serde(default)]
    pub key: String,
}

/// A setting that does not lead to a channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The address is not one.
    #[error("{uri:?} is not an address such as http://rosters:7401")]
    Address {
        /// As given.
        uri: String,
        /// Why.
        source: tonic::transport::Error,
    },
    /// A PEM file cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// Path.
        file: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Deadline of a call that sets none itself.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Builds a channel; nothing connects until the first call.
pub fn channel(settings: &ChannelSettings) -> Result<Channel, ChannelError> {
    Ok(Channel::new(endpoint(settings)?.timeout(CALL_TIMEOUT).connect_lazy()))
}

/// How to connect, for calls that set their own deadline or need none.
pub fn endpoint(settings: &ChannelSettings) -> Result<Endpoint, ChannelError> {
    let address = |source| ChannelError::Address { uri: settings.uri.clone(), source };
    let mut endpoint = Endpoint::from_shared(settings.uri.clone())
        .map_err(address)?
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    if settings.uri.starts_with("https://") {
        let mut tls = ClientTlsConfig::new();
        if settings.ca_file.is_empty() {
            tls = tls.with_webpki_roots();
        } else {
            tls = tls.ca_certificate(Certificate::from_pem(read(&settings.ca_file)?));
        }
        if !settings.certificate.is_empty() {
            tls = tls.identity(Identity::from_pem(read(&settings.certificate)?, read(&settings.key)?));
        }
        endpoint = endpoint.tls_config(tls).map_err(address)?;
    }
    Ok(endpoint)
}

fn read(file: &str) -> Result<Vec<u8>, ChannelError> {
    std::fs::read(file).map_err(|source| ChannelError::Unreadable { file: file.to_owned(), source })
}
