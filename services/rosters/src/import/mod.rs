//! Imports: a package is read, checked and applied in one transaction, or nothing of it is.

mod apply;
mod check;
mod copy;
pub mod entity;
pub mod error;
mod foresight;
pub mod grpc;
mod guard;
pub mod repo;
mod resolve;
mod stage;

use std::collections::BTreeMap;

use chassis_pg::lock;
use chrono::Utc;
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::apply::{Counts, Modes};
use self::entity::{FileSummary, ImportRun, Progress, State, Verdict};
use self::error::ImportError;
use self::foresight::Foresight;
use self::stage::Staged;
use crate::oneroster::{FileKind, Mode};
use crate::standing;

pub use stage::Source;

/// Name of the lock that whoever writes the roster holds.
pub const LOCK: &str = "import rosters";

/// What is to be imported, and how.
#[derive(Debug, Clone)]
pub struct RunImport {
    /// The package.
    pub source: Source,
    /// Only look.
    pub dry_run: bool,
    /// Go on although the delta guard would stop.
    pub accept_changes: bool,
    /// Who asks.
    pub caller: String,
    /// Repeating an applied one answers the same run.
    pub request_id: Uuid,
}

/// Runs imports, one at a time a database.
#[derive(Debug, Clone)]
pub struct Imports {
    pool: PgPool,
    roles_from: Vec<String>,
    roles_to: Vec<String>,
}

impl Imports {
    /// Imports into the pool's district. `roles` is the district's rule: which role of the roster is which of ours.
    pub fn new(pool: PgPool, roles: &BTreeMap<String, String>) -> Self {
        let (roles_from, roles_to) = roles.iter().map(|(from, to)| (from.clone(), to.clone())).unzip();
        Self { pool, roles_from, roles_to }
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Runs one import to its end. What is wrong with the package is in the run's findings; an error means that the
    /// import could not be run.
    #[tracing::instrument(name = "import.run", skip_all, fields(run.id))]
    pub async fn run(&self, command: RunImport, tell: mpsc::Sender<Progress>) -> Result<ImportRun, ImportError> {
        let mut conn = self.pool.acquire().await?;
        if let Some(run) = repo::find_applied(&mut conn, &command.caller, command.request_id).await? {
            return Ok(run);
        }
        let Some(held) = lock::try_hold(&self.pool, LOCK).await? else { return Err(ImportError::Busy) };
        repo::end_abandoned(&mut conn).await?;
        let mut run = ImportRun {
            id: Uuid::now_v7(),
            state: State::Validating,
            dry_run: command.dry_run,
            source_name: command.source.name.clone(),
            started_at: Utc::now(),
            ended_at: None,
            error_count: 0,
            warning_count: 0,
            files: Vec::new(),
        };
        tracing::Span::current().record("run.id", tracing::field::display(run.id));
        repo::insert_run(&mut conn, &run, &command.caller, command.request_id).await?;
        drop(conn);
        let done = self.work(&command, &mut run, &tell).await;
        if done.is_err() {
            // The transaction is gone with its connection; what can still be said is said by the next import otherwise.
            if let Ok(mut conn) = self.pool.acquire().await {
                let _ = repo::end_abandoned(&mut conn).await;
            }
        }
        held.release().await;
        done?;
        let label = run.state.as_str();
        metrics::counter!("rosters_imports_total", "state" => label).increment(1);
        tracing::info!(state = label, errors = run.error_count, warnings = run.warning_count, "import ended");
        Ok(run)
    }

    async fn work(&self, command: &RunImport, run: &mut ImportRun, tell: &mpsc::Sender<Progress>) -> Result<(), ImportError> {
        let mut tx = self.pool.begin().await?;
        prepare(&mut tx).await?;
        stage::clear(&mut tx).await?;
        let mut staged = stage::load(&mut tx, command.source.clone(), Foresight::new(&self.roles_from), tell).await?;
        let guarded = self.check_and_apply(&mut tx, &mut staged, run, tell).await?;
        let findings = staged.findings;
        let verdict = Verdict { errors: findings.has_errors(), guarded, accept_changes: command.accept_changes, dry_run: command.dry_run };
        run.state = verdict.state();
        run.error_count = findings.error_count() as i64;
        run.warning_count = findings.warning_count() as i64;
        let findings = findings.into_sorted();
        if run.state == State::Applied {
            standing::refresh(&mut tx, &mut |done| {
                let _ = tell.try_send(Progress { phase: "publish", file: "", done, total: 0 });
            })
            .await?;
            stage::clear(&mut tx).await?;
            run.ended_at = Some(Utc::now());
            repo::end_run(&mut tx, run, &findings).await?;
            tx.commit().await?;
        } else {
            tx.rollback().await?;
            run.ended_at = Some(Utc::now());
            repo::end_run(&mut *self.pool.acquire().await?, run, &findings).await?;
        }
        Ok(())
    }

    /// Answers whether the delta guard would stop. Nothing is applied once an error is found.
    async fn check_and_apply(
        &self,
        conn: &mut PgConnection,
        staged: &mut Staged,
        run: &mut ImportRun,
        tell: &mpsc::Sender<Progress>,
    ) -> Result<bool, ImportError> {
        run.files = FileKind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, staged.rows.get(&kind)?)))
            .filter(|(kind, _)| staged.manifest.as_ref().is_some_and(|manifest| manifest.mode(*kind) != Mode::Absent))
            .map(|(kind, rows)| FileSummary { file: kind.file_name().to_owned(), rows: rows.rows as i64, ..FileSummary::default() })
            .collect();
        let Some(manifest) = staged.manifest.clone().filter(|_| staged.complete()) else { return Ok(false) };
        let _ = tell.try_send(Progress { phase: "check", file: "", done: 0, total: 0 });
        if !staged.clean && !check::duplicates(conn, &mut staged.findings).await? {
            return Ok(false);
        }
        resolve::resolve(conn, &manifest).await?;
        check::places(conn, &mut staged.findings).await?;
        if !staged.clean {
            // References are checked while people are what their roles say; then enrollments overrule the roles.
            check::people(conn, &self.roles_from, &mut staged.findings).await?;
            resolve::kinds_from_enrollments(conn).await?;
        }
        if staged.findings.has_errors() {
            return Ok(false);
        }
        let _ = tell.try_send(Progress { phase: "apply", file: "", done: 0, total: 0 });
        let held = sqlx::query_scalar!(r#"select exists (select from rosters.person) as "held!""#).fetch_one(&mut *conn).await?;
        let before = if held { guard::count(conn).await? } else { Vec::new() };
        let modes = Modes::new(&manifest, held, staged.schools_are_told);
        let counts = self.apply(conn, modes).await?;
        let skipped = if staged.clean { Vec::new() } else { skipped(conn).await? };
        summarise(&mut run.files, &counts, &skipped);
        if before.is_empty() || (manifest.mode(FileKind::Users) == Mode::Absent && manifest.mode(FileKind::Roles) == Mode::Absent) {
            return Ok(false);
        }
        guard::would_stop(conn, &before, &mut staged.findings).await
    }

    async fn apply(&self, conn: &mut PgConnection, modes: Modes<'_>) -> Result<Vec<(FileKind, Counts)>, ImportError> {
        let mut counts = vec![
            (FileKind::Orgs, apply::places::orgs(conn, modes).await?),
            (FileKind::AcademicSessions, apply::places::sessions(conn).await?),
            (FileKind::Courses, apply::places::courses(conn).await?),
            (FileKind::Classes, apply::places::classes(conn, modes).await?),
            (FileKind::Users, apply::people::people(conn, modes).await?),
        ];
        let schools = apply::people::school_enrolments(conn, modes).await?;
        let staff = apply::people::staff_roles(conn, modes, &self.roles_from, &self.roles_to).await?;
        let roles =
            Counts { added: schools.added + staff.added, changed: schools.changed + staff.changed, missing: schools.missing + staff.missing, skipped: 0 };
        counts.push((FileKind::Roles, roles));
        apply::people::guardians(conn, modes).await?;
        counts.push((FileKind::Enrollments, apply::members::members(conn, modes).await?));
        counts.push((FileKind::Demographics, apply::people::demographics(conn, modes).await?));
        Ok(counts)
    }
}

/// An import is bulk work: it has its own limits, and its joins are large. Plans are made anew for each statement, since the
/// tables that were empty when it was last planned may be full by now, and a nested loop would then never end.
async fn prepare(conn: &mut PgConnection) -> Result<(), ImportError> {
    let settings = [
        "statement_timeout = 0",
        "idle_in_transaction_session_timeout = 0",
        "work_mem = '96MB'",
        "jit = off",
        "plan_cache_mode = force_custom_plan",
        "enable_nestloop = off",
        // Enough to tell large from small, which is all that the plans here turn on.
        "default_statistics_target = 10",
    ];
    for setting in settings {
        sqlx::query(sqlx::AssertSqlSafe(format!("set local {setting}"))).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Rows that are left out, by file.
async fn skipped(conn: &mut PgConnection) -> Result<Vec<(String, i64)>, ImportError> {
    let rows = sqlx::query!(
        r#"select 'orgs.csv' as "file!", count(*) as "rows!" from rosters.stage_org where deleted
           union all select 'academicSessions.csv', count(*) from rosters.stage_session where deleted
           union all select 'courses.csv', count(*) from rosters.stage_course where deleted
           union all select 'classes.csv', count(*) from rosters.stage_class s join rosters.map_class m on m.source_id = s.source_id where not m.live
           union all select 'users.csv', count(*) from rosters.map_person where staged and (not live or kind = 'none')
           union all select 'roles.csv', count(*) from rosters.stage_role where deleted and not from_users
           union all
           select 'enrollments.csv', count(*) from rosters.stage_enrollment e
           left join rosters.map_class c on c.source_id = e.class_id and c.live
           left join rosters.map_person m on m.source_id = e.user_id and m.live
           where e.deleted or c.source_id is null or m.source_id is null
              or not ((m.kind = 'student' and e.role = 'student') or (m.kind = 'staff' and e.role in ('teacher', 'administrator', 'proctor', 'aide')))
           union all
           select 'demographics.csv', count(*) from rosters.stage_demographics d
           left join rosters.map_person m on m.source_id = d.source_id and m.live and m.kind <> 'none'
           where d.deleted or m.source_id is null"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.file, row.rows)).collect())
}

fn summarise(files: &mut [FileSummary], counts: &[(FileKind, Counts)], skipped: &[(String, i64)]) {
    for summary in files {
        if let Some((_, counts)) = counts.iter().find(|(kind, _)| kind.file_name() == summary.file) {
            (summary.added, summary.changed, summary.missing) = (counts.added, counts.changed, counts.missing);
        }
        summary.skipped = skipped.iter().find(|(file, _)| *file == summary.file).map_or(0, |(_, rows)| *rows);
        summary.unchanged = (summary.rows - summary.added - summary.changed - summary.skipped).max(0);
    }
}
