//! The private PostgreSQL on real binaries: what it promises, and what happens when something is in the way.
//!
//! Temporary folders are closed to all but their owner, so as root these tests also show that the server works below
//! folders that its own user may not enter.
#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use wraparound::private_postgres::{PrivatePostgres, PrivatePostgresOptions};

const CHILD_DATA_DIR: &str = "PRIVATE_POSTGRES_TEST_DATA_DIR";

fn start(data_dir: &Path) -> anyhow::Result<PrivatePostgres> {
    PrivatePostgres::start(PrivatePostgresOptions { data_dir: data_dir.to_path_buf(), throw_away: true })
}

async fn connect(postgres: &PrivatePostgres) -> PgConnection {
    PgConnection::connect(postgres.url("postgres").expose_secret()).await.unwrap()
}

async fn shown(connection: &mut PgConnection, setting: &str) -> String {
    sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(connection).await.unwrap()
}

async fn make_table(postgres: &PrivatePostgres) {
    let mut connection = connect(postgres).await;
    sqlx::query("create table kept as select 42 as answer").execute(&mut connection).await.unwrap();
}

async fn read_table(postgres: &PrivatePostgres) -> i32 {
    sqlx::query_scalar("select answer from kept").fetch_one(&mut connect(postgres).await).await.unwrap()
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("bash").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn data_and_address_outlive_stop_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut postgres = start(folder.path()).unwrap();
    let address = postgres.url("postgres").expose_secret().to_owned();
    make_table(&postgres).await;
    postgres.restart().unwrap();
    assert_eq!(read_table(&postgres).await, 42);
    let pid = postgres.pid().unwrap();
    postgres.stop().unwrap();
    assert!(postgres.pid().is_none() && !Path::new(&format!("/proc/{pid}")).exists());
    drop(postgres);

    let again = Instant::now();
    let postgres = start(folder.path()).unwrap();
    assert!(again.elapsed() < Duration::from_secs(5), "a second start takes {:?}", again.elapsed());
    assert_eq!(postgres.url("postgres").expose_secret(), address);
    assert_eq!(read_table(&postgres).await, 42);
}

#[tokio::test]
async fn it_is_closed_to_others_and_checks_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = start(folder.path()).unwrap();
    let mut connection = connect(&postgres).await;
    assert_eq!(shown(&mut connection, "listen_addresses").await, "127.0.0.1");
    assert_eq!(shown(&mut connection, "unix_socket_directories").await, "");
    assert_eq!(shown(&mut connection, "data_checksums").await, "on");
    assert_eq!(shown(&mut connection, "synchronous_commit").await, "on");
    let mode = fs::metadata(folder.path().join("password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let port = postgres.port().unwrap();
    for address in [format!("postgres://postgres@127.0.0.1:{port}/postgres"), format!("postgres://postgres:guess@127.0.0.1:{port}/postgres")] {
        PgConnection::connect(&address).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_database_that_matters_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let options = PrivatePostgresOptions { data_dir: folder.path().join("made").join("deep"), throw_away: false };
    let postgres = PrivatePostgres::start(options).unwrap();
    let mut connection = connect(&postgres).await;
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(shown(&mut connection, setting).await, "on", "{setting}");
    }
}

#[tokio::test]
async fn a_refused_row_leaves_no_trace_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = start(folder.path()).unwrap();
    let mut connection = connect(&postgres).await;
    for statement in ["create table person (name text unique)", "insert into person values ('Zaphira')", "insert into person values ('Zaphira')"] {
        let _ = sqlx::query(statement).execute(&mut connection).await;
    }
    let log = fs::read_to_string(postgres.log_file()).unwrap();
    assert!(log.contains("ready to accept connections"), "{log}");
    assert!(!log.contains("Zaphira"), "{log}");
}

#[tokio::test]
async fn a_killed_server_recovers_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = start(folder.path()).unwrap();
    make_table(&postgres).await;
    signal(postgres.pid().unwrap(), "KILL");
    drop(postgres);
    let postgres = start(folder.path()).unwrap();
    assert_eq!(read_table(&postgres).await, 42);
}

#[test]
fn one_folder_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let _first = start(folder.path()).unwrap();
    let message = start(folder.path()).unwrap_err().to_string();
    assert!(message.contains("in use by another running wraparound"), "{message}");
}

#[tokio::test]
async fn the_thread_that_started_it_may_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let postgres = std::thread::spawn(move || start(&path).unwrap()).join().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    make_table(&postgres).await;
}

#[tokio::test]
async fn leftovers_are_no_hindrance() {
    let folder = tempfile::tempdir().unwrap();
    // A crash in the middle of initdb.
    fs::create_dir(folder.path().join("cluster.new")).unwrap();
    fs::write(folder.path().join("cluster.new").join("PG_VERSION"), "15\n").unwrap();
    let postgres = start(folder.path()).unwrap();
    make_table(&postgres).await;
    let port = postgres.port().unwrap();
    drop(postgres);

    // A lock file whose process number is another program's by now, and a port that is taken.
    let stale = format!("{}\n/proc/self/fd/3\n1\n{port}\n\n127.0.0.1\n 1 1\nready   \n", std::process::id());
    fs::write(folder.path().join("cluster").join("postmaster.pid"), stale).unwrap();
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let postgres = start(folder.path()).unwrap();
    assert_ne!(postgres.port(), Some(port));
    assert_eq!(read_table(&postgres).await, 42);
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let message = format!("{:#}", start(&file).unwrap_err());
    assert!(message.contains("cannot make the data folder"), "{message}");

    let other = folder.path().join("other");
    drop(start(&other).unwrap());
    let version = fs::read(other.join("cluster").join("PG_VERSION")).unwrap();
    fs::write(other.join("cluster").join("PG_VERSION"), "9\n").unwrap();
    let message = format!("{:#}", start(&other).unwrap_err());
    assert!(message.contains("was made by PostgreSQL 9, which is not installed"), "{message}");

    fs::write(other.join("cluster").join("PG_VERSION"), version).unwrap();
    fs::remove_file(other.join("password")).unwrap();
    let message = format!("{:#}", start(&other).unwrap_err());
    assert!(message.contains("put the file back"), "{message}");
}

/// Not a test of its own: the process that the next test kills.
#[test]
fn child_of_the_kill_test() {
    let Some(folder) = std::env::var_os(CHILD_DATA_DIR) else {
        return;
    };
    let _postgres = start(&PathBuf::from(folder)).unwrap();
    loop {
        std::thread::park();
    }
}

#[tokio::test]
async fn it_stops_with_its_killed_parent_and_the_next_start_waits_for_that() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = start_in_child(folder.path());
    let lock = folder.path().join("cluster").join("postmaster.pid");
    let pid = await_ready(&lock);
    parent.kill().unwrap();
    parent.wait().unwrap();
    let postgres = start(folder.path()).unwrap();
    assert_ne!(postgres.pid(), Some(pid));
    // Nobody may have collected it yet, but it works nowhere any more.
    assert!(fs::read_link(format!("/proc/{pid}/cwd")).is_err());
    make_table(&postgres).await;
    let log = fs::read_to_string(postgres.log_file()).unwrap();
    assert!(log.contains("received fast shutdown request"), "{log}");
    assert!(!log.contains("not properly shut down"), "{log}");
}

fn start_in_child(data_dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_of_the_kill_test", "--nocapture"])
        .env(CHILD_DATA_DIR, data_dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn await_ready(lock: &Path) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let text = fs::read_to_string(lock).unwrap_or_default();
        if text.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
            return text.lines().next().unwrap().trim().parse().unwrap();
        }
        assert!(Instant::now() < deadline, "the child did not start its server");
        std::thread::sleep(Duration::from_millis(20));
    }
}
