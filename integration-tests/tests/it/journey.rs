//! The `wraparound` command as a person uses it: story, generate, import, and up a second time.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use integration_tests::district::{District, DistrictOptions, binary};
use integration_tests::postgres::fresh_database;
use integration_tests::scratch;
use integration_tests::tokens::Claims;
use proto::rosters::v1::ListImportRunsRequest;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::house::{roster, schools};
use crate::rules::root;

/// Runs `wraparound` with these arguments, away from the machine's own settings.
pub async fn wraparound(arguments: &[&str], database: Option<&str>) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).env_remove("WRAPAROUND_DATA_DIR").env_remove("WRAPAROUND_KAFKA").env_remove("WRAPAROUND_DATABASE_URL");
    if let Some(database) = database {
        command.env("WRAPAROUND_DATABASE_URL", database);
    }
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

pub fn told(output: &Output) -> String {
    format!("{:?}\n{}\n{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Rosters of other products, where this machine has them beside the repository.
fn foreign_rosters() -> Option<PathBuf> {
    let folder = root().parent()?.join("shared/data/oneroster");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there are no rosters of other products at ../shared/data/oneroster");
    None
}

async fn story(arguments: &[&str]) -> Value {
    let database = fresh_database("story").await.unwrap();
    let arguments = [&["story", "--format", "json"], arguments].concat();
    let output = wraparound(&arguments, Some(&database)).await;
    assert!(output.status.success(), "{}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&output)))
}

/// Every id of one need's chain, down to the report.
pub fn has_a_whole_chain(told: &Value) {
    let text = told.to_string();
    for link in ["need_id", "plan_item_id", "referral_id"] {
        assert!(text.contains(link), "the story tells of no {link}: {told:#}");
    }
}

#[tokio::test]
async fn the_story_runs_to_its_end() {
    has_a_whole_chain(&story(&[]).await);
}

#[tokio::test]
async fn the_story_runs_on_a_roster_of_another_product() {
    let Some(folder) = foreign_rosters() else { return };
    let zip = folder.join("moodle-enrol/zips/Test_full_data_set.zip");
    has_a_whole_chain(&story(&["--roster", zip.to_str().unwrap()]).await);
}

#[tokio::test]
async fn a_whole_school_year_runs_to_its_end() {
    let told = story(&["--year"]).await;
    assert_eq!(told["complete"], true, "{told:#}");
    let steps = told["steps"].as_array().unwrap();
    let parts: Vec<&str> = steps.iter().filter_map(|step| step["part"].as_str()).collect();
    let mut in_order = parts.clone();
    in_order.dedup();
    let year = [
        "before school",
        "fall review",
        "concern and individual review",
        "plan",
        "services and doses",
        "follow-ups",
        "spring re-tiering",
        "hand-over",
        "September list",
    ];
    assert_eq!(in_order, year, "{told:#}");
    assert!(steps.iter().all(|step| step["ids"].as_array().is_some_and(|ids| !ids.is_empty())), "every step tells its ids: {told:#}");
    // Each link of the chain is told with a state that only its service could give it.
    let text = told.to_string();
    for state in [
        "CLASS_REVIEW_STATE_SCHEDULED",
        "CLASS_REVIEW_STATE_PAUSED",
        "CLASS_REVIEW_STATE_COMPLETE",
        "TRIAGE_DECISION_INDIVIDUAL_REVIEW",
        "INDIVIDUAL_REVIEW_STATE_DECIDED",
        "ACA-MAT (superseded)",
        "SEB-GRF confirmed",
        "PLAN_STATE_ACTIVE",
        "FAMILY_RESPONSE_AGREED",
        "ENROLMENT_STATE_COMPLETED",
        "no_show due",
        "GOAL_STATE_MET",
        "TRANSITION_STATE_ACCEPTED",
        "contacted on",
    ] {
        assert!(text.contains(state), "the year tells of no {state}: {told:#}");
    }
}

/// Rows that tell of people, schools and classes, as a measure of what was applied.
async fn rows(url: &str) -> i64 {
    let own = "n.nspname = 'rosters' and c.relname not like 'import%' and c.relname not like 'relationship%' and c.relname not like 'consumer%'
               and c.relname not in ('idempotency', 'inbox', 'outbox', 'dead_letter', 'sign_in_key', '_sqlx_migrations') and c.relname not like 'access_log%'";
    count(url, own).await
}

/// Events, sent or about to be. A district that was never told of anything has none.
async fn events(url: &str) -> i64 {
    count(url, "n.nspname in ('rosters', 'event_log') and c.relname in ('outbox', 'record')").await
}

async fn count(url: &str, tables: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let find = format!(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and {tables}"
    );
    let tables: Vec<String> = sqlx::query_scalar(AssertSqlSafe(find)).fetch_all(&mut connection).await.unwrap();
    assert!(tables.len() > 1, "{tables:?}");
    let mut rows = 0;
    for table in tables {
        rows += sqlx::query_scalar::<_, i64>(AssertSqlSafe(format!("select count(*) from {table}"))).fetch_one(&mut connection).await.unwrap();
    }
    rows
}

/// Folders below with a manifest or orgs, each a package of some product.
fn packages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    if entries.iter().any(|path| path.extension().is_some_and(|extension| extension == "csv")) {
        found.push(folder.to_path_buf());
    }
    for path in entries {
        if path.is_dir() {
            found.extend(packages(&path));
        } else if path.extension().is_some_and(|extension| extension == "zip") {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn rosters_of_other_products_are_applied_whole_or_refused_with_remedies() {
    let Some(folder) = foreign_rosters() else { return };
    let mut verdicts = Vec::new();
    for package in packages(&folder) {
        // Each into an empty district: one process, a schema that is emptied between them, would hide what is left over.
        let district = District::start(DistrictOptions::default()).await;
        let before = rows(district.database()).await;
        let data_dir = district.data_dir();
        let arguments = ["import", "oneroster", "--format", "json", "--data-dir", data_dir.to_str().unwrap(), package.to_str().unwrap()];
        // The data folder's own ready file says where the district is.
        let output = wraparound(&arguments, None).await;
        let name = package.strip_prefix(&folder).unwrap().display().to_string();
        let after = rows(district.database()).await;
        let refused = match output.status.code() {
            Some(0) => {
                let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {}", told(&output)));
                let added: i64 = result["files"].as_array().unwrap().iter().filter_map(|file| file["added"].as_i64()).sum();
                assert!((after > before) == (added > 0), "{name} is said to add {added} rows, and there are {before} before and {after} after");
                false
            }
            Some(1) => {
                assert_eq!(after, before, "{name} was refused and left something: {}", told(&output));
                assert_eq!(events(district.database()).await, 0, "{name} was refused and the others were told: {}", told(&output));
                let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {}", told(&output)));
                let errors: Vec<&Value> = result["issues"].as_array().unwrap().iter().filter(|issue| issue["severity"] == "error").collect();
                assert!(!errors.is_empty(), "{name} was refused without a finding: {}", told(&output));
                for error in errors {
                    let says = |field: &str| error[field].as_str().is_some_and(|text| !text.is_empty());
                    assert!(says("file") && says("rule") && says("hint") && error["line"].is_number(), "{name}: {error}");
                }
                true
            }
            _ => panic!("{name}: {}", told(&output)),
        };
        verdicts.push((name, refused));
    }
    println!("{verdicts:#?}");
    assert!(verdicts.iter().any(|(_, refused)| !refused), "at least one is applied: {verdicts:?}");
}

#[tokio::test]
async fn the_same_seed_makes_the_same_district() {
    let folder = scratch::folder("generate").unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, seed) in [("one.zip", "7"), ("two.zip", "7"), ("other.zip", "8")] {
        let output = wraparound(&["generate", "--schools", "2", "--students", "300", "--seed", seed, "--out", &path(name)], None).await;
        assert!(output.status.success(), "{}", told(&output));
    }
    let bytes = |name: &str| fs::read(path(name)).unwrap();
    assert!(bytes("one.zip") == bytes("two.zip"), "the same seed gives the same bytes");
    assert!(bytes("one.zip") != bytes("other.zip"), "another seed gives another district");
    let wrong = wraparound(&["generate", "--schools", "5", "--students", "3", "--out", &path("none.zip")], None).await;
    assert!(!wrong.status.success() && !folder.path().join("none.zip").exists(), "{}", told(&wrong));
}

/// A zip with one wrong row.
fn broken_roster() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let files = [
        (
            "manifest.csv",
            "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.orgs,bulk\nfile.academicSessions,absent\nfile.categories,absent\nfile.classes,absent\nfile.classResources,absent\nfile.courses,absent\nfile.courseResources,absent\nfile.demographics,absent\nfile.enrollments,absent\nfile.lineItems,absent\nfile.resources,absent\nfile.results,absent\nfile.users,absent\n",
        ),
        ("orgs.csv", "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\nd1,,,District,district,,\ns1,,,School,skool,,d1\n"),
    ];
    for (name, text) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn import_looks_first_then_applies_and_says_how_it_went() {
    let district = District::start(DistrictOptions::default()).await;
    let folder = scratch::folder("import").unwrap();
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let (good, bad) = (write("good.zip", roster(1, 60, 3)), write("bad.zip", broken_roster()));
    let data_dir = district.data_dir().display().to_string();
    let import = |path: &str, more: &[&str]| {
        let arguments: Vec<String> = ["import", "oneroster", "--data-dir", &data_dir, path].iter().chain(more).map(|word| (*word).to_owned()).collect();
        async move { wraparound(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), None).await }
    };
    let manager = district.clients(&Claims::role("program_manager"));

    let looked = import(&good, &["--dry-run"]).await;
    assert_eq!(looked.status.code(), Some(0), "{}", told(&looked));
    assert!(schools(&manager).await.is_empty(), "a dry run writes nothing");
    let refused = import(&bad, &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    let said = told(&refused);
    assert!(said.contains("orgs.csv:3") && said.contains("skool"), "{said}");
    assert!(schools(&manager).await.is_empty(), "what is refused writes nothing");
    let applied = import(&good, &[]).await;
    assert_eq!(applied.status.code(), Some(0), "{}", told(&applied));
    let there = schools(&manager).await;
    assert_eq!(there.len(), 1);
    // A second time everything is as it was.
    let before = rows(district.database()).await;
    let again = import(&good, &["--format", "json"]).await;
    let again: Value = serde_json::from_slice(&again.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&again)));
    for file in again["files"].as_array().unwrap() {
        let changes: i64 = ["added", "changed", "missing"].iter().filter_map(|what| file[what].as_i64()).sum();
        assert_eq!(changes, 0, "{file}");
    }
    assert_eq!(rows(district.database()).await, before);
    let mut clerk = district.clients(&Claims::role("data_clerk"));
    let runs = clerk.imports.list_import_runs(ListImportRunsRequest::default()).await.unwrap().into_inner().runs;
    assert_eq!(runs.len(), 4, "{runs:?}");

    let missing = import("no-such-file.zip", &[]).await;
    assert!(missing.status.code() == Some(1) && told(&missing).contains("no-such-file.zip"), "{}", told(&missing));
    let wrong = wraparound(&["import", "oneroster"], None).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", told(&wrong));
}

#[tokio::test]
async fn the_second_start_is_quick_and_finds_the_data() {
    let mut district = District::start(DistrictOptions { private_database: true, ..DistrictOptions::default() }).await;
    district.clients(&Claims::role("data_clerk")).import_all(roster(1, 60, 3)).await;
    let before = schools(&district.clients(&Claims::role("program_manager"))).await;
    let ended = district.stop().await;
    assert_eq!(ended.code(), Some(0), "a stop ends cleanly: {}", district.log());
    let began = Instant::now();
    district.restart().await;
    assert!(began.elapsed().as_secs() < 30, "the second start took {:?}", began.elapsed());
    assert_eq!(schools(&district.clients(&Claims::role("program_manager"))).await, before);
    // Also after a power cut.
    district.kill9();
    district.restart().await;
    assert_eq!(schools(&district.clients(&Claims::role("program_manager"))).await, before);
}
