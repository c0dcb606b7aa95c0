"""The binaries take the settings that are rendered for them, and publish and read what the charts let them."""

import json
import os
import subprocess

import pytest
from conftest import OWNERS, PRESETS, SERVICES, binaries, named, of_kind

# What pods get from secrets.
SECRETS = {
    "WRAPAROUND__DATABASE__URL": "postgres://example@127.0.0.1/example",
    "WRAPAROUND__EVENTS__POSTGRES_URL": "postgres://example@127.0.0.1/example",
    "WRAPAROUND__EVENTS__KAFKA__PASSWORD": "example",
    "WRAPAROUND__IDENTITY__CLIENT_SECRET": "example",
}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    for name in ["service", "kafka", "database"]:
        (folder / name).mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=example"]
    subprocess.run([*command, "-keyout", folder / "key", "-out", folder / "crt"], check=True, capture_output=True)
    for name in ["service/tls", "kafka/tls", "kafka/user"]:
        (folder / f"{name}.crt").write_bytes((folder / "crt").read_bytes())
        (folder / f"{name}.key").write_bytes((folder / "key").read_bytes())
    for name in ["service", "kafka", "database"]:
        (folder / name / "ca.crt").write_bytes((folder / "crt").read_bytes())
    return folder


def ask(service, verb, manifests, folder, certificates):
    """What the binary says to the verb, with the rendered settings and with variables of the same names as the pod's."""
    settings = named(manifests, "ConfigMap", f"district-{service}")["data"]["settings.toml"]
    file = folder / f"{service}.toml"
    file.write_text(settings.replace("/etc/certificates", str(certificates)))
    container = named(manifests, "Deployment", f"district-{service}")["spec"]["template"]["spec"]["containers"][0]
    names = {variable["name"] for variable in container.get("env", [])}
    environment = {"PATH": os.environ["PATH"], **{name: value for name, value in SECRETS.items() if name in names}}
    if service == "portal" and "WRAPAROUND__SERVICE__CLIENT_SECRET" in names:
        environment["WRAPAROUND__SERVICE__CLIENT_SECRET"] = "example"
    done = subprocess.run([binaries() / service, verb, "--config", file], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{service} {verb}: {done.stdout}{done.stderr}\n{settings}"
    return done.stdout


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("scenario", [*PRESETS, "unusual"])
def test_settings_are_taken(rendered, scenario, service, tmp_path, certificates):
    ask(service, "check-config", rendered[scenario], tmp_path, certificates)


@pytest.fixture(scope="session")
def told(rendered, tmp_path_factory, certificates):
    """What each binary says of its topics."""
    folder = tmp_path_factory.mktemp("topics")
    services = OWNERS
    return {s: [json.loads(line) for line in ask(s, "topics", rendered["large"], folder, certificates).splitlines()] for s in services}


def test_topics_are_those_of_the_binaries(rendered, told):
    made = {
        topic["spec"]["topicName"]: (topic["spec"]["partitions"], topic["spec"]["config"]["cleanup.policy"] == "compact")
        for topic in of_kind(rendered["large"], "KafkaTopic")
    }
    published = {t["topic"]: (t["partitions"], t["compacted"]) for lines in told.values() for t in lines if t["use"] == "publishes"}
    assert made == published


def test_rights_are_what_the_binaries_need(rendered, told):
    for service, lines in told.items():
        acls = named(rendered["large"], "KafkaUser", f"district-{service}")["spec"]["authorization"]["acls"]
        by_operation = {operation: {a["resource"]["name"] for a in acls if a["resource"]["type"] == "topic" and operation in a["operations"]} for operation in ("Read", "Write")}
        assert by_operation["Write"] == {t["topic"] for t in lines if t["use"] == "publishes"}, service
        assert by_operation["Read"] == {t["topic"] for t in lines if t["use"] == "reads"}, service
        groups = [a["resource"] for a in acls if a["resource"]["type"] == "group"]
        assert groups == [{"type": "group", "name": f"{service}.", "patternType": "prefix"}]


def test_protected_topics_are_closed(rendered):
    readers = {}
    for user in of_kind(rendered["large"], "KafkaUser"):
        for acl in user["spec"]["authorization"]["acls"]:
            assert acl["resource"]["type"] != "topic" or acl["resource"]["patternType"] == "literal"
            if "protected" in acl["resource"].get("name", "") and "Read" in acl["operations"]:
                readers.setdefault(acl["resource"]["name"], set()).add(user["metadata"]["name"])
    # plans keeps the plans of protected needs; nobody else reads them, and reporting never.
    assert set().union(*readers.values()) == {"district-plans"}
