//! Organisations and agreements in SQL.

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Agreement, Partner};
use super::error::PartnerError;

/// Adds one.
pub async fn insert(conn: &mut PgConnection, p: &Partner) -> Result<(), PartnerError> {
    sqlx::query!("insert into partners.partner (partner_id, name, sector, status) values ($1, $2, $3, $4)", p.partner_id, p.name, p.sector, p.status)
        .execute(conn)
        .await?;
    Ok(())
}

/// Changes one; false where it is not there in that version.
pub async fn update(conn: &mut PgConnection, p: &Partner, expected_version: i64) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "update partners.partner set name = $2, sector = $3, status = $4, version = version + 1, updated_at = now() where partner_id = $1 and version = $5",
        p.partner_id,
        p.name,
        p.sector,
        p.status,
        expected_version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One.
pub async fn load(conn: &mut PgConnection, partner_id: Uuid) -> Result<Option<Partner>, DbError> {
    let found = sqlx::query_as!(Partner, "select partner_id, name, sector, status, version from partners.partner where partner_id = $1", partner_id)
        .fetch_optional(conn)
        .await?;
    Ok(found)
}

/// By name, after a name and id.
pub async fn list(conn: &mut PgConnection, after: Option<(String, Uuid)>, limit: i64) -> Result<Vec<Partner>, DbError> {
    let (name, id) = after.unzip();
    let found = sqlx::query_as!(
        Partner,
        "select partner_id, name, sector, status, version from partners.partner
         where $1::text is null or (name, partner_id) > ($1, $2::uuid) order by name, partner_id limit $3",
        name,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Adds or changes an agreement; false where its id belongs to another organisation.
pub async fn put_agreement(conn: &mut PgConnection, a: &Agreement) -> Result<bool, PartnerError> {
    let done = sqlx::query!(
        "insert into partners.agreement as held (agreement_id, partner_id, kind, valid_from, valid_to) values ($1, $2, $3, $4, $5)
         on conflict (agreement_id) do update set kind = excluded.kind, valid_from = excluded.valid_from, valid_to = excluded.valid_to
         where held.partner_id = excluded.partner_id",
        a.agreement_id,
        a.partner_id,
        a.kind,
        a.valid_from,
        a.valid_to,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One agreement.
pub async fn agreement(conn: &mut PgConnection, agreement_id: Uuid) -> Result<Option<Agreement>, DbError> {
    let found =
        sqlx::query_as!(Agreement, "select agreement_id, partner_id, kind, valid_from, valid_to from partners.agreement where agreement_id = $1", agreement_id)
            .fetch_optional(conn)
            .await?;
    Ok(found)
}

/// Agreements of an organisation, newest first.
pub async fn agreements(conn: &mut PgConnection, partner_id: Uuid) -> Result<Vec<Agreement>, DbError> {
    let found = sqlx::query_as!(
        Agreement,
        "select agreement_id, partner_id, kind, valid_from, valid_to from partners.agreement
         where partner_id = $1 order by valid_from desc, agreement_id desc limit 500",
        partner_id,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}
