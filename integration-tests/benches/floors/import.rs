//! The import of a large district by the command, against raw COPY of the same rows into plain tables.

use std::io::Read as _;
use std::time::Instant;

use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{Connection as _, PgConnection};

use crate::Row;
use crate::ground::Ground;

/// Generates, imports, copies; answers the times and the district's peak memory.
pub async fn measure(ground: &Ground, students: u64) -> Row {
    let zip = ground.folder().join("district.zip");
    let schools = (students / 500).clamp(1, 1000);
    let made = ground
        .command(&["generate", "--schools", &schools.to_string(), "--students", &students.to_string(), "--seed", "7", "--out", zip.to_str().unwrap()])
        .status()
        .unwrap();
    assert!(made.success(), "the district cannot be generated");

    let (floor, rows) = floor(ground, &zip).await;
    let token = ground.folder().join("token");
    std::fs::write(&token, ground.token("data_clerk", &[])).unwrap();
    let mut import =
        ground.command(&["import", "oneroster", zip.to_str().unwrap(), "--address", &ground.district.ready().rosters, "--token-file", token.to_str().unwrap()]);
    import.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let began = Instant::now();
    assert!(tokio::task::spawn_blocking(move || import.status()).await.unwrap().unwrap().success(), "the district is not imported");
    let ours = began.elapsed();
    let memory = ground.peak_memory_mib();
    let settled = ground.settle().await;
    Row {
        name: "import",
        ours: format!("{:.1} s", ours.as_secs_f64()),
        floor: format!("{:.1} s", floor.as_secs_f64()),
        ratio: ours.as_secs_f64() / floor.as_secs_f64(),
        aim: "at most 3; < 300 MiB",
        aside: format!("{students} students, {rows} rows, whole district at most {memory} MiB, events read everywhere {:.0} s later", settled.as_secs_f64()),
    }
}

/// Reads each file of the zip and copies its rows as they are, as text columns, one file after the other.
async fn floor(ground: &Ground, zip: &std::path::Path) -> (std::time::Duration, u64) {
    let pool = sqlx::PgPool::connect(ground.database()).await.unwrap();
    let mut connection = PgConnection::connect(ground.database()).await.unwrap();
    sqlx::raw_sql("drop schema if exists bench_copy cascade; create schema bench_copy").execute(&mut connection).await.unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|n| n.unwrap().into_owned()).filter(|n| n.ends_with(".csv") && !n.contains("manifest")).collect();
    let mut rows = 0;
    let began = Instant::now();
    for name in names {
        let mut file = archive.by_name(&name).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while file.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let columns: Vec<String> = head.trim().split(',').map(|c| format!("\"{}\" text", c.trim_matches('"'))).collect();
        let table = format!("bench_copy.\"{}\"", name.trim_end_matches(".csv"));
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create table {table} ({})", columns.join(", ")))).execute(&mut connection).await.unwrap();
        let mut copy = pool.copy_in_raw(&format!("copy {table} from stdin with (format csv)")).await.unwrap();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            copy.send(&buffer[..read]).await.unwrap();
        }
        rows += copy.finish().await.unwrap();
    }
    let took = began.elapsed();
    sqlx::raw_sql("drop schema bench_copy cascade").execute(&mut connection).await.unwrap();
    (took, rows)
}
