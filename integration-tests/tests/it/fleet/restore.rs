//! The restore drill: every database from its dump into an empty place, the read models from the event log, equal reports.

use std::process::Command;

use integration_tests::databases::Databases;
use integration_tests::fleet::{Fleet, SERVICES, file};
use integration_tests::patience::eventually;
use integration_tests::scratch;
use sqlx::{Connection as _, PgConnection};
use wraparound::district::database::SCHEMAS;

use super::seen;
use crate::faults::writers::World;

/// Backs up, goes on, loses everything but the log, restores, replays: the reports are those of the backup, and life goes on.
pub async fn gives_equal_reports(mut fleet: Fleet) {
    let before = settled(&fleet).await;
    let folder = scratch::folder("backup").unwrap();
    let backups = folder.path().display().to_string();
    run("backup.sh", &fleet, &[("BACKUP_DIR", &backups), ("KEEP", "2")]);
    let backed_up_at = chrono::Utc::now().to_rfc3339();

    // What comes after the backup is lost with the databases; the log still tells of it.
    World::prepare(&fleet).await;
    assert_ne!(settled(&fleet).await, before, "what was done since changes the reports");
    for service in SERVICES {
        fleet.stop(service).await;
    }
    let empty = Databases::apart().await;
    fleet.move_to(empty);
    run("restore.sh", &fleet, &[("BACKUP_DIR", &backups), ("BACKUP", "latest"), ("OVERWRITE", "no")]);
    for service in SCHEMAS {
        fleet.migrate(service).await;
        let output = fleet.verb(service, &["after-restore", "--log", "kept", "--all-set-back-to", &backed_up_at]).await;
        assert!(output.status.success(), "{service}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let set_back_at = chrono::Utc::now().to_rfc3339();
    for service in SERVICES {
        fleet.launch(service).await;
    }
    assert_eq!(settled(&fleet).await, before, "the restored district reports what it reported at the backup");

    // A read model may be made anew from the log alone.
    fleet.stop("reporting").await;
    let mut connection = PgConnection::connect(fleet.databases().admin("reporting")).await.unwrap();
    sqlx::raw_sql("drop schema reporting cascade; create schema reporting").execute(&mut connection).await.unwrap();
    let role: String = sqlx::query_scalar("select quote_ident(current_database() || '_own')").fetch_one(&mut connection).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("alter schema reporting owner to {role}"))).execute(&mut connection).await.unwrap();
    fleet.migrate("reporting").await;
    let window = ["--all-set-back-to", &backed_up_at, "--set-back-at", &set_back_at];
    let output = fleet.verb("reporting", &[&["after-restore", "--log", "kept"], &window[..]].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fleet.launch("reporting").await;
    let replayed = eventually("the replayed reports are those of the backup", || async {
        let told = seen::reports(&fleet).await;
        (told == before).then_some(told)
    })
    .await;
    assert_eq!(replayed, before);
    World::prepare(&fleet).await;
    assert_ne!(settled(&fleet).await, before, "what is done after a restore is reported");
}

/// The reports once nothing waits to be published and nothing more changes.
async fn settled(fleet: &Fleet) -> std::collections::BTreeMap<String, String> {
    let mut last = seen::reports(fleet).await;
    let mut same = 0;
    while same < 5 {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        let now = seen::reports(fleet).await;
        same = if now == last && waiting(fleet).await == 0 { same + 1 } else { 0 };
        last = now;
    }
    last
}

async fn waiting(fleet: &Fleet) -> i64 {
    let mut all = 0;
    for service in SCHEMAS {
        let mut connection = PgConnection::connect(fleet.databases().admin(service)).await.unwrap();
        let rows = format!("select (select count(*) from {service}.outbox) + (select count(*) from {service}.dead_letter)");
        all += sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(rows)).fetch_one(&mut connection).await.unwrap();
    }
    all
}

/// Runs a script of the chart as its job does, with each service's own role.
fn run(script: &str, fleet: &Fleet, variables: &[(&str, &str)]) {
    let mut command = Command::new("bash");
    command.arg(file("charts/wraparound/files").join(script)).env("SERVICES", SCHEMAS.join(" "));
    for service in SCHEMAS {
        command.env(format!("{}_DATABASE_URL", service.to_uppercase()), fleet.databases().own(service).unwrap());
    }
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}: {}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
