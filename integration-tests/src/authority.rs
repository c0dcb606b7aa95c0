//! A private authority and the certificates that it signs, as cert-manager would make them in a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;
use wraparound::tls::Tls;

use crate::scratch;

/// An authority with a folder for what it has signed.
#[derive(Clone, Debug)]
pub struct Authority {
    issuer: Arc<Issuer<'static, KeyPair>>,
    folder: Arc<TempDir>,
}

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    /// When there is no room for its files.
    pub fn make() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap_or_else(|error| panic!("{error}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "an authority for tests");
        let key = key();
        let certificate = params.self_signed(&key).unwrap_or_else(|error| panic!("{error}"));
        let folder = scratch::folder("authority").unwrap_or_else(|error| panic!("{error:#}"));
        write(&folder.path().join("ca.crt"), &certificate.pem());
        let authority = Self { issuer: Arc::new(Issuer::new(params, key)), folder: Arc::new(folder) };
        // Kafka wants key and certificate in one file.
        let files = authority.issue("broker");
        let both = fs::read_to_string(&files.key).and_then(|key| Ok(key + &fs::read_to_string(&files.certificate)?));
        write(&authority.folder().join("broker.pem"), &both.unwrap_or_else(|error| panic!("{error}")));
        authority
    }

    /// Where its files are: `ca.crt`, and `<name>.crt` and `<name>.key` of everybody.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// The certificate of somebody on this machine, who serves and calls by it; signed at the first question.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn issue(&self, name: &str) -> Tls {
        let path = |ending: &str| self.folder().join(format!("{name}.{ending}"));
        if !path("crt").exists() {
            self.renew(name);
        }
        let text = |path: PathBuf| path.display().to_string();
        Tls { ca_file: text(self.folder().join("ca.crt")), certificate: text(path("crt")), key: text(path("key")) }
    }

    /// Signs a new one in its place.
    ///
    /// # Panics
    /// As [`Authority::issue`].
    pub fn renew(&self, name: &str) {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).unwrap_or_else(|error| panic!("{error}"));
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).unwrap_or_else(|error| panic!("{error}"));
        write(&self.folder().join(format!("{name}.key")), &key.serialize_pem());
        write(&self.folder().join(format!("{name}.crt")), &certificate.pem());
    }
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap_or_else(|error| panic!("no key: {error}"))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
