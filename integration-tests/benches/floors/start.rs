//! How soon a service is ready and what it takes while nothing happens: each as a process of its own, on a migrated schema.

use std::time::{Duration, Instant};

use integration_tests::fleet::{Fleet, FleetOptions, SERVICES};

use crate::Row;

/// Starts of each service, of which the slowest counts.
const STARTS: usize = 5;
const IDLE: Duration = Duration::from_secs(20);

/// Two lines: the slowest start and the largest idle process.
pub async fn measure() -> [Row; 2] {
    // The PostgreSQL log, so that readiness waits for nothing that is not the service's own.
    let mut fleet = Fleet::start(FleetOptions { together: true, ..FleetOptions::default() }).await;
    let mut starts = Vec::new();
    for service in SERVICES {
        let mut slowest = Duration::ZERO;
        for _ in 0..STARTS {
            fleet.stop(service).await;
            let began = Instant::now();
            fleet.launch(service).await;
            slowest = slowest.max(began.elapsed());
        }
        starts.push((service, slowest));
    }
    tokio::time::sleep(IDLE).await;
    let resident: Vec<(&str, f64)> = SERVICES.iter().map(|service| (*service, fleet.pids(service).into_iter().map(mebibytes).sum())).collect();
    let (slowest, took) = starts.iter().copied().max_by_key(|(_, took)| *took).unwrap();
    let (largest, most) = resident.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    [
        Row {
            name: "start",
            ours: format!("{} ms ({slowest})", took.as_millis()),
            floor: "1,000 ms".to_owned(),
            ratio: took.as_secs_f64(),
            aim: "under 1 s each",
            aside: starts.iter().map(|(service, took)| format!("{service} {} ms", took.as_millis())).collect::<Vec<_>>().join(", "),
        },
        Row {
            name: "idle",
            ours: format!("{most:.0} MiB ({largest})"),
            floor: "64 MiB".to_owned(),
            ratio: most / 64.0,
            aim: "under 64 MiB each",
            aside: resident.iter().map(|(service, mebibytes)| format!("{service} {mebibytes:.0} MiB")).collect::<Vec<_>>().join(", "),
        },
    ]
}

/// Resident memory of a process; `setpriv` becomes the service, so its id is the service's.
fn mebibytes(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
