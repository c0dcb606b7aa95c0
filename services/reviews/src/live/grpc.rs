//! The stream over gRPC.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use chassis_access::{Caller, Sensitivity};
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use futures_util::{Stream, StreamExt as _};
use proto::reviews::v1 as wire;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use wire::stream_class_review_request::Kind;

use super::stream::{ACTION, Follower};
use crate::grpc::Reviews;
use crate::student_review::sight::Sights;

/// What goes down a stream.
pub type Answers = Pin<Box<dyn Stream<Item = Result<wire::StreamClassReviewResponse, Status>> + Send>>;

/// Answers that wait for a client to read; then the stream itself waits.
const WAITING: usize = 32;
/// The first message comes at once.
const OPENING: Duration = Duration::from_secs(10);

impl Reviews {
    pub(crate) async fn stream(&self, request: Request<Streaming<wire::StreamClassReviewRequest>>) -> Result<Response<Answers>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(self.follow(caller, request.into_inner()).await?))
    }

    /// Opens a stream by its first message, and follows the rest in the background.
    pub(crate) async fn follow<S>(&self, caller: Caller, mut up: S) -> Result<Answers, Status>
    where
        S: Stream<Item = Result<wire::StreamClassReviewRequest, Status>> + Send + Unpin + 'static,
    {
        let first = tokio::time::timeout(OPENING, up.next()).await.map_err(|_| Status::deadline_exceeded("the stream was not opened"))?;
        let open = match first.transpose()?.and_then(|message| message.kind) {
            Some(Kind::Open(open)) => open,
            _ => return Err(Status::invalid_argument("the first message must be open")),
        };
        let mut p = Parser::new();
        let class_review_id = p.uuid("open.class_review_id", &open.class_review_id);
        p.finish().or_status()?;
        let (granted, record, _) = self.decide(&caller, ACTION, class_review_id).await?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let reviews = self.clone();
        tokio::spawn(async move {
            let live = reviews.live.clone();
            let follower = Follower {
                reviews: &reviews,
                sights: Sights::of(&reviews.access, &caller, &record),
                // The seat is taken before anything is read, so that nothing is missed in between.
                seat: live.join(class_review_id, caller.author()),
                basis: granted.basis,
                caller,
                class_review_id,
                sender,
                sent: HashMap::new(),
                sent_class: None,
                logged: Sensitivity::General,
            };
            follower.run(&live, up).await;
        });
        Ok(Box::pin(ReceiverStream::new(receiver)))
    }
}
