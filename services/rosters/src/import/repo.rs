//! Runs and their findings.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{FileSummary, ImportRun, State};
use super::error::ImportError;
use crate::oneroster::{Finding, Severity};
use chassis_pg::DbError;

struct RunRow {
    import_run_id: Uuid,
    state: String,
    dry_run: bool,
    source_name: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    error_count: i64,
    warning_count: i64,
    files: serde_json::Value,
}

impl TryFrom<RunRow> for ImportRun {
    type Error = ImportError;
    fn try_from(row: RunRow) -> Result<Self, ImportError> {
        let wrong = |what| ImportError::Database(DbError::Inconsistent { table: "import_run", what });
        Ok(Self {
            id: row.import_run_id,
            state: State::parse(&row.state).ok_or_else(|| wrong("an unknown state"))?,
            dry_run: row.dry_run,
            source_name: row.source_name,
            started_at: row.started_at,
            ended_at: row.ended_at,
            error_count: row.error_count,
            warning_count: row.warning_count,
            files: serde_json::from_value::<Vec<FileSummary>>(row.files).map_err(|_| wrong("unreadable file summaries"))?,
        })
    }
}

/// Writes a run that begins.
pub async fn insert_run(conn: &mut PgConnection, run: &ImportRun, caller: &str, request_id: Uuid) -> Result<(), ImportError> {
    sqlx::query!(
        "insert into rosters.import_run (import_run_id, state, dry_run, source_name, caller, request_id, started_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        run.id,
        run.state.as_str(),
        run.dry_run,
        run.source_name,
        caller,
        request_id,
        run.started_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes how a run ended, with what it found.
pub async fn end_run(conn: &mut PgConnection, run: &ImportRun, findings: &[Finding]) -> Result<(), ImportError> {
    let files = serde_json::to_value(&run.files).unwrap_or_default();
    let done = sqlx::query!(
        "update rosters.import_run set state = $2, ended_at = $3, error_count = $4, warning_count = $5, files = $6
         where import_run_id = $1 and state = 'validating'",
        run.id,
        run.state.as_str(),
        run.ended_at,
        run.error_count,
        run.warning_count,
        files
    )
    .execute(&mut *conn)
    .await?;
    chassis_pg::expect_one(&done)?;
    let severity = |finding: &Finding| if finding.severity == Severity::Error { "error" } else { "warning" }.to_owned();
    sqlx::query!(
        "insert into rosters.import_issue (import_run_id, position, severity, file, line, column_name, rule, value, hint, occurrences)
         select $1, i.position, i.severity, i.file, i.line, i.column_name, i.rule, i.value, i.hint, i.occurrences
         from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[])
              with ordinality as i (severity, file, line, column_name, rule, value, hint, occurrences, position)",
        run.id,
        &findings.iter().map(severity).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.file.clone()).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.line as i64).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.column.clone()).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.rule.to_owned()).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.value.clone()).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.hint.clone()).collect::<Vec<_>>(),
        &findings.iter().map(|f| f.occurrences as i64).collect::<Vec<_>>()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends runs that a stopped process left behind. Only whoever holds the import lock may call this.
pub async fn end_abandoned(conn: &mut PgConnection) -> Result<(), ImportError> {
    sqlx::query!(
        "with ended as (
             update rosters.import_run set state = 'refused', ended_at = now(), error_count = 1
             where state = 'validating' returning import_run_id
         )
         insert into rosters.import_issue (import_run_id, position, severity, file, line, column_name, rule, value, hint, occurrences)
         select import_run_id, 1, 'error', '', 0, '', 'import.interrupted', '',
                'The service stopped or lost its database during the import. Nothing was written; import again.', 1
         from ended"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A run.
pub async fn find_run(conn: &mut PgConnection, id: Uuid) -> Result<Option<ImportRun>, ImportError> {
    sqlx::query_as!(
        RunRow,
        "select import_run_id, state, dry_run, source_name, started_at, ended_at, error_count, warning_count, files
         from rosters.import_run where import_run_id = $1",
        id
    )
    .fetch_optional(conn)
    .await?
    .map(ImportRun::try_from)
    .transpose()
}

/// The run that an earlier, applied upload with this request id made.
pub async fn find_applied(conn: &mut PgConnection, caller: &str, request_id: Uuid) -> Result<Option<ImportRun>, ImportError> {
    sqlx::query_as!(
        RunRow,
        "select import_run_id, state, dry_run, source_name, started_at, ended_at, error_count, warning_count, files
         from rosters.import_run where caller = $1 and request_id = $2 and state = 'applied'",
        caller,
        request_id
    )
    .fetch_optional(conn)
    .await?
    .map(ImportRun::try_from)
    .transpose()
}

/// Runs, newest first. Ids are in the order of time.
pub async fn list_runs(conn: &mut PgConnection, after: Option<Uuid>, limit: i64) -> Result<Vec<ImportRun>, ImportError> {
    sqlx::query_as!(
        RunRow,
        "select import_run_id, state, dry_run, source_name, started_at, ended_at, error_count, warning_count, files
         from rosters.import_run where $1::uuid is null or import_run_id < $1 order by import_run_id desc limit $2",
        after,
        limit
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(ImportRun::try_from)
    .collect()
}

/// A finding as it is kept.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its place in the list.
    pub position: i32,
    /// `error` or `warning`.
    pub severity: String,
    /// File.
    pub file: String,
    /// Line.
    pub line: i64,
    /// Column.
    pub column_name: String,
    /// Rule.
    pub rule: String,
    /// Value.
    pub value: String,
    /// Hint.
    pub hint: String,
    /// Rows.
    pub occurrences: i64,
}

/// Findings of a run, in their order.
pub async fn list_issues(conn: &mut PgConnection, run: Uuid, after: i32, limit: i64) -> Result<Vec<Issue>, ImportError> {
    Ok(sqlx::query_as!(
        Issue,
        "select position, severity, file, line, column_name, rule, value, hint, occurrences
         from rosters.import_issue where import_run_id = $1 and position > $2 order by position limit $3",
        run,
        after,
        limit
    )
    .fetch_all(conn)
    .await?)
}
