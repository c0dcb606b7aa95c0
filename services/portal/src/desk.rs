//! What a session has on its screen in class reviews: restricted entries that it opened, and its open streams. Lost
//! with the process, like sessions.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::reviews::v1::stream_class_review_request::Kind;
use proto::reviews::v1::{Presence, StreamClassReviewRequest};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::session::SessionKey;

/// Sessions held at most; beyond it the screens of all are closed, which only means to open an entry again.
const MOST_SESSIONS: usize = 20_000;

type Upward = mpsc::Sender<StreamClassReviewRequest>;

#[derive(Default)]
struct Held {
    shown: HashMap<SessionKey, HashSet<String>>,
    streams: HashMap<(SessionKey, Uuid), Upward>,
}

/// The screens of all sessions.
#[derive(Default)]
pub struct Desk {
    held: Mutex<Held>,
}

impl Desk {
    /// Opens entries on this session's screen.
    pub fn show(&self, key: &SessionKey, entries: impl IntoIterator<Item = String>) {
        let mut held = self.lock();
        if held.shown.len() >= MOST_SESSIONS {
            held.shown.clear();
        }
        held.shown.entry(*key).or_default().extend(entries);
    }

    /// Closes them all: the page was left.
    pub fn close(&self, key: &SessionKey) {
        self.lock().shown.remove(key);
    }

    /// What is open on this session's screen.
    pub fn shown(&self, key: &SessionKey) -> HashSet<String> {
        self.lock().shown.get(key).cloned().unwrap_or_default()
    }

    /// Keeps the way up of a stream.
    pub fn join(&self, key: SessionKey, class_review: Uuid, upward: Upward) {
        self.lock().streams.insert((key, class_review), upward);
    }

    /// Forgets it, unless a newer one has taken its place.
    pub fn part(&self, key: SessionKey, class_review: Uuid, upward: &Upward) {
        let mut held = self.lock();
        if held.streams.get(&(key, class_review)).is_some_and(|known| known.same_channel(upward)) {
            held.streams.remove(&(key, class_review));
        }
    }

    /// Tells the others on which student this session is now.
    pub fn at(&self, key: &SessionKey, class_review: Uuid, student: Uuid) {
        if let Some(upward) = self.lock().streams.get(&(*key, class_review)) {
            let presence = Presence { student_id: student.to_string(), ..Presence::default() };
            // A full or closed stream has its own way to end; where somebody is can wait.
            let _ = upward.try_send(StreamClassReviewRequest { kind: Some(Kind::Presence(presence)) });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_closes_again() {
        let desk = Desk::default();
        let (mine, other) = ([1u8; 32], [2u8; 32]);
        desk.show(&mine, ["e".to_owned()]);
        assert!(desk.shown(&mine).contains("e") && desk.shown(&other).is_empty());
        desk.close(&mine);
        assert!(desk.shown(&mine).is_empty());
    }

    #[test]
    fn a_newer_stream_is_not_forgotten_with_the_older_one() {
        let desk = Desk::default();
        let (key, review) = ([1u8; 32], Uuid::nil());
        let (older, _older) = mpsc::channel(1);
        let (newer, mut told) = mpsc::channel(1);
        desk.join(key, review, older.clone());
        desk.join(key, review, newer);
        desk.part(key, review, &older);
        desk.at(&key, review, Uuid::nil());
        assert!(told.try_recv().is_ok());
    }
}
