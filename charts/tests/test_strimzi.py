"""Strimzi's own classes know every field of its resources, and take every value."""

import copy
import json
import os
import subprocess

from conftest import CHARTS, named

KINDS = ("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser")


def test_strimzis_classes_read_every_resource(rendered):
    resources = [manifest for manifest in rendered["large"] if manifest["apiVersion"].startswith("kafka.strimzi.io/")]
    assert {resource["kind"] for resource in resources} == set(KINDS)
    # And two that are wrong, which must be found.
    topic = copy.deepcopy(named(rendered["large"], "KafkaTopic", "district-plans.need.v1"))
    topic["spec"]["partition"] = 6
    user = copy.deepcopy(named(rendered["large"], "KafkaUser", "district-plans"))
    user["spec"]["authorization"]["acls"][0]["operations"] = ["Writes"]

    command = ["java", "-cp", f"{os.environ['STRIMZI_LIBS']}/*", "groovy.ui.GroovyMain", CHARTS / "tests/strimzi/read.groovy"]
    done = subprocess.run(command, input=json.dumps([*resources, topic, user]), capture_output=True, text=True)
    assert done.returncode == 1 and "Exception" not in done.stderr, done.stderr
    assert done.stdout.splitlines() == [
        "KafkaTopic district-plans.need.v1: spec: no field partition",
        'KafkaUser district-plans: spec.authorization.acls[0].operations[0]: "Writes" is read as nothing',
    ]
