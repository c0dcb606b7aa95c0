//! A receiver of traces and metrics that keeps every byte it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// What has been received so far.
#[derive(Clone, Debug, Default)]
pub struct Received {
    traces: Arc<Mutex<Vec<u8>>>,
    metrics: Arc<Mutex<Vec<u8>>>,
    spans: Arc<Mutex<Vec<Span>>>,
}

/// A span as somebody looking at a trace sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Process that it was in, by `service.name`.
    pub service: String,
    /// Name.
    pub name: String,
    /// Trace, in hexadecimal digits; as are the ids.
    pub trace_id: String,
    /// Its id.
    pub span_id: String,
    /// The span that it is part of; empty where it is the first.
    pub parent_id: String,
}

impl Received {
    /// Traces, as they were encoded; texts stand in it as they are.
    pub fn traces(&self) -> Vec<u8> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every span so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Metrics, likewise.
    pub fn metrics(&self) -> Vec<u8> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn keep(all: &Mutex<Vec<u8>>, message: &impl prost::Message) {
    all.lock().unwrap_or_else(PoisonError::into_inner).extend(message.encode_to_vec());
}

fn spans(request: &ExportTraceServiceRequest) -> Vec<Span> {
    let hexadecimal = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut all = Vec::new();
    for of_resource in &request.resource_spans {
        let attributes = of_resource.resource.iter().flat_map(|resource| &resource.attributes);
        let named = attributes.filter(|attribute| attribute.key == "service.name").find_map(|attribute| attribute.value.as_ref()?.value.clone());
        let service = if let Some(Value::StringValue(name)) = named { name } else { String::new() };
        all.extend(of_resource.scope_spans.iter().flat_map(|scope| &scope.spans).map(|span| Span {
            service: service.clone(),
            name: span.name.clone(),
            trace_id: hexadecimal(&span.trace_id),
            span_id: hexadecimal(&span.span_id),
            parent_id: hexadecimal(&span.parent_span_id),
        }));
    }
    all
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        keep(&self.traces, request.get_ref());
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans(request.get_ref()));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Received {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        keep(&self.metrics, request.get_ref());
        Ok(Response::new(Default::default()))
    }
}

/// Starts a receiver on a free port, on this runtime.
///
/// # Panics
/// When there is no free port.
pub async fn receive() -> (SocketAddr, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("no free port: {error}"));
    let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
    let received = Received::default();
    let most = 64 << 20;
    let server = Server::builder()
        .add_service(TraceServiceServer::new(received.clone()).max_decoding_message_size(most))
        .add_service(MetricsServiceServer::new(received.clone()).max_decoding_message_size(most));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    (address, received)
}
