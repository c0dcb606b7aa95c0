//! Following referrals: the database says that one changed, each watcher reads it under its own rules.
//!
//! One listener a process wakes all its watchers; the trigger that notifies is in the database, so every replica
//! hears of every write. A watcher subscribes before it takes its snapshot and keeps the newest version it has
//! handed out of each referral, so that it misses none and repeats none.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::audience::Audience;
use super::entity::Referral;
use super::error::ReferralError;
use super::repo::{self, Filter};
use super::state::State;

const CHANNEL: &str = "partners_referral";
/// A watcher that is further behind than this reads anew what changed.
const BACKLOG: usize = 4096;
/// A clock of another replica may be this far behind, and a transaction this long.
const SLACK: chrono::TimeDelta = chrono::TimeDelta::minutes(5);
const PAGE: i64 = 500;

#[derive(Clone, Copy, Debug)]
enum Signal {
    Changed {
        referral_id: Uuid,
        partner_id: Uuid,
    },
    /// Something may have been missed.
    Resync,
}

/// Where watchers wait.
#[derive(Clone, Debug)]
pub struct Hub {
    sender: broadcast::Sender<Signal>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0 }
    }
}

impl Hub {
    /// Listens to the database until told to stop.
    pub async fn listen(self, pool: PgPool, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                ended = self.follow_database(&pool) => {
                    if let Err(error) = ended {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the listener for referrals is away; trying again");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn follow_database(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // What happened while nobody listened.
        let _ = self.sender.send(Signal::Resync);
        loop {
            match listener.try_recv().await? {
                Some(notification) => {
                    let signal = match notification.payload().split_once(' ').map(|(r, p)| (r.parse(), p.parse())) {
                        Some((Ok(referral_id), Ok(partner_id))) => Signal::Changed { referral_id, partner_id },
                        _ => Signal::Resync,
                    };
                    // An error means that nobody watches.
                    let _ = self.sender.send(signal);
                }
                // The connection was lost and is made anew.
                None => {
                    let _ = self.sender.send(Signal::Resync);
                }
            }
        }
    }

    /// Follows what an audience may see: what is open now (unless only changes are asked for), then each change.
    /// `None` is a heartbeat.
    pub fn follow(&self, pool: PgPool, audience: Audience, changes_only: bool, heartbeat: Duration, stop: CancellationToken) -> ReceiverStream<Update> {
        let (sender, receiver) = mpsc::channel(32);
        let watcher = Watcher { signals: self.sender.subscribe(), pool, audience, sender, handed_out: HashMap::new(), since: Utc::now() };
        tokio::spawn(watcher.run(changes_only, heartbeat, stop));
        ReceiverStream::new(receiver)
    }
}

/// What a watcher hands out.
pub type Update = Result<Option<Referral>, ReferralError>;

struct Watcher {
    signals: broadcast::Receiver<Signal>,
    pool: PgPool,
    audience: Audience,
    sender: mpsc::Sender<Update>,
    handed_out: HashMap<Uuid, i64>,
    since: DateTime<Utc>,
}

/// Why a watcher ends.
enum End {
    /// The client is gone.
    Gone,
    /// It cannot go on.
    Failed(ReferralError),
}

impl From<ReferralError> for End {
    fn from(error: ReferralError) -> Self {
        Self::Failed(error)
    }
}

impl Watcher {
    async fn run(mut self, changes_only: bool, heartbeat: Duration, stop: CancellationToken) {
        let sender = self.sender.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = sender.closed() => {}
            ended = self.watch(changes_only, heartbeat) => {
                if let Err(End::Failed(error)) = ended {
                    // The client may be gone by now.
                    let _ = sender.send(Err(error)).await;
                }
            }
        }
    }

    async fn watch(&mut self, changes_only: bool, heartbeat: Duration) -> Result<(), End> {
        if changes_only {
            // What changed shortly before is not news; a later look back must know that.
            for referral in self.changed_since(self.since - SLACK).await? {
                if referral.updated_at < self.since {
                    self.handed_out.insert(referral.referral_id, referral.version);
                } else {
                    self.hand_out(referral).await?;
                }
            }
        } else {
            self.snapshot().await?;
        }
        let mut beat = tokio::time::interval(heartbeat);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        beat.reset();
        loop {
            tokio::select! {
                _ = beat.tick() => self.sender.send(Ok(None)).await.map_err(|_| End::Gone)?,
                signal = self.signals.recv() => {
                    self.hear(signal).await?;
                    beat.reset();
                }
            }
        }
    }

    /// Takes one signal and all that wait behind it, and reads what they name at once.
    async fn hear(&mut self, first: Result<Signal, broadcast::error::RecvError>) -> Result<(), End> {
        let mut ids = BTreeSet::new();
        let mut resync = false;
        let mut next = Some(first);
        while let Some(signal) = next {
            match signal {
                Ok(Signal::Changed { referral_id, partner_id }) => {
                    if self.audience.partner.is_none_or(|own| own == partner_id) {
                        ids.insert(referral_id);
                    }
                }
                Ok(Signal::Resync) | Err(broadcast::error::RecvError::Lagged(_)) => resync = true,
                Err(broadcast::error::RecvError::Closed) => return Err(End::Gone),
            }
            next = match self.signals.try_recv() {
                Ok(signal) => Some(Ok(signal)),
                Err(broadcast::error::TryRecvError::Lagged(n)) => Some(Err(broadcast::error::RecvError::Lagged(n))),
                Err(_) => None,
            };
        }
        if resync {
            let now = Utc::now();
            for referral in self.changed_since(self.since - SLACK).await? {
                self.hand_out(referral).await?;
            }
            self.since = now;
        } else if !ids.is_empty() {
            let ids: Vec<Uuid> = ids.into_iter().collect();
            for part in ids.chunks(usize::try_from(PAGE).unwrap_or(500)) {
                let mut found = self.read(&Filter { ids: Some(part.to_vec()), ..Filter::default() }).await?;
                found.sort_by_key(|r| (r.updated_at, r.referral_id));
                for referral in found {
                    self.hand_out(referral).await?;
                }
            }
        }
        Ok(())
    }

    async fn snapshot(&mut self) -> Result<(), End> {
        let open = State::ALL.into_iter().filter(|s| s.is_open()).map(|s| s.as_str().to_owned()).collect();
        let mut filter = Filter { states: Some(open), ..Filter::default() };
        loop {
            let page = self.read(&filter).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some((last.created_at, last.referral_id));
            for referral in page {
                self.hand_out(referral).await?;
            }
        }
        // What ended shortly before is not news either.
        for referral in self.changed_since(self.since - SLACK).await? {
            if referral.updated_at < self.since {
                self.handed_out.entry(referral.referral_id).or_insert(referral.version);
            } else {
                self.hand_out(referral).await?;
            }
        }
        Ok(())
    }

    async fn changed_since(&self, since: DateTime<Utc>) -> Result<Vec<Referral>, End> {
        let mut filter = Filter { since: Some(since), ..Filter::default() };
        let mut found = Vec::new();
        loop {
            let page = self.read(&filter).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some((last.created_at, last.referral_id));
            found.extend(page);
        }
        found.sort_by_key(|r| (r.updated_at, r.referral_id));
        Ok(found)
    }

    async fn read(&self, filter: &Filter) -> Result<Vec<Referral>, ReferralError> {
        let mut conn = self.pool.acquire().await?;
        Ok(repo::list(&mut conn, &self.audience, filter, PAGE).await?)
    }

    async fn hand_out(&mut self, referral: Referral) -> Result<(), End> {
        let newest = self.handed_out.entry(referral.referral_id).or_insert(0);
        if *newest >= referral.version {
            return Ok(());
        }
        *newest = referral.version;
        self.sender.send(Ok(Some(referral))).await.map_err(|_| End::Gone)
    }
}
