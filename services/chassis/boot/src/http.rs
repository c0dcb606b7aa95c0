//! Serves web pages, over TLS where the settings name a certificate.

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::net::TcpListener;

use crate::run::Shared;
use crate::settings::ServerSettings;

/// Serves until told to stop, then ends what is under way.
pub async fn serve(router: Router, listener: TcpListener, settings: &ServerSettings, shared: &Shared) -> anyhow::Result<()> {
    let stop = shared.stop.clone();
    if settings.tls_certificate.is_empty() {
        shared.tasks.spawn(async move {
            ended(axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await);
        });
        return Ok(());
    }
    let tls = RustlsConfig::from_pem_file(&settings.tls_certificate, &settings.tls_key)
        .await
        .with_context(|| format!("cannot use {} and {}, which the settings under [server] name", settings.tls_certificate, settings.tls_key))?;
    let handle = Handle::new();
    let server = axum_server::from_tcp_rustls(listener.into_std()?, tls)?.handle(handle.clone());
    shared.tasks.spawn(async move { ended(server.serve(router.into_make_service()).await) });
    shared.tasks.spawn(async move {
        stop.cancelled().await;
        handle.graceful_shutdown(Some(Duration::from_secs(20)));
    });
    Ok(())
}

fn ended(how: std::io::Result<()>) {
    if let Err(error) = how {
        tracing::error!(error = &error as &dyn std::error::Error, "the web server stopped");
    }
}
