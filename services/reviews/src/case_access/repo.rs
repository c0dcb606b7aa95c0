//! SQL of case access.

use chassis_pg::{DbError, expect_one};
use chassis_rpc::PageRequest;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Wanted;
use super::entity::{CaseAccess, Kind};

struct Row {
    case_access_id: Uuid,
    student_id: Uuid,
    school_id: Uuid,
    staff_id: Uuid,
    kind: String,
    reason: String,
    granted_by: Uuid,
    granted_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_by: Option<Uuid>,
    revoked_at: Option<DateTime<Utc>>,
    version: i64,
}

impl TryFrom<Row> for CaseAccess {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let kind = [Kind::Named, Kind::BreakGlass].into_iter().find(|k| k.word() == row.kind);
        Ok(Self {
            id: row.case_access_id,
            student_id: row.student_id,
            school_id: row.school_id,
            staff_id: row.staff_id,
            kind: kind.ok_or(DbError::Inconsistent { table: "case_access", what: "an unknown kind" })?,
            reason: row.reason,
            granted_by: row.granted_by,
            granted_at: row.granted_at,
            expires_at: row.expires_at,
            revoked: row.revoked_by.zip(row.revoked_at),
            version: row.version,
        })
    }
}

/// One case access.
pub(super) async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<CaseAccess>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select case_access_id, student_id, school_id, staff_id, kind, reason, granted_by, granted_at, expires_at, revoked_by, revoked_at,
             version
         from reviews.case_access where case_access_id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(CaseAccess::try_from).transpose()
}

/// Takes the row's lock, so that what is read after it is what is decided on.
pub(super) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    sqlx::query!("select case_access_id from reviews.case_access where case_access_id = $1 for update", id).fetch_optional(conn).await?;
    Ok(())
}

/// Newest first.
pub(super) async fn list(conn: &mut PgConnection, wanted: &Wanted, page: &PageRequest<(DateTime<Utc>, Uuid)>) -> Result<Vec<CaseAccess>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "select case_access_id, student_id, school_id, staff_id, kind, reason, granted_by, granted_at, expires_at, revoked_by, revoked_at,
             version
         from reviews.case_access a
         where ($1::uuid is null or student_id = $1)
           and ($2::uuid is null or school_id = $2 or exists (select from reviews.relationship r
                                                              where r.subject = a.student_id and r.relation = 'attends' and r.object = $2))
           and (not $3 or (revoked_at is null and (expires_at is null or expires_at > now())))
           and ($4 or kind = 'break_glass' or staff_id = $5)
           and ($6::timestamptz is null or (granted_at, case_access_id) < ($6, $7::uuid))
         order by granted_at desc, case_access_id desc limit $8",
        wanted.student_id,
        wanted.school_id,
        wanted.active_only,
        wanted.named_too,
        wanted.own,
        page.after.map(|after| after.0),
        page.after.map(|after| after.1),
        page.size + 1
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(CaseAccess::try_from).collect()
}

/// Writes a new one; false where its id is taken.
pub(super) async fn insert(conn: &mut PgConnection, access: &CaseAccess) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "with written as (
             insert into reviews.case_access
                 (case_access_id, student_id, school_id, staff_id, kind, reason, granted_by, granted_at, expires_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (case_access_id) do nothing
             returning *
         )
         insert into reviews.case_revision (subject_id, version, subject, action, author_id, content)
         select case_access_id, version, 'case_access', 'granted', granted_by, to_jsonb(written) from written",
        access.id,
        access.student_id,
        access.school_id,
        access.staff_id,
        access.kind.word(),
        access.reason,
        access.granted_by,
        access.granted_at,
        access.expires_at,
        access.version
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes that it was taken back, and that into the history.
pub(super) async fn revoke(conn: &mut PgConnection, next: &CaseAccess, author: Uuid) -> Result<(), DbError> {
    let done = sqlx::query!(
        "with written as (
             update reviews.case_access set revoked_by = $2, revoked_at = $3, version = $4
             where case_access_id = $1 and version + 1 = $4
             returning *
         )
         insert into reviews.case_revision (subject_id, version, subject, action, author_id, content)
         select case_access_id, version, 'case_access', 'revoked', $5, to_jsonb(written) from written",
        next.id,
        next.revoked.map(|(by, _)| by),
        next.revoked.map(|(_, at)| at),
        next.version,
        author
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// The relationship that it grants, as the event brings it to the other services. Here at once, in the same transaction.
pub(super) async fn put_relationship(conn: &mut PgConnection, access: &CaseAccess) -> Result<(), DbError> {
    sqlx::query!(
        "insert into reviews.relationship_grant as held (grant_id, subject, relation, object, expires_at, revoked, version)
         values ($1, $2, 'on_case', $3, $4, $5, $6)
         on conflict (grant_id) do update set expires_at = excluded.expires_at, revoked = excluded.revoked, version = excluded.version
         where held.version < excluded.version",
        access.id,
        access.staff_id,
        access.student_id,
        access.expires_at,
        access.revoked.is_some(),
        access.version
    )
    .execute(conn)
    .await?;
    Ok(())
}
