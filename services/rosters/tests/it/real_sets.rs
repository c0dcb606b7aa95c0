//! Sets that others wrote. They are not part of this repository; where they are absent these tests say so and pass.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chassis_pg::testing::database;
use rosters::MIGRATIONS;
use rosters::import::entity::State;

use crate::package::{command, import_as, number};

fn real(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/oneroster").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: the real sets are not at hand");
    None
}

fn zip_folder(folder: &Path) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        zip.start_file(entry.file_name().to_str().unwrap(), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&std::fs::read(entry.path()).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    file
}

#[tokio::test]
async fn the_full_moodle_set_is_imported() {
    let Some(path) = real("moodle-enrol/zips/Test_full_data_set.zip") else { return };
    let pool = database(&MIGRATIONS).await;
    let (run, issues) = import_as(&pool, command(&path)).await;
    let rules: Vec<_> = issues.iter().map(|issue| issue.rule.as_str()).collect();
    assert_eq!(run.state, State::Applied, "{issues:?}");
    for rule in ["class.school_type", "enumeration.case", "reference.dropped", "reference.deleted", "enrollment.role_differs", "status.inactive"] {
        assert!(rules.contains(&rule), "{rule} is not in {rules:?}");
    }
    assert_eq!(number(&pool, "select count(*) from rosters.class_section").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.class_member where role = 'student'").await, 2);
    assert_eq!(number(&pool, "select count(*) from rosters.class_member where role = 'teacher'").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.org where is_school").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.student_state where cardinality(school_ids) = 1").await, 4);
    // Again, and nothing changes.
    let (again, _) = import_as(&pool, command(&path)).await;
    assert!(again.files.iter().all(|file| file.added + file.changed + file.missing == 0), "{:?}", again.files);
}

#[tokio::test]
async fn the_other_sets_run_or_are_refused_with_reasons() {
    let Some(minimal) = real("moodle-enrol/zips/Test_minimal_data_set.zip") else { return };
    let pool = database(&MIGRATIONS).await;
    let (run, issues) = import_as(&pool, command(&minimal)).await;
    assert_eq!(run.state, State::Applied, "{issues:?}");
    let folders = [
        ("oat-v1p1", State::Applied),
        ("nicelion-mocker/oneroster-example-csv", State::Applied),
        ("nicelion-mocker/outputs", State::Refused),
        ("ms-sds/SDS v2.1", State::Refused),
        ("ms-sds/SDS Format/25 Users", State::Refused),
        ("bergerb-planets", State::Refused),
    ];
    for (folder, state) in folders {
        let pool = database(&MIGRATIONS).await;
        let zip = zip_folder(&real(folder).unwrap());
        let (run, issues) = import_as(&pool, command(zip.path())).await;
        assert_eq!(run.state, state, "{folder}: {issues:?}");
        assert!(issues.iter().all(|issue| !issue.hint.is_empty()), "{folder}");
        if state == State::Refused {
            assert_eq!(number(&pool, "select count(*) from rosters.org").await, 0);
        }
    }
}

/// Times the import of the zip that `ROSTERS_BENCH_ZIP` names.
#[tokio::test]
async fn time_a_large_import() {
    let Some(path) = std::env::var_os("ROSTERS_BENCH_ZIP") else { return };
    let pool = database(&MIGRATIONS).await;
    for round in 0..2 {
        let begun = std::time::Instant::now();
        let (run, issues) = import_as(&pool, command(Path::new(&path))).await;
        eprintln!("round {round}: {:?} in {:?}, {issues:?}", run.state, begun.elapsed());
        for file in run.files {
            eprintln!("  {file:?}");
        }
    }
}
