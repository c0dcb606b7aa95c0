"""On an Apache Kafka that knows nothing but the charts' topics and rights, the services publish and read all that is theirs."""

import json
import os
import re
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from apiserver import free_port
from conftest import CHARTS, OWNERS, ROOT, binaries, named, of_kind, psql

PROPERTIES = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:ANONYMOUS
"""


def openssl(*arguments, **options):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, **options)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, and for the broker and each user a key with its certificate, in one file and in two."""
    folder = tmp_path_factory.mktemp("kafka-certificates")
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt", cwd=folder)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ["broker", *(f"district-{service}" for service in OWNERS)]:
        openssl(*new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=folder)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2", "-extfile", "names", "-out", f"{name}.crt", cwd=folder)
        (folder / f"{name}.pem").write_text((folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text())
    return folder


@pytest.fixture(scope="module")
def broker(certificates, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("kafka"), free_port()
    subprocess.run([ROOT / "scripts/kafka.sh", "fetch"], check=True)
    command = [ROOT / "scripts/kafka.sh", "run", folder, str(port), str(free_port()), certificates]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "KAFKA_PROPERTIES": PROPERTIES})
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


def settings(rendered, service, broker, certificates, admin, folder):
    text = named(rendered["large"], "ConfigMap", f"district-{service}")["data"]["settings.toml"]
    # Its own certificate among services is not what is tried here.
    text = re.sub(r"(?m)^ *(tls_certificate|tls_key|tls_client_ca|tls_client_optional) = .*\n", "", text)
    text = re.sub(r"(?m)^ *otlp_endpoint = .*\n", "", text)
    text = re.sub(r"(?m)^( *(ca_file|certificate|key)) = \"/etc/certificates/service/.*\n", "", text)
    text = text.replace("0.0.0.0:7400", "127.0.0.1:0").replace("0.0.0.0:7409", f"127.0.0.1:{admin}").replace("district-kafka-kafka-bootstrap:9093", broker)
    for name, file in [("ca.crt", "ca.crt"), ("user.crt", f"district-{service}.crt"), ("user.key", f"district-{service}.key")]:
        text = text.replace(f"/etc/certificates/kafka/{name}", str(certificates / file))
    file = folder / f"{service}.toml"
    file.write_text(text)
    return file


def measured(port, name):
    """The values of a metric, by their labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = re.findall(rf"^{name}{{(.*)}} (\S+)$", answer.read().decode(), re.M)
    return [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)) for labels, value in lines]


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            missing = what()
        except OSError as error:
            missing = error
        if not missing or time.monotonic() > end:
            return missing
        time.sleep(0.25)


def test_the_charts_rights_are_enough_and_no_more(rendered, postgres, broker, certificates, tmp_path):
    resources = of_kind(rendered["large"], "KafkaTopic", "KafkaUser")
    jars = [f"{os.environ.get('CARGO_TARGET_DIR', ROOT / 'target')}/kafka/libs/*", *map(str, Path(os.environ["STRIMZI_LIBS"]).glob("groovy-*.jar"))]
    command = ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", ":".join(jars), "groovy.ui.GroovyMain", CHARTS / "tests/strimzi/rights.groovy", broker, certificates, "broker"]
    done = subprocess.run([*command, "district-reporting", "plans.protected-need.v1"], input=json.dumps(resources), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["refused"], done.stdout + done.stderr

    admins, running = {}, {}
    urls = {service: postgres.replace("/postgres?", f"/rights_{service}?") for service in OWNERS}
    for service, url in urls.items():
        psql(postgres, f"create database rights_{service}")
        admins[service] = free_port()
        file = settings(rendered, service, broker, certificates, admins[service], tmp_path)
        environment = {"PATH": os.environ["PATH"], "WRAPAROUND__DATABASE__URL": url, "WRAPAROUND__IDENTITY__CLIENT_SECRET": "example"}
        subprocess.run([binaries() / service, "migrate", "--config", file], check=True, capture_output=True, env=environment)
        for topic in of_kind(resources, "KafkaTopic"):
            if topic["metadata"]["labels"]["app.kubernetes.io/name"] == service:
                # Of a type that nobody knows: it is read and passed over.
                sql = f"insert into outbox (id, aggregatetype, aggregateid, type, payload) values (gen_random_uuid(), '{topic['spec']['topicName']}', 'k', 'T', 'x')"
                psql(url, sql, service)
        with open(tmp_path / f"{service}.log", "wb") as log:
            running[service] = subprocess.Popen([binaries() / service, "work", "--config", file], stdout=log, stderr=log, env=environment)
    try:
        for service, url in urls.items():
            log = tmp_path / f"{service}.log"
            waiting = until(lambda: int(psql(url, "select count(*) from outbox", service)))
            assert not waiting, f"{service} does not publish all of its topics:\n{log.read_text()[-3000:]}"
            acls = named(resources, "KafkaUser", f"district-{service}")["spec"]["authorization"]["acls"]
            reads = {acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic" and "Read" in acl["operations"]}

            def unread():
                lag = measured(admins[service], "consumer_lag_records")
                return reads - {labels["topic"] for labels, _ in lag} or sum(value for _, value in lag)

            assert not until(unread), f"{service} has not read {unread()}:\n{log.read_text()[-3000:]}"
            assert sum(value for _, value in measured(admins[service], "consumer_applied_total")) > 0, service
            assert "uthoriz" not in log.read_text(), log.read_text()
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait(30)
