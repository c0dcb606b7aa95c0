"""What holds for everything that the charts make, whatever the values."""

import json
import re

import pytest
from conftest import CHARTS, SCENARIOS, SERVICES, containers, of_kind, pods, preset

HARDENED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


@pytest.fixture(params=SCENARIOS)
def manifests(request, rendered):
    return rendered[request.param]


def test_containers_are_hardened_and_limited(manifests):
    for owner, template in pods(manifests):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, owner
        assert spec["securityContext"]["runAsNonRoot"] is True, owner
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        for container in containers(template):
            assert container["securityContext"] == HARDENED, f"{owner}/{container['name']}"
            resources = container["resources"]
            assert resources["requests"]["cpu"], f"{owner}/{container['name']}"
            # Memory that is promised and not kept ends a pod when the node is busiest.
            assert resources["limits"]["memory"] == resources["requests"]["memory"], f"{owner}/{container['name']}"


def test_no_secret_is_rendered(manifests):
    assert not of_kind(manifests, "Secret")
    for manifest in manifests:
        text = json.dumps(manifest)
        # An address with a password in it; Kubernetes' own $(VARIABLE) is none.
        assert not re.search(r"postgres(ql)?://[^:/\"]+:(?!\$\()[^@\"]+@", text), manifest["metadata"]["name"]
    for owner, template in pods(manifests):
        for container in containers(template):
            for variable in container.get("env", []):
                if re.search("PASSWORD|SECRET|TOKEN", variable["name"]):
                    assert "value" not in variable, f"{owner}: {variable['name']}"


def test_every_pod_has_a_network_policy(manifests):
    policies = [policy["spec"] for policy in of_kind(manifests, "NetworkPolicy")]
    for owner, template in pods(manifests):
        labels = template["metadata"]["labels"].items()
        mine = [policy for policy in policies if policy["podSelector"]["matchLabels"].items() <= labels]
        assert mine, owner
        for policy in mine:
            assert policy["policyTypes"] == ["Ingress", "Egress"], owner
            # A rule that names nobody lets everybody in.
            assert all(rule.get("from") for rule in policy.get("ingress") or []), owner


def test_selectors_find_their_pods_and_no_others(manifests):
    deployments = of_kind(manifests, "Deployment")
    for deployment in deployments:
        selector = deployment["spec"]["selector"]["matchLabels"].items()
        chosen = [d["metadata"]["name"] for d in deployments if selector <= d["spec"]["template"]["metadata"]["labels"].items()]
        assert chosen == [deployment["metadata"]["name"]]
    for owner in of_kind(manifests, "Service", "PodDisruptionBudget"):
        selector = owner["spec"]["selector"]
        selector = selector.get("matchLabels", selector).items()
        chosen = [d for d in deployments if selector <= d["spec"]["template"]["metadata"]["labels"].items()]
        assert len(chosen) == 1, owner["metadata"]["name"]


def test_names_are_unique(manifests):
    names = [(m["apiVersion"], m["kind"], m["metadata"]["name"]) for m in manifests]
    assert len(names) == len(set(names))
    for _, template in pods(manifests):
        volumes = [volume["name"] for volume in template["spec"]["volumes"]]
        assert len(volumes) == len(set(volumes))
        for container in containers(template):
            assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)


def test_several_pods_have_a_budget_and_one_has_none(manifests):
    budgets = {budget["metadata"]["name"] for budget in of_kind(manifests, "PodDisruptionBudget")}
    scaled = {s["spec"]["scaleTargetRef"]["name"] for s in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject")}
    for deployment in of_kind(manifests, "Deployment"):
        name = deployment["metadata"]["name"]
        several = name in scaled or deployment["spec"].get("replicas", 1) > 1
        assert (name in budgets) == several or deployment["spec"].get("replicas") == 0, name
        # Whoever scales a Deployment decides alone how many pods it has.
        assert ("replicas" in deployment["spec"]) != (name in scaled), name


def test_selectors_do_not_depend_on_values():
    """A Deployment's selector cannot be changed, so an upgrade must not need that."""
    plain = {d["metadata"]["name"]: d["spec"]["selector"] for d in of_kind(preset("district"), "Deployment")}
    settings = [f"--set={s}.podLabels.team=x,{s}.image.tag=v9,{s}.replicas=3,{s}.serviceAccount.create=false" for s in SERVICES]
    changed = {d["metadata"]["name"]: d["spec"]["selector"] for d in of_kind(preset("district", *settings), "Deployment")}
    assert plain == changed


def test_callers_and_peers_are_the_same_thing_from_two_sides():
    facts = {}
    for service in SERVICES:
        text = (CHARTS / service / "templates/_facts.tpl").read_text()
        facts[service] = {key: set(re.findall(r"[a-z]+", value)) for key, value in re.findall(r"^(peers|callers): \[(.*)\]$", text, re.M)}
    for service in SERVICES:
        assert facts[service]["callers"] == {other for other in SERVICES if service in facts[other]["peers"]}, service


def test_no_file_is_long():
    for file in CHARTS.rglob("*"):
        if file.is_file() and file.name != "go.sum" and not re.search(r"/charts/[a-z]+/charts/|__pycache__", str(file)):
            assert len(file.read_text().splitlines()) <= 500, file
