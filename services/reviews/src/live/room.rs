//! The rooms: who follows a class review in this process, and the one poller that reads for them all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::poll::{News, Watermark};
use crate::class_review;
use crate::class_review::entity::Overview;
use crate::student_review;
use crate::student_review::entity::StudentReview;

/// Changes that a stream may be behind; one that is further behind is shown everything anew.
const BACKLOG: usize = 64;
/// How often a room looks for what other processes wrote. What comes up its own streams is looked for at once.
const LOOK: Duration = Duration::from_millis(500);

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub staff_id: Uuid,
    /// On whom they look; none where on no one.
    pub student_id: Option<Uuid>,
}

/// What a room tells its streams.
#[derive(Clone, Debug)]
pub(super) enum Signal {
    /// Records that changed, as they are stored; each stream shows what its caller may see.
    Changed(Arc<Changed>),
    /// Somebody came, moved, or left.
    Present {
        /// Whose stream.
        stream: u64,
        /// Where they are.
        presence: Presence,
        /// They left.
        gone: bool,
    },
}

/// Records that changed.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) overview: Overview,
    pub(super) students: Vec<StudentReview>,
}

/// Class reviews that somebody follows.
#[derive(Clone, Debug)]
pub struct Live {
    pool: PgPool,
    stop: CancellationToken,
    rooms: Arc<Mutex<HashMap<Uuid, Weak<Room>>>>,
    streams: Arc<AtomicU64>,
}

/// One class review that somebody follows.
#[derive(Debug)]
pub(super) struct Room {
    sender: broadcast::Sender<Signal>,
    present: Mutex<HashMap<u64, Presence>>,
    nudged: Notify,
}

/// A stream's place in a room; left when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    room: Arc<Room>,
    pub(super) id: u64,
    pub(super) signals: broadcast::Receiver<Signal>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    /// On this database, until told to stop.
    pub fn new(pool: PgPool, stop: CancellationToken) -> Self {
        Self { pool, stop, rooms: Arc::default(), streams: Arc::default() }
    }

    /// Cancelled when the process stops.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Takes a seat in the room of a class review; the first to come opens it.
    pub(super) fn join(&self, class_review_id: Uuid, staff_id: Uuid) -> Seat {
        let mut rooms = lock(&self.rooms);
        let room = rooms.get(&class_review_id).and_then(Weak::upgrade).unwrap_or_else(|| {
            let room = Arc::new(Room { sender: broadcast::channel(BACKLOG).0, present: Mutex::default(), nudged: Notify::new() });
            rooms.insert(class_review_id, Arc::downgrade(&room));
            tokio::spawn(follow(self.pool.clone(), class_review_id, Arc::downgrade(&room), self.rooms.clone(), self.stop.clone()));
            room
        });
        drop(rooms);
        let id = self.streams.fetch_add(1, Ordering::Relaxed);
        let signals = room.sender.subscribe();
        let presence = Presence { staff_id, student_id: None };
        lock(&room.present).insert(id, presence);
        // An error means that nobody else is there.
        let _ = room.sender.send(Signal::Present { stream: id, presence, gone: false });
        Seat { room, id, signals }
    }

    /// How many rooms are open.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        lock(&self.rooms).values().filter(|room| room.strong_count() > 0).count()
    }
}

impl Seat {
    /// Who else is there.
    pub(super) fn others(&self) -> Vec<Presence> {
        lock(&self.room.present).iter().filter(|(id, _)| **id != self.id).map(|(_, presence)| *presence).collect()
    }

    /// Looks at another student.
    pub(super) fn look_at(&self, student_id: Option<Uuid>) {
        let mut present = lock(&self.room.present);
        let Some(presence) = present.get_mut(&self.id) else { return };
        presence.student_id = student_id;
        let _ = self.room.sender.send(Signal::Present { stream: self.id, presence: *presence, gone: false });
    }

    /// Asks the poller to look now: something was written through this stream.
    pub(super) fn nudge(&self) {
        self.room.nudged.notify_one();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut present = lock(&self.room.present);
        let Some(presence) = present.remove(&self.id) else { return };
        // Somebody with two pages open is gone when both are.
        if present.values().all(|other| other.staff_id != presence.staff_id) {
            let _ = self.room.sender.send(Signal::Present { stream: self.id, presence, gone: true });
        }
    }
}

/// The poller: ends when the last stream has left.
async fn follow(pool: PgPool, id: Uuid, room: Weak<Room>, rooms: Arc<Mutex<HashMap<Uuid, Weak<Room>>>>, stop: CancellationToken) {
    let mut mark = Watermark::default();
    let mut first = true;
    loop {
        let Some(here) = room.upgrade() else { break };
        match look(&pool, id, &mut mark, first).await {
            Ok(Some(changed)) => {
                let _ = here.sender.send(Signal::Changed(Arc::new(changed)));
                first = false;
            }
            Ok(None) => first = false,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a class review cannot be followed now; trying again");
                // What was remembered may have been told to nobody.
                mark = Watermark::default();
                first = true;
            }
        }
        let nudged = async {
            tokio::select! {
                () = here.nudged.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = nudged => {}
        }
    }
    let mut rooms = lock(&rooms);
    if rooms.get(&id).is_some_and(|known| known.ptr_eq(&room)) {
        rooms.remove(&id);
    }
}

/// What changed; everything at the first look, since streams may have read before it.
async fn look(pool: &PgPool, id: Uuid, mark: &mut Watermark, first: bool) -> Result<Option<Changed>, chassis_pg::DbError> {
    let mut conn = pool.acquire().await?;
    let News { students, class } = mark.look(&mut conn, id).await?;
    if students.is_empty() && !class {
        return Ok(None);
    }
    let only = (!first).then_some(students.as_slice());
    let Some(overview) = class_review::repo::find(&mut conn, id).await? else { return Ok(None) };
    let students = student_review::repo::of_class_review(&mut conn, id, only).await?;
    Ok(Some(Changed { overview, students }))
}
