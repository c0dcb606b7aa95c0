//! The eight ports of a district on one machine.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::tls::Tls;

/// Every port in its order from the first; families is reserved and not there yet.
pub const ORDER: [&str; 8] = ["portal", "rosters", "reviews", "plans", "partners", "families", "reporting", "admin"];

/// A name's listener, taken before anything starts, so that a port in use is told at once and nobody takes one meanwhile.
#[derive(Debug)]
pub struct Held {
    listeners: Vec<(&'static str, TcpListener)>,
}

/// Where everything listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    places: Vec<(&'static str, SocketAddr)>,
    tls: Tls,
}

impl Held {
    /// Takes the ports: `first` and on, or free ones where it is 0.
    pub async fn take(first: u16) -> anyhow::Result<Self> {
        let mut listeners = Vec::new();
        for (offset, name) in (0..).zip(ORDER) {
            if name == "families" {
                continue;
            }
            let port = if first == 0 { 0 } else { first.saturating_add(offset) };
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
                format!("port {port} on 127.0.0.1 is not free for {name}: stop what listens there (is this district running already?), or choose others with --ports-from, e.g. --ports-from 8400")
            })?;
            listeners.push((name, listener));
        }
        Ok(Self { listeners })
    }

    /// Where they are.
    pub fn addresses(&self) -> anyhow::Result<Addresses> {
        let places = self.listeners.iter().map(|(name, listener)| Ok((*name, listener.local_addr()?))).collect::<anyhow::Result<_>>()?;
        Ok(Addresses { places, tls: Tls::default() })
    }

    /// Hands one over.
    pub fn release(&mut self, name: &str) -> anyhow::Result<TcpListener> {
        let at = self.listeners.iter().position(|(n, _)| *n == name).with_context(|| format!("no port is held for {name}"))?;
        Ok(self.listeners.swap_remove(at).1)
    }
}

impl Addresses {
    /// The socket address of one.
    pub fn socket(&self, name: &str) -> SocketAddr {
        self.places.iter().find(|(n, _)| *n == name).map_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |(_, address)| *address)
    }

    /// The same, where portal and services speak TLS.
    #[must_use]
    pub fn over(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// What it takes to speak to the services.
    pub fn tls(&self) -> &Tls {
        &self.tls
    }

    /// The address of one as a URL. The admin port, with the issuer, is plain always.
    pub fn url(&self, name: &str) -> String {
        let scheme = if self.tls.ca_file.is_empty() || name == "admin" { "http" } else { "https" };
        format!("{scheme}://{}", self.socket(name))
    }

    /// The development issuer.
    pub fn issuer(&self) -> String {
        format!("{}/dev-issuer", self.url("admin"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn free_ports_are_all_different() {
        let held = Held::take(0).await.unwrap();
        let addresses = held.addresses().unwrap();
        let ports: std::collections::BTreeSet<u16> = addresses.places.iter().map(|(_, a)| a.port()).collect();
        assert_eq!(ports.len(), ORDER.len() - 1);
        assert!(addresses.issuer().ends_with("/dev-issuer"));
    }

    #[tokio::test]
    async fn a_port_in_use_is_told_with_a_remedy() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = other.local_addr().unwrap().port().min(65_000);
        if port == other.local_addr().unwrap().port() {
            let error = Held::take(port).await.unwrap_err().to_string();
            assert!(error.contains(&port.to_string()) && error.contains("--ports-from"), "{error}");
        }
    }
}
