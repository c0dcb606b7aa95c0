//! Referrals, capacity and disclosures.

use chassis_events::ApplyError;
use proto::partners::v1::{CapacityChanged, DisclosureRecorded, Outcome, ReferralChanged, ReferralMode, ReferralState};
use sqlx::PgConnection;

use super::field::{id, id_or_nil, ids, optional_day, optional_time, required_word, time, word};

pub(super) async fn referral(conn: &mut PgConnection, referral: &ReferralChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.referral_fact
             (referral_id, version, changed_time, student_id, school_id, need_ids, partner_id, service_id, service_category, mode, state,
              reason, reason_side, outcome, sent_time, respond_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         on conflict do nothing",
        id("referral_id", &referral.referral_id)?,
        referral.version,
        time("time", referral.time)?,
        id("student_id", &referral.student_id)?,
        id("school_id", &referral.school_id)?,
        &ids("need_ids", &referral.need_ids)?,
        id_or_nil("partner_id", &referral.partner_id)?,
        id_or_nil("service_id", &referral.service_id)?,
        referral.service_category,
        word("mode", referral.mode, ReferralMode::as_str_name, "REFERRAL_MODE_")?,
        required_word("state", referral.state, ReferralState::as_str_name, "REFERRAL_STATE_")?,
        referral.reason,
        referral.reason_side,
        word("outcome", referral.outcome, Outcome::as_str_name, "OUTCOME_")?,
        optional_time("sent_time", referral.sent_time)?,
        optional_day("respond_by", &referral.respond_by)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn capacity(conn: &mut PgConnection, capacity: &CapacityChanged) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.capacity_fact as held (service_id, version, partner_id, maximum, taken, waitlisted) values ($1, $2, $3, $4, $5, $6)
         on conflict (service_id) do update set
             version = excluded.version, partner_id = excluded.partner_id, maximum = excluded.maximum, taken = excluded.taken, waitlisted = excluded.waitlisted
         where held.version < excluded.version",
        id("service_id", &capacity.service_id)?,
        capacity.version,
        id_or_nil("partner_id", &capacity.partner_id)?,
        capacity.maximum,
        capacity.taken,
        capacity.waitlisted,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn disclosure(conn: &mut PgConnection, disclosure: &DisclosureRecorded) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into reporting.disclosure_fact (disclosure_id, student_id, partner_id, legal_basis, disclosed_time) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        id("disclosure_id", &disclosure.disclosure_id)?,
        id("student_id", &disclosure.student_id)?,
        id_or_nil("partner_id", &disclosure.partner_id)?,
        disclosure.legal_basis,
        time("time", disclosure.time)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
