//! Loads a package into the staging tables while it is being read.

use std::collections::HashMap;
use std::path::PathBuf;

use sqlx::PgConnection;
use tokio::sync::mpsc;

use super::copy::{CopySink, PIECES_AHEAD, Piece, stage_table};
use super::entity::Progress;
use super::error::ImportError;
use super::foresight::Foresight;
use crate::oneroster::{FileKind, FileRows, Findings, Limits, Manifest, Mode, Package, Stopped};

/// A package to read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The zip on this machine's disk.
    pub path: PathBuf,
    /// Its name as the caller knows it.
    pub name: String,
    /// Sizes that are refused.
    pub limits: Limits,
}

/// What was read.
#[derive(Debug)]
pub struct Staged {
    /// What was found so far.
    pub findings: Findings,
    /// None where the package could not be opened.
    pub manifest: Option<Manifest>,
    /// Rows by file.
    pub rows: HashMap<FileKind, FileRows>,
    /// Whether duplicates and faults between people and enrollments are ruled out.
    pub clean: bool,
    /// Whether roles name every school at which a student has classes.
    pub schools_are_told: bool,
}

impl Staged {
    /// Whether every file was read to its end, so that references can be judged.
    pub fn complete(&self) -> bool {
        self.manifest.is_some() && self.rows.values().all(|file| file.complete)
    }
}

/// Reads and loads. The staging tables are empty before.
pub async fn load(conn: &mut PgConnection, source: Source, foresight: Foresight, tell: &mpsc::Sender<Progress>) -> Result<Staged, ImportError> {
    let (sender, mut pieces) = mpsc::channel(PIECES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || read(&source, sender, foresight));
    while let Some(piece) = pieces.recv().await {
        if let Piece::Begin(kind, statement) = piece {
            load_file(conn, kind, &statement, &mut pieces, tell).await?;
        }
    }
    let staged = reader.await.map_err(|_| ImportError::Reader)?.map_err(|Stopped| ImportError::Reader)?;
    for (kind, file) in &staged.rows {
        // The planner must know which tables are large; small ones it reads right anyway.
        if file.rows > 1_000 {
            sqlx::query(sqlx::AssertSqlSafe(format!("analyze {}", stage_table(*kind)))).execute(&mut *conn).await?;
        }
    }
    Ok(staged)
}

async fn load_file(
    conn: &mut PgConnection,
    kind: FileKind,
    statement: &str,
    pieces: &mut mpsc::Receiver<Piece>,
    tell: &mpsc::Sender<Progress>,
) -> Result<(), ImportError> {
    let mut copy = conn.copy_in_raw(statement).await?;
    while let Some(Piece::Data(data, done)) = pieces.recv().await {
        copy.send(data).await?;
        // A listener that is slow or gone does not hold the import up.
        let _ = tell.try_send(Progress { phase: "validate", file: kind.file_name(), done, total: 0 });
    }
    copy.finish().await?;
    Ok(())
}

fn read(source: &Source, pieces: mpsc::Sender<Piece>, foresight: Foresight) -> Result<Staged, Stopped> {
    let mut findings = Findings::default();
    let mut rows = HashMap::new();
    let mut sink = CopySink::new(pieces, foresight);
    let Some(mut package) = Package::open(&source.path, &source.name, source.limits, &mut findings) else {
        return Ok(Staged { findings, manifest: None, rows, clean: false, schools_are_told: false });
    };
    for kind in FileKind::ALL {
        rows.insert(kind, package.read(kind, &mut findings, &mut sink)?);
    }
    // Only a package that is whole in itself can be judged by itself.
    let manifest = package.manifest().clone();
    let whole = [FileKind::Orgs, FileKind::Classes, FileKind::Users].into_iter().all(|kind| manifest.mode(kind) == Mode::Bulk);
    let clean = whole && sink.foresight().is_clean();
    let schools_are_told = whole && sink.foresight().schools_are_told();
    Ok(Staged { findings, manifest: Some(manifest), rows, clean, schools_are_told })
}

/// Empties the staging tables, whatever an earlier process left in them.
pub async fn clear(conn: &mut PgConnection) -> Result<(), ImportError> {
    sqlx::query!(
        "truncate rosters.stage_org, rosters.stage_session, rosters.stage_course, rosters.stage_class, rosters.stage_user,
                  rosters.stage_role, rosters.stage_enrollment, rosters.stage_demographics, rosters.map_org,
                  rosters.map_class, rosters.map_person, rosters.wanted_enrolment,
                  rosters.wanted_guardian"
    )
    .execute(conn)
    .await?;
    Ok(())
}
