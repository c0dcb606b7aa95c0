//! A call that was never sent is sent once more. Servers end connections in good order now and then, to drain or to balance, and a call
//! that is about to go out just then fails although its server has never seen it. Where nothing of its message has been read, nothing can
//! have been done, so any call may be repeated, whether it writes or not.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

/// A channel to a peer that repeats what was never sent.
pub type Channel = Again<tonic::transport::Channel>;

/// See the module.
#[derive(Clone, Debug)]
pub struct Again<S> {
    inner: S,
}

impl<S> Again<S> {
    /// Around a channel.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Request<Body>> for Again<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone that was polled ready is the one to call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let (parts, body) = request.into_parts();
        let message = Message(Arc::new(Mutex::new(State::Whole(body))));
        let once_more = parts.clone();
        let answer = inner.call(Request::from_parts(parts, Body::new(message.clone())));
        Box::pin(async move {
            let error = match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match message.unread() {
                // Who cannot be reached at all is not asked twice.
                Some(body) if !is_of_the_system(&error) => inner.ready().await?.call(Request::from_parts(once_more, body)).await,
                _ => Err(error),
            }
        })
    }
}

/// Whether the operating system says so: refused, unreachable, timed out.
fn is_of_the_system(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<std::io::Error>())
}

/// A message on its way, which knows whether any of it was read.
#[derive(Clone)]
struct Message(Arc<Mutex<State>>);

enum State {
    Whole(Body),
    Begun(Body),
    Gone,
}

impl Message {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it back, where nobody has read any of it.
    fn unread(&self) -> Option<Body> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Whole(body) => Some(body),
            other => {
                *state = other;
                None
            }
        }
    }
}

impl http_body::Body for Message {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, tonic::Status>>> {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, State::Gone) {
            State::Whole(body) => State::Begun(body),
            other => other,
        };
        match &mut *state {
            State::Begun(body) => Pin::new(body).poll_frame(cx),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &*self.state() {
            State::Whole(body) | State::Begun(body) => body.is_end_stream(),
            State::Gone => true,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match &*self.state() {
            State::Whole(body) | State::Begun(body) => body.size_hint(),
            State::Gone => http_body::SizeHint::with_exact(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use http_body_util::{BodyExt as _, Full};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, thiserror::Error)]
    enum Failed {
        #[error("the connection is being ended")]
        Ended,
        #[error("nobody is there")]
        Nobody(#[source] std::io::Error),
    }

    /// Fails at first, in its own way.
    #[derive(Clone)]
    struct Peer {
        calls: Arc<AtomicUsize>,
        reads_first: bool,
        nobody: bool,
    }

    impl Service<Request<Body>> for Peer {
        type Response = Response<Body>;
        type Error = Failed;
        type Future = BoxFuture<'static, Result<Response<Body>, Failed>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Body>) -> Self::Future {
            let (first, peer) = (self.calls.fetch_add(1, Ordering::SeqCst) == 0, self.clone());
            Box::pin(async move {
                if first && peer.nobody {
                    return Err(Failed::Nobody(std::io::ErrorKind::ConnectionRefused.into()));
                }
                if first && !peer.reads_first {
                    return Err(Failed::Ended);
                }
                let message = request.into_body().collect().await.map_err(|_| Failed::Ended)?.to_bytes();
                if first { Err(Failed::Ended) } else { Ok(Response::new(Body::new(Full::new(message)))) }
            })
        }
    }

    #[tokio::test]
    async fn a_message_in_several_pieces_arrives_whole() {
        let pieces = ["one ", "two ", "three"].map(|piece| Ok::<_, tonic::Status>(http_body::Frame::data(Bytes::from(piece))));
        let body = Body::new(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)));
        let message = Message(Arc::new(Mutex::new(State::Whole(body))));
        assert_eq!(message.collect().await.unwrap().to_bytes(), "one two three");
    }

    #[tokio::test]
    async fn only_what_nobody_has_read_is_sent_again() {
        for (reads_first, nobody, calls) in [(false, false, 2), (true, false, 1), (false, true, 1)] {
            let peer = Peer { calls: Arc::default(), reads_first, nobody };
            let answer = Again::new(peer.clone()).oneshot(Request::new(Body::new(Full::new(Bytes::from_static(b"message"))))).await;
            assert_eq!(peer.calls.load(Ordering::SeqCst), calls, "read {reads_first}, nobody {nobody}");
            match answer {
                Ok(answer) => assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "message", "whole, as it was"),
                Err(_) => assert_eq!(calls, 1),
            }
        }
    }
}
