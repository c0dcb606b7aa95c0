//! What was written and when. Entries closed to the caller now, or closed as they then were, are left out.

use chassis_pg::DbError;
use chassis_rpc::PageRequest;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Entry;
use super::sight::Sight;
use crate::words::{Polarity, Source, read_certainty, read_domain, read_sensitivity};

/// One thing that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its place in the history.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub author: Uuid,
    /// What was done.
    pub action: String,
    /// The entry as it then was.
    pub entry: Option<Entry>,
}

struct Row {
    revision_id: i64,
    written_at: DateTime<Utc>,
    author_id: Uuid,
    action: String,
    entry_id: Option<Uuid>,
    entry_version: Option<i64>,
    entry_author_id: Option<Uuid>,
    polarity: Option<String>,
    code: Option<String>,
    domain: Option<String>,
    severity: Option<i16>,
    certainty: Option<String>,
    source: Option<String>,
    note: Option<String>,
    sensitivity: Option<String>,
    since: Option<NaiveDate>,
    confirmed_by: Option<String>,
}

impl TryFrom<Row> for Revision {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let entry = match (row.entry_id, row.polarity, row.code, row.domain, row.source, row.sensitivity) {
            (Some(id), Some(polarity), Some(code), Some(domain), Some(source), Some(sensitivity)) => Some(Entry {
                id,
                polarity: Polarity::read(&polarity)?,
                code,
                domain: read_domain(&domain)?,
                severity: row.severity.unwrap_or_default(),
                certainty: row.certainty.as_deref().map(read_certainty).transpose()?,
                source: Source::read(&source)?,
                note: row.note.unwrap_or_default(),
                sensitivity: read_sensitivity(&sensitivity)?,
                version: row.entry_version.unwrap_or_default(),
                author: row.entry_author_id.unwrap_or_default(),
                recorded_at: row.written_at,
                updated_at: row.written_at,
                since: row.since,
                confirmed_by: row.confirmed_by.as_deref().map(Source::read).transpose()?,
                origin: None,
                from: None,
                superseded_by: None,
            }),
            _ => None,
        };
        Ok(Self { id: row.revision_id, at: row.written_at, author: row.author_id, action: row.action, entry })
    }
}

/// Newest first, after the page's key.
pub(super) async fn list(
    conn: &mut PgConnection,
    class_review_id: Uuid,
    student_id: Uuid,
    sight: &Sight,
    page: &PageRequest<i64>,
) -> Result<Vec<Revision>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select v.revision_id, v.written_at, v.author_id, v.action, v.entry_id, v.entry_version, v.entry_author_id, v.polarity, v.code,
               v.domain, v.severity, v.certainty, v.source, v.note, v.sensitivity, v.since, v.confirmed_by
           from reviews.student_review_revision v
           left join reviews.entry e using (entry_id)
           where v.class_review_id = $1 and v.student_id = $2 and ($3::bigint is null or v.revision_id < $3)
             and (v.entry_id is null
                 or ((v.sensitivity = 'general'
                         or (v.sensitivity = 'restricted' and (e.author_id = $5 or v.domain = any($6)))
                         or (v.sensitivity = 'protected' and $7))
                     and (e.sensitivity = 'general'
                         or (e.sensitivity = 'restricted' and (e.author_id = $5 or e.domain = any($6)))
                         or (e.sensitivity = 'protected' and $7))))
           order by v.revision_id desc limit $4"#,
        class_review_id,
        student_id,
        page.after,
        page.size + 1,
        sight.own,
        &sight.restricted,
        sight.protected
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Revision::try_from).collect()
}
