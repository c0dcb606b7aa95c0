//! Consents in SQL.

use chassis_pg::DbError;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Consent;
use super::error::ConsentError;

/// What a partner has on file.
#[derive(Debug)]
pub struct Papers {
    /// Sector.
    pub sector: String,
    /// Whether an agreement to share data holds.
    pub data_sharing: bool,
}

/// What a partner has on file on a day.
pub async fn papers(conn: &mut PgConnection, partner_id: Uuid, today: NaiveDate) -> Result<Papers, DbError> {
    let papers = sqlx::query_as!(
        Papers,
        r#"select sector, exists (
               select 1 from partners.agreement as a
               where a.partner_id = p.partner_id and a.kind = 'data_sharing' and $2 between a.valid_from and a.valid_to
           ) as "data_sharing!"
           from partners.partner as p where p.partner_id = $1"#,
        partner_id,
        today,
    )
    .fetch_one(conn)
    .await?;
    Ok(papers)
}

/// Records one.
pub async fn insert(conn: &mut PgConnection, c: &Consent) -> Result<(), ConsentError> {
    sqlx::query!(
        "insert into partners.consent
             (consent_id, student_id, partner_id, scopes, purpose, signer_kind, method, valid_from, expires_on, language, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        c.consent_id,
        c.student_id,
        c.partner_id,
        &c.scopes,
        c.purpose,
        c.signer_kind,
        c.method,
        c.valid_from,
        c.expires_on,
        c.language,
        c.recorded_by,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One.
pub async fn load(conn: &mut PgConnection, consent_id: Uuid) -> Result<Option<Consent>, DbError> {
    let found = sqlx::query_as!(
        Consent,
        "select consent_id, student_id, partner_id, scopes, purpose, signer_kind, method, valid_from, expires_on, language, recorded_by, revoked_at
         from partners.consent where consent_id = $1",
        consent_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// One, to change it: waits for whoever sends by it now.
pub async fn lock(conn: &mut PgConnection, consent_id: Uuid) -> Result<Option<Consent>, DbError> {
    let found = sqlx::query_as!(
        Consent,
        "select consent_id, student_id, partner_id, scopes, purpose, signer_kind, method, valid_from, expires_on, language, recorded_by, revoked_at
         from partners.consent where consent_id = $1 for update",
        consent_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Those of a student for a partner, held against changes until the transaction ends.
pub async fn of_student_and_partner(conn: &mut PgConnection, student_id: Uuid, partner_id: Uuid) -> Result<Vec<Consent>, DbError> {
    let found = sqlx::query_as!(
        Consent,
        "select consent_id, student_id, partner_id, scopes, purpose, signer_kind, method, valid_from, expires_on, language, recorded_by, revoked_at
         from partners.consent where student_id = $1 and partner_id = $2 order by consent_id for share",
        student_id,
        partner_id,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Those of a student with the partner's sector, newest first.
pub async fn of_student(conn: &mut PgConnection, student_id: Uuid) -> Result<Vec<(Consent, String)>, DbError> {
    let rows = sqlx::query!(
        "select c.consent_id, student_id, c.partner_id, scopes, purpose, signer_kind, method, valid_from, expires_on, language, recorded_by, revoked_at, p.sector
         from partners.consent as c join partners.partner as p on p.partner_id = c.partner_id
         where student_id = $1 order by recorded_at desc, consent_id desc limit 500",
        student_id,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let consent = Consent {
                consent_id: r.consent_id,
                student_id: r.student_id,
                partner_id: r.partner_id,
                scopes: r.scopes,
                purpose: r.purpose,
                signer_kind: r.signer_kind,
                method: r.method,
                valid_from: r.valid_from,
                expires_on: r.expires_on,
                language: r.language,
                recorded_by: r.recorded_by,
                revoked_at: r.revoked_at,
            };
            (consent, r.sector)
        })
        .collect())
}

/// Takes one back.
pub async fn revoke(conn: &mut PgConnection, consent_id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    let done = sqlx::query!("update partners.consent set revoked_at = $2 where consent_id = $1 and revoked_at is null", consent_id, at).execute(conn).await?;
    chassis_pg::expect_one(&done)
}
