//! What the measurements stand on: a durable PostgreSQL, a district of the release binary on it, and its callers.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use integration_tests::clients::Clients;
use integration_tests::district::{District, DistrictOptions, binary};
use integration_tests::tokens::Claims;
use proto::rosters::v1::{Class, ListClassesRequest, ListSchoolsRequest};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use wraparound::private_postgres::{PrivatePostgres, PrivatePostgresOptions};

/// The ground.
pub struct Ground {
    pub district: District,
    database: String,
    postgres: PrivatePostgres,
    folder: TempDir,
}

impl Ground {
    /// Starts both. The server keeps fsync on: durable inserts are what the floors are about.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("postgres");
        let postgres =
            tokio::task::spawn_blocking(move || PrivatePostgres::start(PrivatePostgresOptions { data_dir, throw_away: false })).await.unwrap().unwrap();
        let mut admin = PgConnection::connect(postgres.url("postgres").expose_secret()).await.unwrap();
        sqlx::query("create database bench").execute(&mut admin).await.unwrap();
        let database = postgres.url("bench").expose_secret().to_owned();
        let district = District::start(DistrictOptions { database: Some(database.clone()), log: Some("warn".to_owned()), ..DistrictOptions::default() }).await;
        Self { district, database, postgres, folder }
    }

    /// Address of the database, as superuser.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// A folder for files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The release command.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments);
        command
    }

    /// A token for a role, at schools or the whole district.
    pub fn token(&self, role: &str, schools: &[&str]) -> String {
        let claims = Claims::role(role);
        self.district.tokens().mint(&if schools.is_empty() { claims } else { claims.at(schools) })
    }

    /// The most memory that the district's process has held, in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.district.pid())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// The homeroom with the most students in the first school that has one.
    pub async fn largest_homeroom(&self) -> Class {
        let mut anybody: Clients = self.district.clients_with(&self.token("program_manager", &[]));
        let schools = anybody.rosters.list_schools(ListSchoolsRequest { page_size: 5, ..ListSchoolsRequest::default() }).await.unwrap().into_inner().schools;
        let mut classes = Vec::new();
        for school in schools {
            let request = ListClassesRequest { school_id: school.school_id, review_units_only: true, page_size: 500, page_token: String::new() };
            classes.extend(anybody.rosters.list_classes(request).await.unwrap().into_inner().classes);
        }
        classes.into_iter().max_by_key(|c| c.student_count).unwrap()
    }

    /// Waits until every outbox is empty and every consumer has read its topics to the end; answers how long that took.
    pub async fn settle(&self) -> Duration {
        let began = Instant::now();
        let mut connection = PgConnection::connect(&self.database).await.unwrap();
        for schema in ["rosters", "reviews", "plans", "partners", "reporting"] {
            loop {
                let waiting: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                    "select exists (select 1 from {schema}.outbox) or exists (
                         select 1 from {schema}.consumer_position p join event_log.topic t on t.name = p.topic where p.next_offset < t.next_offset)"
                )))
                .fetch_one(&mut connection)
                .await
                .unwrap();
                if !waiting {
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(900), "{schema} does not come to rest");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        began.elapsed()
    }

    /// Ends both.
    pub async fn stop(mut self) {
        self.district.stop().await;
        tokio::task::spawn_blocking(move || self.postgres.stop()).await.unwrap().unwrap();
    }
}
