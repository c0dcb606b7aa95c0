//! Closed-loop referrals: asked, answered, attended, judged. Use cases, one transaction each.

pub mod audience;
pub mod entity;
pub mod error;
pub mod events;
pub mod grpc;
pub mod repo;
pub mod state;
pub mod transition;
pub mod view;
pub mod watch;

use chassis_events::outbox;
use chassis_pg::DbError;
use chassis_pg::idempotency::{self, Claim};
use chassis_rpc::InvalidInput;
use chrono::Utc;
use proto::partners::v1::Outcome;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub use audience::Audience;
pub use entity::{Changed, Command, Draft, Referral, Sharing};
pub use error::ReferralError;
pub use state::{Mode, Side, State, Transition, Urgency};
pub use transition::{Reason, Refusal};

use crate::consent::{self, Missing};
use crate::disclosure::ledger;
use crate::{service, taxonomy};

/// Who asks, once access is decided.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// The side they speak for.
    pub side: Side,
    /// Their id in the roster; nil for partners.
    pub staff_id: Uuid,
}

/// Writes a draft. Nothing is shared yet.
pub async fn create(pool: &PgPool, draft: Draft, request: &idempotency::Request) -> Result<Referral, ReferralError> {
    let mut tx = pool.begin().await?;
    let id = draft.referral_id;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        let offer = repo::offer(&mut tx, draft.service_id).await?;
        let offer = offer.ok_or_else(|| InvalidInput::one("referral.service_id", "must be a service of the directory"))?;
        if !offer.active {
            return Err(ReferralError::ServiceNotActive);
        }
        let protected = taxonomy::category(&offer.category).unwrap_or(true) || taxonomy::sector(&offer.sector).unwrap_or(true);
        if protected && draft.mode == Mode::Normal {
            return Err(
                InvalidInput::one("referral.mode", "must be protected or information_only for this service: no partner account sees its students").into()
            );
        }
        let created = Referral::create(draft, offer.partner_id, offer.category, Utc::now());
        repo::insert(&mut tx, &created).await?;
        outbox::append(&mut tx, &events::changed(&created)).await?;
    }
    let stored = repo::load(&mut tx, id).await?.ok_or(ReferralError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}

/// What would be sent, by which consent, and what is missing. Stores nothing.
pub async fn check_sharing(pool: &PgPool, referral: &Referral) -> Result<(Option<Uuid>, Vec<&'static str>), ReferralError> {
    if referral.mode != Mode::Normal {
        return Ok((None, Vec::new()));
    }
    let mut tx = pool.begin().await?;
    let checked = consent::check(&mut tx, referral.student_id, referral.partner_id, &referral.shared_scopes, chassis_clock::today()).await?;
    tx.rollback().await?;
    Ok(match checked {
        Ok(covered) => (Some(covered.consent_id()), Vec::new()),
        Err(Missing(missing)) => (None, missing),
    })
}

/// Sends a draft: consent check, ledger, state and events, all at once or not at all.
pub async fn send(pool: &PgPool, referral_id: Uuid, actor: Actor, expected_version: i64, request: &idempotency::Request) -> Result<Referral, ReferralError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        let referral = lock(&mut tx, referral_id, expected_version).await?;
        referral.check(Transition::Send, actor.side, None)?;
        if !repo::offer(&mut tx, referral.service_id).await?.is_some_and(|o| o.active) {
            return Err(ReferralError::ServiceNotActive);
        }
        let sharing = match referral.mode.nothing_shared() {
            Some(nothing) => Sharing::Nothing(nothing),
            None => {
                let today = chassis_clock::today();
                let covered = consent::check(&mut tx, referral.student_id, referral.partner_id, &referral.shared_scopes, today).await?;
                let covered = covered.map_err(|Missing(missing)| ReferralError::NotCovered(missing))?;
                Sharing::Disclosed(ledger::record(&mut tx, referral_id, actor.staff_id, &covered).await?)
            }
        };
        store(&mut tx, &referral.apply(actor.side, Command::Send(sharing), Utc::now())?, actor.staff_id).await?;
    }
    finish(tx, referral_id).await
}

/// Makes any other transition. Asked again for what it has just done, it answers what is.
pub async fn advance(
    pool: &PgPool,
    referral_id: Uuid,
    actor: Actor,
    asked: Transition,
    reason: Option<Reason>,
    expected_version: i64,
    request: &idempotency::Request,
) -> Result<Referral, ReferralError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        let referral = lock(&mut tx, referral_id, expected_version).await?;
        let newest = repo::newest_step(&mut tx, &referral).await?;
        let done = newest.is_some_and(|(transition, side)| transition == asked.as_str() && side == actor.side.as_str());
        if !done {
            store(&mut tx, &referral.apply(actor.side, Command::Move(asked, reason), Utc::now())?, actor.staff_id).await?;
        }
    }
    finish(tx, referral_id).await
}

/// The requester says what came of it, which closes the loop.
pub async fn judge(
    pool: &PgPool,
    referral_id: Uuid,
    actor: Actor,
    outcome: Outcome,
    expected_version: i64,
    request: &idempotency::Request,
) -> Result<Referral, ReferralError> {
    let mut tx = pool.begin().await?;
    if idempotency::claim(&mut tx, request).await? == Claim::New {
        let referral = lock(&mut tx, referral_id, expected_version).await?;
        store(&mut tx, &referral.apply(actor.side, Command::Judge(outcome), Utc::now())?, actor.staff_id).await?;
    }
    finish(tx, referral_id).await
}

/// The partner reads a referral that was sent: it is open from now on.
pub async fn opened(pool: &PgPool, referral_id: Uuid) -> Result<Referral, ReferralError> {
    let mut tx = pool.begin().await?;
    let referral = lock(&mut tx, referral_id, 0).await?;
    if referral.state() == State::Sent {
        store(&mut tx, &referral.apply(Side::Partner, Command::Move(Transition::Open, None), Utc::now())?, Uuid::nil()).await?;
    }
    finish(tx, referral_id).await
}

/// In the transaction that takes a consent back: open referrals that rely on it are withdrawn, and whatever was shared
/// by it leaves the partner's view.
pub async fn end_what_relied_on(conn: &mut PgConnection, consent_id: Uuid, by_staff_id: Uuid) -> Result<(), ReferralError> {
    let reason = Reason::of_consent("consent_revoked");
    for referral in repo::lock_by_consent(conn, consent_id).await? {
        let changed = if referral.state().is_open() {
            referral.apply(Side::System, Command::Move(Transition::Withdraw, Some(reason.clone())), Utc::now())?
        } else if !referral.recalled {
            referral.recall(&reason, Utc::now())
        } else {
            continue;
        };
        store(conn, &changed, by_staff_id).await?;
    }
    Ok(())
}

async fn lock(conn: &mut PgConnection, referral_id: Uuid, expected_version: i64) -> Result<Referral, ReferralError> {
    let referral = repo::lock(conn, referral_id).await?.ok_or(ReferralError::NotFound)?;
    if expected_version != 0 && expected_version != referral.version { Err(ReferralError::Stale) } else { Ok(referral) }
}

/// Writes a change and all that goes with it. Every change of a stored referral comes through here, so places, ledger
/// and events cannot fall behind it.
async fn store(conn: &mut PgConnection, changed: &Changed, by_staff_id: Uuid) -> Result<(), ReferralError> {
    let referral = changed.referral();
    let places = changed.places();
    service::places::shift(conn, referral.service_id, places.taken, places.waitlisted).await?;
    repo::save(conn, changed).await?;
    if changed.recalls() {
        let about = ledger::About {
            referral_id: referral.referral_id,
            student_id: referral.student_id,
            partner_id: referral.partner_id,
            scopes: &referral.shared_scopes,
            by_staff_id,
        };
        ledger::recall(conn, &about, referral.consent_id).await?;
    }
    outbox::append(conn, &events::changed(changed)).await?;
    Ok(())
}

async fn finish(mut tx: sqlx::Transaction<'_, sqlx::Postgres>, referral_id: Uuid) -> Result<Referral, ReferralError> {
    let stored = repo::load(&mut tx, referral_id).await?.ok_or(ReferralError::NotFound)?;
    tx.commit().await?;
    Ok(stored)
}

/// One with its steps, for a caller who has been let in.
pub async fn with_steps(pool: &PgPool, referral_id: Uuid) -> Result<Vec<entity::Step>, DbError> {
    let mut conn = pool.acquire().await?;
    repo::steps(&mut conn, referral_id).await
}
