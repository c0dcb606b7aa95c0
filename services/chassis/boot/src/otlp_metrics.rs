//! The same metrics for both readers: Prometheus pulls them, and where an OTLP receiver is set they are pushed there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::PrometheusRecorder;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// Hands every metric to Prometheus' recorder and to an OpenTelemetry meter.
pub struct BothWays {
    prometheus: PrometheusRecorder,
    meter: Meter,
}

impl BothWays {
    /// Both of these.
    pub fn new(prometheus: PrometheusRecorder, meter: Meter) -> Self {
        Self { prometheus, meter }
    }
}

fn labels(key: &Key) -> Vec<KeyValue> {
    key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

struct PushedCounter {
    pulled: Counter,
    pushed: opentelemetry::metrics::Counter<u64>,
    labels: Vec<KeyValue>,
    last: AtomicU64,
}

impl CounterFn for PushedCounter {
    fn increment(&self, value: u64) {
        self.pulled.increment(value);
        self.last.fetch_add(value, Ordering::Relaxed);
        self.pushed.add(value, &self.labels);
    }
    fn absolute(&self, value: u64) {
        self.pulled.absolute(value);
        let before = self.last.fetch_max(value, Ordering::Relaxed);
        self.pushed.add(value.saturating_sub(before), &self.labels);
    }
}

struct PushedGauge {
    pulled: Gauge,
    pushed: opentelemetry::metrics::Gauge<f64>,
    labels: Vec<KeyValue>,
    /// Bits of the last value, since a gauge may also be moved by steps.
    last: AtomicU64,
}

impl PushedGauge {
    fn change(&self, next: impl Fn(f64) -> f64) {
        let bits = |bits: u64| Some(next(f64::from_bits(bits)).to_bits());
        let before = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, bits).unwrap_or_default();
        self.pushed.record(next(f64::from_bits(before)), &self.labels);
    }
}

impl GaugeFn for PushedGauge {
    fn increment(&self, value: f64) {
        self.pulled.increment(value);
        self.change(|now| now + value);
    }
    fn decrement(&self, value: f64) {
        self.pulled.decrement(value);
        self.change(|now| now - value);
    }
    fn set(&self, value: f64) {
        self.pulled.set(value);
        self.change(|_| value);
    }
}

struct PushedHistogram {
    pulled: Histogram,
    pushed: opentelemetry::metrics::Histogram<f64>,
    labels: Vec<KeyValue>,
}

impl HistogramFn for PushedHistogram {
    fn record(&self, value: f64) {
        self.pulled.record(value);
        self.pushed.record(value, &self.labels);
    }
}

impl Recorder for BothWays {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_counter(key, unit, description);
    }
    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_gauge(key, unit, description);
    }
    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_histogram(key, unit, description);
    }
    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(PushedCounter {
            pulled: self.prometheus.register_counter(key, metadata),
            pushed: self.meter.u64_counter(key.name().to_owned()).build(),
            labels: labels(key),
            last: AtomicU64::new(0),
        }))
    }
    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(PushedGauge {
            pulled: self.prometheus.register_gauge(key, metadata),
            pushed: self.meter.f64_gauge(key.name().to_owned()).build(),
            labels: labels(key),
            last: AtomicU64::new(0),
        }))
    }
    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(PushedHistogram {
            pulled: self.prometheus.register_histogram(key, metadata),
            pushed: self.meter.f64_histogram(key.name().to_owned()).build(),
            labels: labels(key),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

    #[test]
    fn what_is_counted_arrives_at_both() {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
        let prometheus = PrometheusBuilder::new().build_recorder();
        let handle = prometheus.handle();
        let both = BothWays::new(prometheus, provider.meter("test"));
        metrics::with_local_recorder(&both, || {
            metrics::counter!("events_total", "schema" => "reviews").increment(3);
            metrics::gauge!("age_seconds").set(1.5);
            metrics::gauge!("age_seconds").increment(1.0);
            metrics::histogram!("took_seconds").record(0.2);
        });
        let pulled = handle.render();
        assert!(pulled.contains("events_total{schema=\"reviews\"} 3") && pulled.contains("age_seconds"), "{pulled}");
        provider.force_flush().unwrap();
        let pushed = format!("{:?}", exporter.get_finished_metrics().unwrap());
        for name in ["events_total", "age_seconds", "took_seconds"] {
            assert!(pushed.contains(name), "{name} is not in {pushed}");
        }
    }
}
