//! One caller's stream: takes what comes up, sends what the caller may see of what changed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chassis_access::{Caller, Sensitivity};
use chassis_rpc::fault::{OrStatus as _, reason_of};
use futures_util::{Stream, StreamExt as _};
use proto::reviews::v1 as wire;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tonic::{Code, Status};
use uuid::Uuid;
use wire::stream_class_review_request::Kind as Up;
use wire::stream_class_review_response::Kind as Down;

use super::room::{Changed, Seat, Signal};
use super::{Live, Presence};
use crate::class_review::entity::Overview;
use crate::grpc::Reviews;
use crate::student_review::entity::StudentReview;
use crate::student_review::sight::Sights;

/// A stream on which nothing comes up for this long ends; a page that is alive says where its reader is.
pub(super) const IDLE: Duration = Duration::from_secs(15 * 60);
/// No stream lives longer: the next one is decided anew, by a fresh token and today's relationships.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// A client that reads nothing for this long is gone.
const SLOW: Duration = Duration::from_secs(30);

pub(super) const ACTION: &str = "reviews.StreamClassReview";

/// Answers on their way down.
pub(super) type Sender = mpsc::Sender<Result<wire::StreamClassReviewResponse, Status>>;

/// Why a stream ends; none where there is nothing to say.
type End = Option<Status>;

/// One stream.
pub(super) struct Follower<'s> {
    pub(super) reviews: &'s Reviews,
    pub(super) caller: Caller,
    pub(super) basis: String,
    pub(super) class_review_id: Uuid,
    pub(super) sights: Sights,
    pub(super) seat: Seat,
    pub(super) sender: Sender,
    /// What was sent last, so that only what is different for this caller is sent.
    pub(super) sent: HashMap<Uuid, wire::StudentReview>,
    pub(super) sent_class: Option<wire::ClassReview>,
    /// The most closed record whose reading was logged.
    pub(super) logged: Sensitivity,
}

impl Follower<'_> {
    /// Runs until the client goes, the process stops, or its time is over.
    pub(super) async fn run<S>(mut self, live: &Live, mut up: S)
    where
        S: Stream<Item = Result<wire::StreamClassReviewRequest, Status>> + Send + Unpin,
    {
        let sender = self.sender.clone();
        let ended = tokio::select! {
            () = live.stop().cancelled() => Some(Status::unavailable("the service stops; open the stream again")),
            () = sender.closed() => None,
            () = tokio::time::sleep(LONGEST) => Some(Status::unavailable("open the stream again, so that access is decided anew")),
            ended = self.follow(&mut up) => ended.err().flatten(),
        };
        if let Some(status) = ended {
            // Who does not read by now is not told.
            let _ = sender.try_send(Err(status));
        }
    }

    async fn follow<S>(&mut self, up: &mut S) -> Result<(), End>
    where
        S: Stream<Item = Result<wire::StreamClassReviewRequest, Status>> + Send + Unpin,
    {
        self.open().await?;
        let mut idle_until = Instant::now() + IDLE;
        loop {
            tokio::select! {
                message = up.next() => match message {
                    Some(Ok(message)) => {
                        idle_until = Instant::now() + IDLE;
                        self.take(message).await?;
                    }
                    // The client is done, or its connection is.
                    Some(Err(_)) | None => return Ok(()),
                },
                signal = self.seat.signals.recv() => self.hear(signal).await?,
                () = tokio::time::sleep_until(idle_until) => return Err(Some(Status::deadline_exceeded("nothing came up for too long; open the stream again"))),
            }
        }
    }

    async fn send(&self, kind: Down) -> Result<(), End> {
        let answer = wire::StreamClassReviewResponse { kind: Some(kind) };
        match tokio::time::timeout(SLOW, self.sender.send(Ok(answer))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(None),
        }
    }

    /// Says what is there, then sends every student: what the client read before may be old.
    async fn open(&mut self) -> Result<(), End> {
        let (overview, students) = self.read().await?;
        let class = wire::ClassReview::from(overview);
        self.sent_class = Some(class.clone());
        // One line for one person, however many pages they have open.
        let mut seen = HashSet::from([self.caller.author()]);
        let present = self.seat.others().into_iter().filter(|p| seen.insert(p.staff_id)).map(|p| presence(p, false)).collect();
        self.send(Down::Opened(wire::StreamOpened { class_review: Some(class), present })).await?;
        self.log(&students).await?;
        self.show(students).await
    }

    async fn read(&self) -> Result<(Overview, Vec<StudentReview>), End> {
        self.reviews.student_reviews.of_class_review(ACTION, self.class_review_id).await.or_status().map_err(Some)
    }

    /// Keeps that records were read that are more closed than those read so far.
    async fn log(&mut self, students: &[StudentReview]) -> Result<(), End> {
        let highest = |s: &StudentReview| self.sights.of_student(s.student_id).highest(s.entries.iter());
        let shown = students.iter().map(highest).max().unwrap_or(Sensitivity::General);
        if self.sent.is_empty() || shown > self.logged {
            let about = Some(self.class_review_id);
            self.reviews.access.log_read(&self.caller, ACTION, &self.basis, shown, about, students.len()).await.or_status().map_err(Some)?;
            self.logged = self.logged.max(shown);
        }
        Ok(())
    }

    /// Sends those students of whom this caller now sees something else.
    async fn show(&mut self, students: Vec<StudentReview>) -> Result<(), End> {
        for student in students {
            let student_id = student.student_id;
            let shown = self.sights.show(student);
            // Minutes alone are no news.
            let same = |before: &wire::StudentReview| wire::StudentReview { active_seconds: shown.active_seconds, ..before.clone() } == shown;
            if !self.sent.get(&student_id).is_some_and(same) {
                self.sent.insert(student_id, shown.clone());
                self.send(Down::StudentReview(shown)).await?;
            }
        }
        Ok(())
    }

    async fn show_class(&mut self, overview: Overview) -> Result<(), End> {
        let shown = wire::ClassReview::from(overview);
        let same = |before: &wire::ClassReview| wire::ClassReview { active_seconds: shown.active_seconds, ..before.clone() } == shown;
        if !self.sent_class.as_ref().is_some_and(same) {
            self.sent_class = Some(shown.clone());
            self.send(Down::ClassReview(shown)).await?;
        }
        Ok(())
    }

    async fn hear(&mut self, signal: Result<Signal, broadcast::error::RecvError>) -> Result<(), End> {
        match signal {
            Ok(Signal::Changed(changed)) => {
                let Changed { overview, students } = &*changed;
                self.log(students).await?;
                self.show(students.clone()).await?;
                self.show_class(overview.clone()).await
            }
            Ok(Signal::Present { stream, presence: somebody, gone }) => {
                if stream == self.seat.id || somebody.staff_id == self.caller.author() {
                    return Ok(());
                }
                self.send(Down::Presence(presence(somebody, gone))).await
            }
            // Too far behind: everything anew, of which only what is different is sent.
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let (overview, students) = self.read().await?;
                self.log(&students).await?;
                self.show(students).await?;
                self.show_class(overview).await?;
                for somebody in self.seat.others() {
                    self.send(Down::Presence(presence(somebody, false))).await?;
                }
                Ok(())
            }
            Err(broadcast::error::RecvError::Closed) => Err(None),
        }
    }

    async fn take(&mut self, message: wire::StreamClassReviewRequest) -> Result<(), End> {
        match message.kind {
            Some(Up::PutEntry(put)) => {
                let done = match self.here(&put.class_review_id) {
                    Ok(()) => self.reviews.put_by(&self.caller, &put).await,
                    Err(status) => Err(status),
                };
                match done {
                    Ok(stored) => self.saved(wire::StreamSaved { request_id: put.request_id, entry: stored.entry, student_review: None }).await,
                    Err(status) => {
                        let entry_id = put.entry.map(|entry| entry.entry_id).unwrap_or_default();
                        self.refused(put.request_id, &status, &put.student_id, Some(&entry_id)).await
                    }
                }
            }
            Some(Up::RemoveEntry(remove)) => {
                let done = match self.here(&remove.class_review_id) {
                    Ok(()) => self.reviews.remove_by(&self.caller, &remove).await,
                    Err(status) => Err(status),
                };
                match done {
                    Ok(_) => self.saved(wire::StreamSaved { request_id: remove.request_id, ..Default::default() }).await,
                    Err(status) => self.refused(remove.request_id, &status, &remove.student_id, Some(&remove.entry_id)).await,
                }
            }
            Some(Up::UpdateStudentReview(update)) => {
                let done = match self.here(&update.class_review_id) {
                    Ok(()) => self.reviews.update_by(&self.caller, &update).await,
                    Err(status) => Err(status),
                };
                match done {
                    Ok(stored) => self.saved(wire::StreamSaved { request_id: update.request_id, entry: None, student_review: stored.student_review }).await,
                    Err(status) => self.refused(update.request_id, &status, &update.student_id, None).await,
                }
            }
            Some(Up::Presence(at)) => {
                // Students who are not on this review are not looked at here.
                let student_id = at.student_id.parse().ok().filter(|id| self.sent.contains_key(id));
                self.seat.look_at(student_id);
                Ok(())
            }
            Some(Up::Open(_)) => Err(Some(Status::invalid_argument("the stream is open already"))),
            None => Err(Some(Status::invalid_argument("an empty message"))),
        }
    }

    /// A stream writes into its own class review only.
    fn here(&self, class_review_id: &str) -> Result<(), Status> {
        if class_review_id.parse() == Ok(self.class_review_id) {
            return Ok(());
        }
        Err(chassis_rpc::status(chassis_rpc::InvalidInput::one("class_review_id", "must be the class review of the stream")))
    }

    async fn saved(&self, saved: wire::StreamSaved) -> Result<(), End> {
        self.seat.nudge();
        self.send(Down::Saved(saved)).await
    }

    /// Says why, with what is there now where the caller may see it, so that both can be shown.
    async fn refused(&self, request_id: String, status: &Status, student_id: &str, entry_id: Option<&str>) -> Result<(), End> {
        let reason = reason_of(status).unwrap_or_else(|| "INTERNAL".to_owned());
        let mut refused = wire::StreamRefused { request_id, reason, message: status.message().to_owned(), ..Default::default() };
        let conflict = matches!(status.code(), Code::Aborted | Code::FailedPrecondition | Code::NotFound);
        if let (true, Ok(student_id)) = (conflict, student_id.parse())
            && let Ok(review) = self.reviews.student_reviews.get(self.class_review_id, student_id).await
        {
            let shown = self.sights.show(review);
            match entry_id {
                Some(id) => refused.current_entry = shown.entries.into_iter().find(|e| e.entry_id == id),
                None => refused.current_review = Some(shown),
            }
        }
        self.send(Down::Refused(refused)).await
    }
}

fn presence(somebody: Presence, gone: bool) -> wire::Presence {
    wire::Presence { staff_id: somebody.staff_id.to_string(), student_id: somebody.student_id.map(|id| id.to_string()).unwrap_or_default(), gone }
}
