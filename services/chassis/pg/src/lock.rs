//! Advisory locks: one elected holder a database.
//!
//! The lock is tried, never waited for: a session that waits on `pg_advisory_lock` holds a snapshot, and a
//! `create index concurrently` elsewhere would wait for it for ever.

use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};

use crate::error::DbError;

/// A lock held on a connection of its own; released when that ends.
#[derive(Debug)]
pub struct Held {
    connection: PgConnection,
}

fn key(name: &str) -> i64 {
    let digest = Sha256::digest(name.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

/// Tries to become the holder of `name`. None where another process is.
pub async fn try_hold(pool: &PgPool, name: &str) -> Result<Option<Held>, DbError> {
    let options: PgConnectOptions = (*pool.connect_options()).clone();
    let mut connection = options.connect().await?;
    let got: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(key(name)).fetch_one(&mut connection).await?;
    if got { Ok(Some(Held { connection })) } else { Ok(None) }
}

impl Held {
    /// Whether the connection, and so the lock, is still there.
    pub async fn still(&mut self) -> bool {
        self.connection.ping().await.is_ok()
    }

    /// The connection that holds the lock; work done on it stops when the lock is lost.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Lets the next one in: when this answers, the lock is free.
    pub async fn release(mut self) {
        // A server ends a closed session in its own time, and whoever comes next would find the lock held. Both are
        // best effort: without a connection there is no lock either.
        let _ = sqlx::query("select pg_advisory_unlock_all()").execute(&mut self.connection).await;
        let _ = self.connection.close().await;
    }
}
