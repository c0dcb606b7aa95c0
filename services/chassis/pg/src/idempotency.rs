//! Idempotency records, written in the mutation's own transaction.
//!
//! There is no "in progress" state and no stored answer: a second caller with the same request id waits on the row
//! until the first commits, then reads the resource as it is. If the first rolled back, the second does the work.

use chassis_rpc::{Fault, Kind};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::DbError;

/// One request that must not take effect twice.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who calls; ids of different callers never meet.
    pub caller: String,
    /// Method, e.g. `reviews.StartClassReview`.
    pub method: &'static str,
    /// Chosen by the client.
    pub request_id: Uuid,
    /// Hash of what was asked, so that an id is not reused for something else.
    pub fingerprint: [u8; 16],
}

impl Request {
    /// Takes the fingerprint of the encoded message.
    pub fn new(caller: &str, method: &'static str, request_id: Uuid, encoded: &[u8]) -> Self {
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&Sha256::digest(encoded)[..16]);
        Self { caller: caller.to_owned(), method, request_id, fingerprint }
    }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// First time: do the work.
    New,
    /// Done before: answer from the resource's present state.
    Replay,
}

/// Why a claim fails.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The id came before with another request.
    #[error("request_id was used before for another request; choose a new one")]
    Reused,
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<sqlx::Error> for ClaimError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for ClaimError {
    fn kind(&self) -> Kind {
        match self {
            Self::Reused => Kind::InvalidInput,
            Self::Database(error) => error.kind(),
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::Reused => "REQUEST_ID_REUSED",
            Self::Database(error) => error.reason(),
        }
    }
}

/// Claims the request id within the caller's transaction.
pub async fn claim(conn: &mut PgConnection, request: &Request) -> Result<Claim, ClaimError> {
    let inserted = sqlx::query("insert into idempotency (caller, method, request_id, fingerprint) values ($1, $2, $3, $4) on conflict do nothing")
        .bind(&request.caller)
        .bind(request.method)
        .bind(request.request_id)
        .bind(&request.fingerprint[..])
        .execute(&mut *conn)
        .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Claim::New);
    }
    let known: Vec<u8> = sqlx::query_scalar("select fingerprint from idempotency where caller = $1 and method = $2 and request_id = $3")
        .bind(&request.caller)
        .bind(request.method)
        .bind(request.request_id)
        .fetch_one(conn)
        .await?;
    if known == request.fingerprint { Ok(Claim::Replay) } else { Err(ClaimError::Reused) }
}

/// Forgets records older than a day. Clients retry within minutes.
pub async fn purge(conn: &mut PgConnection) -> Result<u64, DbError> {
    let done = sqlx::query("delete from idempotency where created_at < now() - interval '1 day'").execute(conn).await?;
    Ok(done.rows_affected())
}
