//! The images' layout, put together and run without a Docker engine: the folder is the whole system, read-only, and nobody is root.

use std::path::Path;
use std::process::{Command, Output};

use integration_tests::databases::Databases;
use integration_tests::fleet::file;
use integration_tests::patience::eventually;
use integration_tests::process::{self, Process};
use integration_tests::scratch;
use serde_json::Value;
use wraparound::district::secrets::Secrets;

fn script(arguments: &[&str]) -> Output {
    let output = Command::new(file("scripts/image.sh")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn assemble(service: &str, folder: &Path) -> String {
    let (binary, image) = (process::binaries().join(service), folder.join(service).display().to_string());
    script(&["assemble", service, &binary.display().to_string(), &image]);
    image
}

#[tokio::test]
async fn an_image_serves_from_a_read_only_root_and_holds_its_bill_of_materials() {
    chassis_boot::run::install_crypto();
    let folder = scratch::folder("image").unwrap();
    let image = assemble("reviews", folder.path());
    let bill: Value = serde_json::from_slice(&std::fs::read(Path::new(&image).join("usr/share/wraparound/sbom.cdx.json")).unwrap()).unwrap();
    let named = |name: &str| bill["components"].as_array().unwrap().iter().any(|component| component["name"] == name);
    assert_eq!((bill["bomFormat"].as_str(), bill["metadata"]["component"]["name"].as_str()), (Some("CycloneDX"), Some("reviews")));
    assert!(named("tonic") && named("rdkafka-sys") && named("chassis-boot"), "what it is built from");
    assert!(!named("proptest") && !named("plans"), "and nothing that only tests or others use");

    let secrets = Secrets::open_or_create(folder.path()).unwrap();
    let databases = Databases::together(&secrets).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = |verb: &[&str]| {
        let mut command = process::command(&file("scripts/image.sh"));
        command.args(["run", &image]).args(verb);
        command.env("WRAPAROUND__DATABASE__URL", databases.own("reviews").unwrap());
        command.env("WRAPAROUND__ADMIN__ADDRESS", format!("127.0.0.1:{port}"));
        command.env("WRAPAROUND__AUTH__ISSUER", "http://127.0.0.1:1").env("WRAPAROUND__PEERS__ROSTERS", "http://127.0.0.1:1");
        command
    };
    let migrated = run(&["migrate"]).output().unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let mut serving = Process::spawn(run(&["serve", "--with-work"]));
    eventually("the image is ready", || async {
        reqwest::get(format!("http://127.0.0.1:{port}/readyz")).await.ok().filter(|answer| answer.status().is_success())
    })
    .await;
    let inside = find(&image).expect("its process");
    let status = std::fs::read_to_string(format!("/proc/{inside}/status")).unwrap();
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().split_whitespace().next().unwrap().to_owned();
    assert_ne!(value("Uid:"), "0", "nobody is root");
    assert_eq!(value("CapEff:"), "0000000000000000", "and nobody may do more than others");
    let mounts = std::fs::read_to_string(format!("/proc/{inside}/mounts")).unwrap();
    let root = mounts.lines().find(|line| line.split_whitespace().nth(1) == Some("/")).unwrap();
    assert!(root.split_whitespace().nth(3).unwrap().split(',').any(|option| option == "ro"), "its root is read-only: {root}");
    assert!(serving.ended().is_none());
    drop(serving);
    eventually("nothing of it is left", || async { (!Path::new(&format!("/proc/{inside}")).exists()).then_some(()) }).await;
}

/// The process whose root is that folder.
fn find(image: &str) -> Option<u32> {
    let image = std::fs::canonicalize(image).ok()?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        (std::fs::read_link(entry.path().join("root")).ok()? == image).then_some(pid)
    })
}

#[test]
fn the_dockerfile_writes_the_same_layout_for_every_program() {
    let text = std::fs::read_to_string(file("Dockerfile")).unwrap();
    for line in ["scripts/image.sh assemble \"$SERVICE\"", "USER 10001:10001", "FROM scratch", "org.opencontainers.image.licenses=\"Apache-2.0\""] {
        assert!(text.contains(line), "the Dockerfile lacks {line}");
    }
}
