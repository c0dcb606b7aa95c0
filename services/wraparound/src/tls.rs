//! Services that speak TLS, as a district's do on Kubernetes.

use chassis_rpc::channel::{ChannelError, ChannelSettings, endpoint};
use clap::Args;
use serde::{Deserialize, Serialize};
use tonic::transport::Endpoint;

/// PEM files for addresses that begin with https://.
#[derive(Args, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// PEM file of the authority that signed the services' certificates; the public ones where not given.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    pub ca_file: String,
    /// PEM file of the certificate to show to the services, where they ask for one.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true, requires = "key")]
    pub certificate: String,
    /// PEM file of its key.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true, requires = "certificate")]
    pub key: String,
}

impl Tls {
    /// How to reach an address.
    pub fn to(&self, uri: &str) -> ChannelSettings {
        ChannelSettings { uri: uri.to_owned(), ca_file: self.ca_file.clone(), certificate: self.certificate.clone(), key: self.key.clone() }
    }

    /// A connection to be made, without a deadline on its calls.
    pub fn endpoint(&self, uri: &str) -> Result<Endpoint, ChannelError> {
        endpoint(&self.to(uri))
    }
}
