//! Others at work on the same class: one stream of server-sent events a page, fed by the service's stream. Events say
//! that something changed and where; what it is now, the page asks for as the caller may see it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use proto::reviews::v1::stream_class_review_request::Kind as Up;
use proto::reviews::v1::stream_class_review_response::Kind as Down;
use proto::reviews::v1::{Presence, StreamClassReviewRequest, StreamClassReviewResponse, StreamOpen, StudentReview};
use proto::rosters::v1::BatchGetStaffRequest;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Streaming;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::session::Caller;
use crate::words;

/// A stream ends after this long and the page opens another, so that the session is looked at again.
const LASTS: Duration = Duration::from_secs(600);

/// Where the page is when it opens the stream.
#[derive(Debug, Deserialize)]
pub struct From {
    #[serde(default)]
    student: String,
}

/// Somebody else in this review.
#[derive(Debug, Clone, Serialize)]
struct Here {
    name: String,
    initials: String,
    role: String,
    student: String,
}

/// Which versions a student has now, so that a page which shows them need not ask.
#[derive(Serialize)]
struct Changed<'r> {
    student: &'r str,
    version: i64,
    entries: Vec<(&'r str, i64)>,
}

impl<'r> Changed<'r> {
    fn of(review: &'r StudentReview) -> Self {
        let standing = review.entries.iter().filter(|entry| entry.superseded_by.is_empty());
        Self { student: &review.student_id, version: review.version, entries: standing.map(|entry| (entry.entry_id.as_str(), entry.version)).collect() }
    }
}

struct Watch {
    app: Arc<Portal>,
    caller: Caller,
    review: Uuid,
    upward: mpsc::Sender<StreamClassReviewRequest>,
    down: Streaming<StreamClassReviewResponse>,
    here: BTreeMap<String, Here>,
    until: Instant,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.app.desk.part(self.caller.key, self.review, &self.upward);
    }
}

/// The stream of one class review.
pub async fn stream(State(app): State<Arc<Portal>>, caller: Caller, Path(review): Path<Uuid>, Query(from): Query<From>) -> Result<Response, Fault> {
    let (upward, told) = mpsc::channel(32);
    let open = Up::Open(StreamOpen { class_review_id: review.to_string() });
    let place = Up::Presence(Presence { student_id: Uuid::parse_str(&from.student).map(|id| id.to_string()).unwrap_or_default(), ..Presence::default() });
    for kind in [open, place] {
        // The channel is new and has room.
        let _ = upward.try_send(StreamClassReviewRequest { kind: Some(kind) });
    }
    let sending = stream::unfold(told, |mut told| async move { told.recv().await.map(|message| (message, told)) });
    let down = match app.clients.reviews(&caller).stream_class_review(sending).await {
        Ok(answer) => answer.into_inner(),
        // No content: the page does not ask again.
        Err(status) if status.code() == tonic::Code::Unimplemented => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(status) => return Err(status.into()),
    };
    app.desk.join(caller.key, review, upward.clone());
    let watch = Watch { app, caller, review, upward, down, here: BTreeMap::new(), until: Instant::now() + LASTS };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

impl Watch {
    /// The next thing that the page has to know; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let message = tokio::time::timeout_at(self.until, self.down.message()).await.ok()?.ok()??;
            match message.kind {
                Some(Down::Opened(opened)) => {
                    for presence in opened.present {
                        self.place(presence).await;
                    }
                    return self.presence();
                }
                Some(Down::Presence(presence)) => {
                    self.place(presence).await;
                    return self.presence();
                }
                Some(Down::StudentReview(review)) => return Event::default().event("student").json_data(Changed::of(&review)).ok(),
                Some(Down::ClassReview(review)) => return Some(Event::default().event("class").data(review.version.to_string())),
                Some(Down::Saved(_) | Down::Refused(_)) | None => {}
            }
        }
    }

    fn presence(&self) -> Option<Event> {
        Event::default().event("presence").json_data(self.here.values().collect::<Vec<_>>()).ok()
    }

    async fn place(&mut self, presence: Presence) {
        if presence.gone {
            self.here.remove(&presence.staff_id);
            return;
        }
        let known = self.here.get(&presence.staff_id).cloned();
        let here = match known {
            Some(here) => Here { student: presence.student_id, ..here },
            None => self.named(&presence).await,
        };
        self.here.insert(presence.staff_id, here);
    }

    async fn named(&self, presence: &Presence) -> Here {
        let request = BatchGetStaffRequest { staff_ids: vec![presence.staff_id.clone()] };
        let member = self.app.clients.rosters(&self.caller).batch_get_staff(request).await.ok().and_then(|answer| answer.into_inner().staff.pop());
        let name = member.as_ref().map_or_else(|| "A colleague".to_owned(), |member| member.display_name.clone());
        Here {
            initials: words::initials(&name),
            role: member.map(|member| words::roles(&member.roles).to_lowercase()).unwrap_or_default(),
            name,
            student: presence.student_id.clone(),
        }
    }
}
