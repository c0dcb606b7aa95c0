//! The admin port: `/livez`, `/readyz` and `/metrics`, in plain text for the kubelet and Prometheus.

use std::sync::{Arc, RwLock};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use chassis_pg::Migrations;
use sqlx::PgPool;

/// What readiness looks at: the schemas of this process. Never Kafka, never a peer.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    schemas: Arc<RwLock<Vec<(Migrations, PgPool)>>>,
    draining: tokio_util::sync::CancellationToken,
}

impl Readiness {
    /// Adds a schema that must be migrated and answer.
    pub fn watch(&self, migrations: Migrations, pool: PgPool) {
        self.schemas.write().unwrap_or_else(std::sync::PoisonError::into_inner).push((migrations, pool));
    }

    /// Answers "not ready" from now on.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Whether the process can serve, and if not, why.
    pub async fn check(&self) -> Result<(), String> {
        if self.draining.is_cancelled() {
            return Err("stopping".to_owned());
        }
        let schemas = self.schemas.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        for (migrations, pool) in schemas {
            migrations.check(&pool).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// The routes of the admin port.
pub fn router(readiness: Readiness) -> Router {
    let ready = move || {
        let readiness = readiness.clone();
        async move {
            match readiness.check().await {
                Ok(()) => (StatusCode::OK, "ready\n".to_owned()).into_response(),
                Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
            }
        }
    };
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|| async { crate::telemetry::render_metrics() }))
}
