//! Writing and reading the ledger. The one place that makes a [`Disclosed`].

use std::collections::VecDeque;

use chassis_events::outbox;
use chassis_pg::DbError;
use chrono::{SubsecRound as _, Utc};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Chain, Direction, GENESIS, Line};
use super::events;
use crate::consent::Covered;

/// Proof that a line is in the ledger, in the caller's transaction. Its fields are private and [`record`] alone makes
/// one, so a referral cannot be sent without it.
#[derive(Debug)]
pub struct Disclosed {
    disclosure_id: Uuid,
    consent_id: Uuid,
    referral_id: Uuid,
    scopes: Vec<String>,
}

impl Disclosed {
    /// The line.
    pub fn disclosure_id(&self) -> Uuid {
        self.disclosure_id
    }
    /// The consent it stands on.
    pub fn consent_id(&self) -> Uuid {
        self.consent_id
    }
    /// The referral it is about.
    pub fn referral_id(&self) -> Uuid {
        self.referral_id
    }
    /// What went out.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

/// What a line is about.
#[derive(Clone, Debug)]
pub struct About<'r> {
    /// The referral.
    pub referral_id: Uuid,
    /// The student.
    pub student_id: Uuid,
    /// Who receives.
    pub partner_id: Uuid,
    /// What.
    pub scopes: &'r [String],
    /// Who sends.
    pub by_staff_id: Uuid,
}

/// Writes the line of what goes out with a referral: exactly what a consent and an agreement were found to cover.
pub async fn record(conn: &mut PgConnection, referral_id: Uuid, by_staff_id: Uuid, covered: &Covered) -> Result<Disclosed, DbError> {
    let about = About { referral_id, student_id: covered.student_id(), partner_id: covered.partner_id(), scopes: covered.scopes(), by_staff_id };
    let line = append(conn, &about, Direction::Out, Some(covered.consent_id())).await?;
    Ok(Disclosed { disclosure_id: line.disclosure_id, consent_id: covered.consent_id(), referral_id, scopes: line.scopes })
}

/// Writes the line of something that is out of the partner's view again.
pub async fn recall(conn: &mut PgConnection, about: &About<'_>, consent_id: Option<Uuid>) -> Result<(), DbError> {
    append(conn, about, Direction::Recalled, consent_id).await?;
    Ok(())
}

async fn append(conn: &mut PgConnection, about: &About<'_>, direction: Direction, consent_id: Option<Uuid>) -> Result<Line, DbError> {
    // The row of the head is what writers of one student's chain queue for.
    sqlx::query!(
        "insert into partners.disclosure_head (student_id, sequence, hash) values ($1, 0, $2) on conflict do nothing",
        about.student_id,
        &GENESIS[..],
    )
    .execute(&mut *conn)
    .await?;
    let head =
        sqlx::query!("select sequence, hash from partners.disclosure_head where student_id = $1 for update", about.student_id).fetch_one(&mut *conn).await?;
    let mut line = Line {
        disclosure_id: Uuid::now_v7(),
        student_id: about.student_id,
        sequence: head.sequence + 1,
        at: Utc::now().trunc_subsecs(6),
        direction: direction.as_str().to_owned(),
        partner_id: about.partner_id,
        legal_basis: "consent".to_owned(),
        consent_id,
        scopes: about.scopes.to_vec(),
        referral_id: about.referral_id,
        channel: "grpc".to_owned(),
        by_staff_id: about.by_staff_id,
        hash: Vec::new(),
    };
    line.hash = line.expected_hash(&head.hash);
    sqlx::query!(
        "insert into partners.disclosure
             (disclosure_id, student_id, sequence, at, direction, partner_id, legal_basis, consent_id, scopes, referral_id, channel, by_staff_id, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        line.disclosure_id,
        line.student_id,
        line.sequence,
        line.at,
        line.direction,
        line.partner_id,
        line.legal_basis,
        line.consent_id,
        &line.scopes,
        line.referral_id,
        line.channel,
        line.by_staff_id,
        &line.hash,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update partners.disclosure_head set sequence = $2, hash = $3 where student_id = $1", line.student_id, line.sequence, &line.hash)
        .execute(&mut *conn)
        .await?;
    // Others hear of what left; that it was recalled they hear with the referral.
    if direction == Direction::Out {
        outbox::append(conn, &events::recorded(&line)).await?;
    }
    Ok(line)
}

/// The newest `limit` lines of a student, newest first, and whether the whole chain is intact.
pub async fn read(conn: &mut PgConnection, student_id: Uuid, limit: usize) -> Result<(Vec<Line>, bool), DbError> {
    // One snapshot for head and lines, or a write between the two would look like tampering.
    let head =
        sqlx::query!("select sequence, hash from partners.disclosure_head where student_id = $1 for share", student_id).fetch_optional(&mut *conn).await?;
    let mut chain = Chain::default();
    let mut newest = VecDeque::new();
    {
        let mut lines = sqlx::query_as!(
            Line,
            "select disclosure_id, student_id, sequence, at, direction, partner_id, legal_basis, consent_id, scopes, referral_id, channel, by_staff_id, hash
             from partners.disclosure where student_id = $1 order by sequence",
            student_id,
        )
        .fetch(&mut *conn);
        while let Some(line) = lines.try_next().await? {
            chain.follow(&line);
            newest.push_front(line);
            newest.truncate(limit);
        }
    }
    let intact = chain.intact(head.as_ref().map(|h| (h.sequence, h.hash.as_slice())));
    Ok((newest.into(), intact))
}
