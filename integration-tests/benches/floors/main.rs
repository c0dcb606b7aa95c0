//! Ours against the floor of this machine, in the same run: `make bench`.
//!
//! One district of the release binary with a private, durable PostgreSQL; the floors use the same server. Prints one
//! table of `name, ours, floor, ratio`. Figures of one run are in `docs/PERFORMANCE.md`.
#![expect(clippy::unwrap_used, reason = "a bench that cannot measure ends")]

mod autosave;
mod echo;
mod ground;
mod import;
mod read;
mod season;
mod start;
mod visible;

use std::time::Duration;

use ground::Ground;

/// A line of the table.
pub struct Row {
    name: &'static str,
    ours: String,
    floor: String,
    ratio: f64,
    aim: &'static str,
    aside: String,
}

/// The 50th and 99th percentile.
pub fn percentiles(mut samples: Vec<Duration>) -> (Duration, Duration) {
    samples.sort_unstable();
    let at = |share: usize| samples.get((samples.len().saturating_sub(1)) * share / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

fn main() {
    // `cargo test --benches` and the like ask for a list; there is none to give.
    if std::env::args().any(|a| a == "--list" || a == "--test") {
        return;
    }
    let students: u64 = std::env::var("BENCH_STUDENTS").ok().and_then(|v| v.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // `make bench ARGS="-- start"` for the short one alone.
    let start_alone = std::env::args().any(|a| a == "start");
    let rows = runtime.block_on(async {
        let mut rows = Vec::new();
        if start_alone {
            rows.extend(start::measure().await);
            return rows;
        }
        let ground = Ground::start().await;
        rows.push(import::measure(&ground, students).await);
        let class = autosave::review(&ground).await;
        let (row, inserts) = autosave::measure(&ground, &class).await;
        rows.push(row);
        let (row, reviewed) = season::measure(&ground, inserts).await;
        rows.push(row);
        rows.push(read::measure(&ground, &reviewed).await);
        rows.push(visible::measure(&ground, &class).await);
        ground.stop().await;
        rows.extend(start::measure().await);
        rows
    });
    println!("\n{:<10} {:>24} {:>24} {:>8}  {:<22} aside", "name", "ours", "floor", "ratio", "aim");
    for row in rows {
        println!("{:<10} {:>24} {:>24} {:>8.2}  {:<22} {}", row.name, row.ours, row.floor, row.ratio, row.aim, row.aside);
    }
}
