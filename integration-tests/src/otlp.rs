//! A receiver of traces and metrics that keeps every byte it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// What has been received so far.
#[derive(Clone, Debug, Default)]
pub struct Received {
    traces: Arc<Mutex<Vec<u8>>>,
    metrics: Arc<Mutex<Vec<u8>>>,
}

impl Received {
    /// Traces, as they were encoded; texts stand in it as they are.
    pub fn traces(&self) -> Vec<u8> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Metrics, likewise.
    pub fn metrics(&self) -> Vec<u8> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn keep(all: &Mutex<Vec<u8>>, message: &impl prost::Message) {
    all.lock().unwrap_or_else(PoisonError::into_inner).extend(message.encode_to_vec());
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        keep(&self.traces, request.get_ref());
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
