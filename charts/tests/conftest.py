import os
import subprocess
from pathlib import Path

import pytest
import yaml

CHARTS = Path(__file__).resolve().parents[1]
ROOT = CHARTS.parent
# Those that own data, and the pages.
OWNERS = ["rosters", "reviews", "plans", "partners", "reporting"]
SERVICES = [*OWNERS, "portal"]
PRESETS = ["small", "district", "large"]
SCENARIOS = [*PRESETS, "small, restoring", "unusual"]
RELEASE, NAMESPACE = "district", "wraparound"
# What services take where nothing else is asked of them.
LEAST = ["global.issuer=https://login.example.org", "global.timeZone=America/New_York", "global.kafka.brokers=kafka:9092",
         "database.existingSecret=database"]  # fmt: skip


def binaries():
    return Path(os.environ["WRAPAROUND_BINARIES"])


def helm(*arguments):
    done = subprocess.run(["helm", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout


def template(chart, *arguments):
    text = helm("template", RELEASE, str(CHARTS / chart), "--namespace", NAMESPACE, *arguments)
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def preset(name, *arguments):
    return template("wraparound", "-f", str(CHARTS / f"wraparound/presets/{name}.yaml"), *arguments)


def of_kind(manifests, *kinds):
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests, kind, name):
    return next(manifest for manifest in manifests if manifest["kind"] == kind and manifest["metadata"]["name"] == name)


def pods(manifests):
    """Every pod that would be made, as (name of its owner, pod template)."""
    for manifest in of_kind(manifests, "Deployment", "Job"):
        yield manifest["metadata"]["name"], manifest["spec"]["template"]
    for manifest in of_kind(manifests, "CronJob"):
        yield manifest["metadata"]["name"], manifest["spec"]["jobTemplate"]["spec"]["template"]


def containers(template):
    return template["spec"].get("initContainers", []) + template["spec"]["containers"]


@pytest.fixture(scope="session")
def rendered():
    """What each preset makes; the small one stopped, while a backup is brought back; and what no preset sets."""
    restoring = ["--set", "global.stopped=true,restore.enabled=true,restore.backup=20260131T013000Z"]
    made = {name: preset(name) for name in PRESETS}
    made["small, restoring"] = preset("small", *restoring)
    made["unusual"] = template("wraparound", "-f", str(CHARTS / "tests/unusual.yaml"))
    return made


def psql(url, sql, schema="public"):
    command = ["psql", url, "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, env={**os.environ, "PGOPTIONS": f"-c search_path={schema}"})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """The address of a server's first database; others are made as needed."""
    environment = {**os.environ, "TEST_POSTGRES_STATE": str(tmp_path_factory.mktemp("postgres") / "state")}
    script = ROOT / "scripts/test-postgres.sh"
    yield subprocess.run([script, "start"], check=True, capture_output=True, text=True, env=environment).stdout.strip()
    subprocess.run([script, "stop"], check=True, env=environment)
