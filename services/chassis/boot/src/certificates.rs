//! Certificates are replaced while we run: cert-manager writes new files long before the old ones end. A process that sees
//! its files change stops softly after a random wait and is started again with the new ones, so that no reload has to be
//! right in the server, in every channel and in the Kafka client, and the replicas do not all go at once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::run::Shared;
use crate::settings::Settings;

/// The TLS files that a process was given.
pub fn files<S>(settings: &Settings<S>) -> Vec<PathBuf> {
    let (server, peers, kafka) = (&settings.server, &settings.peers, &settings.events.kafka);
    [
        &server.tls_certificate,
        &server.tls_key,
        &server.tls_client_ca,
        &peers.ca_file,
        &peers.certificate,
        &peers.key,
        &kafka.ca_file,
        &kafka.certificate,
        &kafka.key,
    ]
    .into_iter()
    .filter(|file| !file.is_empty())
    .map(PathBuf::from)
    .collect()
}

/// Content of all files; a file that is being replaced may be away for a moment.
fn fingerprint(files: &[PathBuf]) -> Option<[u8; 32]> {
    let mut digest = Sha256::new();
    for file in files {
        digest.update(std::fs::read(file).ok()?);
    }
    Some(digest.finalize().into())
}

/// Asks the process to stop within `spread` of a change of these files.
pub async fn watch(files: Vec<PathBuf>, spread: Duration, shared: Shared) {
    let Some(first) = fingerprint(&files) else { return };
    let look = (spread / 10).clamp(Duration::from_secs(1), Duration::from_secs(30));
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(look) => {}
        }
        let now = fingerprint(&files);
        if now.is_some_and(|now| now != first) {
            let wait = spread.mul_f64(rand::random::<f64>());
            let changed = files.iter().map(|file| Path::new(file).display().to_string()).collect::<Vec<_>>().join(", ");
            tracing::info!(files = changed, wait_seconds = wait.as_secs(), "a TLS file changed; the process will stop to be started again with it");
            tokio::select! {
                () = shared.stop.cancelled() => {}
                () = tokio::time::sleep(wait) => shared.restart.cancel(),
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_changed_file_asks_for_a_restart_and_an_absent_one_does_not() {
        let folder = std::env::temp_dir().join(format!("certificates-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("tls.crt");
        std::fs::write(&file, "one").unwrap();
        let shared = Shared::default();
        let watching = tokio::spawn(watch(vec![file.clone()], Duration::from_millis(10), shared.clone()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        std::fs::remove_file(&file).unwrap();
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert!(!shared.restart.is_cancelled(), "a file that is being replaced is no reason to stop");
        std::fs::write(&file, "two").unwrap();
        tokio::time::timeout(Duration::from_secs(5), watching).await.unwrap().unwrap();
        assert!(shared.restart.is_cancelled());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
