//! The server's outermost layer: a span that joins the caller's trace, a metric and one canonical log line a call.

use std::collections::HashMap;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use tower::{Layer, Service};
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Header that carries the id of one request through every service.
pub const REQUEST_ID: &str = "x-request-id";

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|v| v.to_str().ok())
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct Map(HashMap<String, String>);

impl Injector for Map {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Map {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn propagator() -> opentelemetry_propagator::TraceContextPropagator {
    opentelemetry_propagator::TraceContextPropagator::new()
}
use opentelemetry_sdk::propagation as opentelemetry_propagator;

/// The W3C `traceparent` of the current span; none where nothing is traced.
pub fn traceparent() -> Option<String> {
    let mut carrier = Map(HashMap::new());
    propagator().inject_context(&tracing::Span::current().context(), &mut carrier);
    carrier.0.remove("traceparent")
}

/// Makes `span` follow the trace of a `traceparent` that came with a message.
pub fn follow(span: &tracing::Span, traceparent: &str) {
    let carrier = Map(HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]));
    // A span that the filter switched off has no context to set; then there is nothing to join.
    let _ = span.set_parent(propagator().extract(&carrier));
}

/// Wraps a request's metadata so that the peer joins this trace.
pub fn inject(metadata: &mut tonic::metadata::MetadataMap) {
    if let Some(value) = traceparent().and_then(|t| t.parse().ok()) {
        metadata.insert("traceparent", value);
    }
}

/// The span of a page that a browser asks for: the beginning of a trace, whatever the browser says.
pub fn page_span(method: &http::Method, route: &str) -> tracing::Span {
    tracing::info_span!("page", otel.name = %format!("{method} {route}"), otel.kind = "server", http.route = route, http.response.status_code = tracing::field::Empty)
}

/// Adds [`Observed`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct Observe;

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;
    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner }
    }
}

/// A service whose calls are seen.
#[derive(Clone, Debug)]
pub struct Observed<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Observed<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path().trim_start_matches('/');
        let (service, method) = path.rsplit_once('/').unwrap_or(("", path));
        let (service, method) = (service.to_owned(), method.to_owned());
        let request_id = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let span = tracing::info_span!("rpc", otel.name = %format!("{service}/{method}"), otel.kind = "server", rpc.service = %service, rpc.method = %method, request.id = %request_id, rpc.code = tracing::field::Empty);
        // As above: a switched-off span joins nothing.
        let _ = span.set_parent(propagator().extract(&Headers(request.headers())));
        let started = Instant::now();
        let call = self.inner.call(request);
        let inside = span.clone();
        Box::pin(
            async move {
                let answer = call.await;
                // Unary failures arrive as trailers-only answers with the code in the headers; streams report later.
                let code = match &answer {
                    Ok(response) => response.headers().get("grpc-status").and_then(|v| v.to_str().ok()).unwrap_or("0").to_owned(),
                    Err(_) => "transport".to_owned(),
                };
                let took = started.elapsed();
                inside.record("rpc.code", code.as_str());
                metrics::histogram!("rpc_server_duration_seconds", "service" => service.clone(), "method" => method.clone(), "code" => code.clone())
                    .record(took.as_secs_f64());
                tracing::debug!(rpc.code = %code, duration_ms = took.as_secs_f64() * 1e3, "call answered");
                answer
            }
            .instrument(span),
        )
    }
}
