//! The floor of a read: a tonic server that answers one kept message, with nothing behind it.

use std::convert::Infallible;
use std::task::{Context, Poll};

use proto::reviews::v1::{GetClassReviewRequest, GetClassReviewResponse};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, StdError, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Answers `GetClassReview` with the same message each time.
#[derive(Clone)]
struct Echo {
    answer: GetClassReviewResponse,
}

impl NamedService for Echo {
    const NAME: &'static str = "wraparound.reviews.v1.ReviewService";
}

struct Answer(GetClassReviewResponse);

impl UnaryService<GetClassReviewRequest> for Answer {
    type Response = GetClassReviewResponse;
    type Future = std::future::Ready<Result<Response<Self::Response>, Status>>;
    fn call(&mut self, _request: Request<GetClassReviewRequest>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.0.clone())))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = Answer(self.answer.clone());
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(tonic_prost::ProstCodec::default());
            Ok(grpc.unary(answer, request).await)
        })
    }
}

/// Serves the echo on a thread with a runtime of its own; answers its address.
pub async fn serve(answer: GetClassReviewResponse) -> Result<String, StdError> {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            tonic::transport::Server::builder().add_service(Echo { answer }).serve_with_incoming(incoming).await.unwrap();
        });
    });
    Ok(format!("http://{}", receive.await?))
}
