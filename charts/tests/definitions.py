"""Definitions of the custom resources that the charts make, from the modules of those who define them."""

import json
import re
import subprocess
from pathlib import Path

# Module, version, folder of the definitions. Fetched by Go, which checks what it gets by its checksum database.
MODULES = [
    ("sigs.k8s.io/gateway-api", "v1.6.3", "config/crd/experimental"),
    ("github.com/cert-manager/cert-manager", "v1.21.2", "deploy/crds"),
    ("github.com/kedacore/keda/v2", "v2.21.0", "config/crd/bases"),
    ("github.com/cloudnative-pg/cloudnative-pg", "v1.28.0", "config/crd/bases"),
    ("github.com/prometheus-operator/prometheus-operator", "v0.85.0", "example/prometheus-operator-crd"),
]


def of(kinds):
    """The definitions of these kinds, each a (group, kind), as (name, text). Not read as YAML: that is for the API server to do."""
    found = {}
    for module, version, folder in MODULES:
        command = ["go", "mod", "download", "-json", f"{module}@{version}"]
        # Outside of any module, so that none takes part in choosing versions.
        fetched = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout)
        for file in sorted(Path(fetched["Dir"], folder).glob("*.yaml")):
            text = file.read_text()
            name, group, kind = (re.search(line, text, re.M) for line in (r"^  name: (\S+)$", r"^  group: (\S+)$", r"^    kind: (\S+)$"))
            if name and group and kind:
                found[group[1], kind[1]] = name[1], text
    missing = [kind for kind in kinds if kind not in found]
    assert not missing, f"nobody defines {missing}"
    return [found[kind] for kind in kinds]
