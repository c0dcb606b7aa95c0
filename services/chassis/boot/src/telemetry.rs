//! Logs, traces and metrics of one process. Never names, never free text, never tokens (`docs/LOGGING.md`).

use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::otlp_metrics::BothWays;
use crate::settings::{LogFormat, LogSettings, TelemetrySettings};

/// Upper bounds of the buckets of every duration, in seconds.
const DURATIONS: [f64; 12] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Keeps the exporters; [`Telemetry::shutdown`] sends what is left.
#[derive(Debug)]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
}

/// Installs logging, tracing and metrics for the process. Call once, inside the runtime.
pub fn init(name: &'static str, log: &LogSettings, settings: &TelemetrySettings) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|e| anyhow::anyhow!("log.filter: {e}"))?;
    let resource = Resource::builder().with_service_name(name).build();
    // Whoever began a trace has decided for all of it.
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
    let mut traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_sampler(sampler);
    let mut metrics = None;
    if !settings.otlp_endpoint.is_empty() {
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(&settings.otlp_endpoint).build()?;
        traces = traces.with_batch_exporter(exporter);
        let exporter = opentelemetry_otlp::MetricExporter::builder().with_tonic().with_endpoint(&settings.otlp_endpoint).build()?;
        let provider = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(exporter).build();
        metrics = Some(provider);
    }
    let traces = traces.build();
    let bridge = tracing_opentelemetry::layer().with_tracer(traces.tracer("wraparound"));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer(log)?).with_ansi(false);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_target(false).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines).with(bridge).try_init()?;
    install_metrics(metrics.as_ref())?;
    Ok(Telemetry { traces, metrics })
}

fn writer(log: &LogSettings) -> anyhow::Result<BoxMakeWriter> {
    if log.file.is_empty() {
        return Ok(BoxMakeWriter::new(std::io::stderr));
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&log.file);
    Ok(BoxMakeWriter::new(std::sync::Mutex::new(file.with_context(|| format!("log.file: cannot write {}", log.file))?)))
}

fn install_metrics(pushed: Option<&SdkMeterProvider>) -> anyhow::Result<()> {
    if METRICS.get().is_some() {
        return Ok(());
    }
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let prometheus = PrometheusBuilder::new().set_buckets_for_metric(durations, &DURATIONS)?.build_recorder();
    let handle = prometheus.handle();
    match pushed {
        Some(provider) => metrics::set_global_recorder(BothWays::new(prometheus, provider.meter("wraparound"))).map_err(|e| anyhow::anyhow!("{e}"))?,
        None => metrics::set_global_recorder(prometheus).map_err(|e| anyhow::anyhow!("{e}"))?,
    }
    METRICS.get_or_init(|| handle);
    Ok(())
}

/// The metrics in Prometheus' text format.
pub fn render_metrics() -> String {
    METRICS
        .get()
        .map(|handle| {
            handle.run_upkeep();
            handle.render()
        })
        .unwrap_or_default()
}

impl Telemetry {
    /// Sends what is left, for at most five seconds. Off the runtime's threads: the exporters block.
    pub async fn shutdown(self) {
        let send = tokio::task::spawn_blocking(move || {
            // A receiver that is away must not keep the process; what it did not take is lost, as with any batch.
            let _ = self.traces.shutdown();
            if let Some(metrics) = self.metrics {
                let _ = metrics.shutdown();
            }
        });
        let _ = tokio::time::timeout(Duration::from_secs(5), send).await;
    }
}
