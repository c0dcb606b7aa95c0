"""A real API server admits everything that the presets make, and Pod Security's "restricted" the pods."""

import os

import pytest
from conftest import NAMESPACE, SCENARIOS, pods

import definitions
from apiserver import ApiServer, Refused

# Strimzi's operator publishes no definitions that Go or Maven could fetch; test_strimzi.py asks its classes instead.
ELSEWHERE = "kafka.strimzi.io"


def custom(group):
    """Whether the API server does not know the group by itself."""
    return group != ELSEWHERE and "." in group and (not group.endswith(".k8s.io") or group == "gateway.networking.k8s.io")


@pytest.fixture(scope="session")
def server(rendered, tmp_path_factory):
    server = ApiServer(os.environ["KUBE_APISERVER"], tmp_path_factory.mktemp("apiserver"))
    try:
        kinds = {(m["apiVersion"].split("/")[0], m["kind"]) for manifests in rendered.values() for m in manifests}
        server.define(definitions.of(sorted(kind for kind in kinds if custom(kind[0]))))
        yield server
    finally:
        server.stop()


def namespace(server, name):
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest"}
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    server.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}, name)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_everything_is_admitted(server, rendered, scenario):
    name = f"{NAMESPACE}-{SCENARIOS.index(scenario)}"
    namespace(server, name)
    refused = []
    # A class of priority must be there before a pod may name it.
    for manifest in sorted(rendered[scenario], key=lambda m: m["kind"] != "PriorityClass"):
        if manifest["apiVersion"].startswith(ELSEWHERE):
            continue
        try:
            server.apply(manifest, name)
        except Refused as error:
            refused.append(f"{manifest['kind']} {manifest['metadata']['name']}: {error}")
    # No controller makes pods of a Deployment here, and only a pod meets Pod Security.
    for owner, template in pods(rendered[scenario]):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": owner}, "spec": template["spec"]}
        try:
            server.create(pod, name)
        except Refused as error:
            refused.append(f"Pod of {owner}: {error}")
    assert not refused, "\n".join(refused)


def test_a_pod_without_security_context_is_refused(server):
    namespace(server, "negative")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"}, "spec": {"containers": [{"name": "bare", "image": "bare"}]}}
    with pytest.raises(Refused, match="violates PodSecurity \"restricted:latest\""):
        server.create(pod, "negative")


def test_an_unknown_field_is_refused(server, rendered):
    namespace(server, "negative")
    wrong = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "wrong"}, "spec": {"replica": 2}}
    with pytest.raises(Refused, match="replica"):
        server.apply(wrong, "negative")
