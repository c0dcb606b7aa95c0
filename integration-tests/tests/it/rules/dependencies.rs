//! Arrows go one way: proto, then the chassis, then the services, then the command that holds them all.

use std::process::Command;

use serde_json::Value;

use super::{none, root};

/// Crates from the bottom up. Within a layer nobody depends on a neighbour.
const LAYERS: [&[&str]; 9] = [
    &["wraparound-proto", "chassis-clock"],
    &["chassis-rpc"],
    &["chassis-pg"],
    &["chassis-events"],
    &["chassis-access"],
    &["chassis-boot"],
    &["rosters", "reviews", "plans", "partners", "families", "reporting", "portal"],
    &["wraparound"],
    &["integration-tests"],
];

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

#[test]
fn dependencies_point_downwards_only() {
    let output = Command::new(env!("CARGO")).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(own) = layer(name) else {
            found.push(format!("{name} has no place among the layers of this test"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            if !dependency["path"].is_null() && layer(other).is_none_or(|theirs| theirs >= own) {
                found.push(format!("{name} must not depend on {other}; services meet in proto, by calls or events"));
            }
        }
    }
    none(&found, "these arrows point the wrong way:");
}
