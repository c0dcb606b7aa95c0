//! A class review read, against a bare tonic echo of the same message.

use std::time::{Duration, Instant};

use prost::Message as _;
use proto::reviews::v1::GetClassReviewRequest;
use proto::reviews::v1::review_service_client::ReviewServiceClient;
use tonic::transport::Channel;

use crate::autosave::Class;
use crate::ground::Ground;
use crate::{Row, echo, percentiles};

const CALLERS: usize = 8;
const LASTS: Duration = Duration::from_secs(8);

async fn rate(channel: Channel, token: &str, class_review_id: &str) -> (f64, Duration, Duration) {
    let until = Instant::now() + LASTS;
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let mut client = ReviewServiceClient::new(channel.clone());
        let (token, class_review_id) = (token.to_owned(), class_review_id.to_owned());
        callers.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < until {
                let mut request = tonic::Request::new(GetClassReviewRequest { class_review_id: class_review_id.clone() });
                request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
                let began = Instant::now();
                client.get_class_review(request).await.unwrap();
                took.push(began.elapsed());
            }
            took
        }));
    }
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.unwrap());
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
    let rate = all.len() as f64 / LASTS.as_secs_f64();
    let (p50, p99) = percentiles(all);
    (rate, p50, p99)
}

/// Reads a class as a coordinator's minute of the season left it.
pub async fn measure(ground: &Ground, class: &Class) -> Row {
    let mut client = ReviewServiceClient::new(ground.district.channel("reviews"));
    let mut request = tonic::Request::new(GetClassReviewRequest { class_review_id: class.class_review_id.clone() });
    request.metadata_mut().insert("authorization", format!("Bearer {}", class.token).parse().unwrap());
    let answer = client.get_class_review(request).await.unwrap().into_inner();
    let bytes = answer.encoded_len();
    let (ours, p50, p99) = rate(ground.district.channel("reviews"), &class.token, &class.class_review_id).await;
    let address = echo::serve(answer).await.unwrap();
    let channel = Channel::from_shared(address).unwrap().tcp_nodelay(true).connect().await.unwrap();
    let (floor, ..) = rate(channel, &class.token, &class.class_review_id).await;
    Row {
        name: "read",
        ours: format!("{ours:.0} reads/s"),
        floor: format!("{floor:.0} echoes/s"),
        ratio: ours / floor,
        aim: "at least 0.33",
        aside: format!("{bytes} bytes, p50 {p50:.1?}, p99 {p99:.1?}, {CALLERS} callers"),
    }
}
