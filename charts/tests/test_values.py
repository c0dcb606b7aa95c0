"""What cannot work is refused, and in words."""

import json
import re

import pytest
import yaml
from conftest import CHARTS, LEAST, OWNERS, SERVICES, helm, named, of_kind, preset, template

TLS = "global.tls.enabled=true,global.tls.issuerRef.name=ca"
ROUTE = "partners.route.enabled=true,partners.route.parentRefs[0].name=public,partners.route.hostnames[0]=partners.example.org"

REFUSALS = [
    ("small", "global.issuer=", "global.issuer is not set"),
    ("small", "global.timeZone=", "global.timeZone is not set"),
    ("small", "rosters.replica=2", "replica"),
    ("small", "rosters.replicas=0", "replicas"),
    ("small", "global.kafka.broker=x", "broker"),
    ("small", "global.issuer=login.example.org", "issuer"),
    ("small", "rosters.database.existingSecret=", "rosters: database.existingSecret is not set"),
    ("small", "global.eventLog.existingSecret=", "events have no log that all services share"),
    ("small", "global.tls.enabled=true", "nothing gives it a certificate"),
    ("small", "plans.ingress.enabled=true,plans.ingress.host=x", "ingress is for the portal"),
    ("small", "portal.ingress.host=", "ingress.host is not set"),
    ("small", "plans.route.enabled=true", "only the portal and partners"),
    ("small", "partners.route.enabled=true", "route.parentRefs"),
    ("small", f"{TLS},{ROUTE}", "route.caConfigMap is not set"),
    ("small", f"{TLS},{ROUTE},partners.route.caConfigMap=ca", "tls.clientOptional"),
    ("small", "plans.keda.enabled=true", "set worker.separate"),
    ("small", "plans.keda.enabled=true,plans.autoscaling.enabled=true", "set worker.separate"),
    ("small", "plans.keda.enabled=true,plans.worker.separate=true", "prometheusUrl is not set"),
    ("small", "portal.keda.enabled=true", "consumes no events"),
    ("small", "plans.autoscaling.enabled=true,plans.autoscaling.min=9", "autoscaling.min is more"),
    ("small", "restore.enabled=true,restore.backup=20260131T013000Z", "set global.stopped"),
    ("small", "restore.enabled=true,global.stopped=true", "backup"),
    ("district", "global.strimzi.enabled=true", "names another"),
    ("district", "plans.kafka.existingSecret=", "which takes a user"),
    ("large", "backup.enabled=true", "without an operator"),
    ("large", "global.cloudnativepg.backup.objectStore=", "objectStore is not set"),
]


@pytest.mark.parametrize("base,values,words", REFUSALS)
def test_refusals(base, values, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        preset(base, "--set", values)


def test_a_long_name_of_the_release_is_refused():
    with pytest.raises(ValueError, match="too long"):
        helm("template", "x" * 40, str(CHARTS / "plans"), "--set", ",".join(LEAST))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_alone(service):
    values = ["--set", ",".join(LEAST)]
    helm("lint", "--strict", "--quiet", str(CHARTS / service), *values)
    assert named(template(service, *values), "Deployment", f"district-{service}")


def test_every_value_is_documented_and_checked():
    """Each key of the defaults stands in the schema, and each key of the schema among the defaults."""

    def keys(schema, root):
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        if not schema.get("properties") or schema.get("additionalProperties") is not False:
            return None
        return {key: keys(value, root) for key, value in schema["properties"].items()}

    def compare(known, values, path):
        assert set(values) <= set(known), f"{path}: {set(values) - set(known)} are not in the schema"
        missing = set(known) - set(values) - {"global", "enabled", "lib"}
        assert not missing, f"{path}: {missing} have no documented default"
        for key, inner in known.items():
            if inner and isinstance(values.get(key), dict) and values[key]:
                compare(inner, values[key], f"{path}.{key}")

    for schema, values in [("lib/service.schema.json", "lib/values.yaml"), ("wraparound/values.schema.json", "wraparound/values.yaml")]:
        schema = json.loads((CHARTS / schema).read_text())
        defaults = yaml.safe_load((CHARTS / values).read_text())
        compare(keys(schema, schema), defaults.get("exports", {}).get("service", defaults), values)


def test_both_verbs_run_from_one_image(rendered):
    for service in OWNERS:
        together = named(rendered["small"], "Deployment", f"district-{service}")["spec"]["template"]["spec"]["containers"][0]
        assert together["args"][:2] == ["serve", "--with-work"]
        serve, work = (named(rendered["large"], "Deployment", f"district-{service}{s}")["spec"]["template"]["spec"]["containers"][0] for s in ("", "-work"))
        assert (serve["args"][0], work["args"][0]) == ("serve", "work") and "--with-work" not in serve["args"]
        assert serve["image"] == work["image"]


def test_a_digest_wins():
    digest = "sha256:" + "0" * 64
    made = preset("small", "--set", f"plans.image.digest={digest},plans.image.tag=v1,global.image.tag=v2,global.image.registry=images.example.org")
    images = {d["metadata"]["name"]: d["spec"]["template"]["spec"]["containers"][0]["image"] for d in of_kind(made, "Deployment")}
    assert images["district-plans"] == f"images.example.org/plans@{digest}"
    assert images["district-rosters"] == "images.example.org/rosters:v2"


def test_who_migrates(rendered):
    def first(scenario, service):
        return [c["args"][0] for c in named(rendered[scenario], "Deployment", f"district-{service}")["spec"]["template"]["spec"]["initContainers"]]

    assert first("district", "plans") == ["migrate"]
    assert [first("unusual", service) for service in ("rosters", "reviews", "partners")] == [["wait-for-db"], ["wait-for-db"], ["migrate"]]
    jobs = {job["metadata"]["labels"]["app.kubernetes.io/name"]: job for job in of_kind(rendered["unusual"], "Job")}
    assert set(jobs) == {"rosters", "plans"}
    env = {v["name"]: v for v in jobs["rosters"]["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["WRAPAROUND__DATABASE__URL"]["valueFrom"]["secretKeyRef"]["name"] == "rosters-owner"
    # A Job cannot be changed, so another image makes another one.
    names = {of_kind(template("plans", f"--set={','.join(LEAST)},migrations.mode=job,image.tag={tag}"), "Job")[0]["metadata"]["name"] for tag in ("v1", "v2")}
    assert len(names) == 2


def test_the_portal_keeps_a_browser_at_one_pod(rendered):
    assert named(rendered["large"], "Service", "district-portal")["spec"]["sessionAffinity"] == "ClientIP"
    route = of_kind(rendered["large"], "HTTPRoute")[0]
    assert route["spec"]["rules"][0]["sessionPersistence"]["type"] == "Cookie"


def test_only_the_two_ways_in(rendered):
    names = {(r["kind"], r["metadata"]["name"]) for r in of_kind(rendered["large"], "HTTPRoute", "GRPCRoute", "Ingress")}
    assert names == {("HTTPRoute", "district-portal"), ("GRPCRoute", "district-partners")}


def test_manifests_of_ones_own(rendered):
    assert named(rendered["unusual"], "ConfigMap", "district-mine")


def test_alerts_can_be_left_out_and_lead_elsewhere(rendered):
    rules = [rule for group in of_kind(rendered["unusual"], "PrometheusRule")[0]["spec"]["groups"] for rule in group["rules"]]
    assert "BackupMissing" not in {rule["alert"] for rule in rules}
    assert rules[0]["annotations"]["runbook_url"] == "https://support.example.org/runbook#servicedown"


def test_nothing_runs_while_stopped():
    for name in ["small", "district", "large"]:
        made = preset(name, "--set", "global.stopped=true")
        assert {d["spec"]["replicas"] for d in of_kind(made, "Deployment")} == {0}
        assert not of_kind(made, "HorizontalPodAutoscaler", "ScaledObject", "CronJob")
