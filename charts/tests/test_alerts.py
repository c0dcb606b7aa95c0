"""Every alert says what to do, and asks for metrics that the services do have."""

import json
import re

import promql_parser
import pytest
import yaml
from conftest import CHARTS, ROOT, of_kind

RULES = [rule for group in yaml.safe_load((CHARTS / "wraparound/files/alerts.yaml").read_text())["groups"] for rule in group["rules"]]
DASHBOARDS = sorted((CHARTS / "wraparound/dashboards").glob("*.json"))


# What Prometheus and its operator put on everything, and on the buckets of a histogram.
EVERYWHERE = {"namespace", "pod", "container", "endpoint", "le"}


def metrics():
    """Names that the Rust sources count under, with their kind and labels."""
    found = {}
    for file in ROOT.glob("services/**/*.rs"):
        for kind, name, rest in re.findall(r'(counter|gauge|histogram)!\(\s*"([a-z_]+)"([^;]*)', file.read_text()):
            found[name] = kind, set(re.findall(r'"(\w+)" =>', rest))
    return found


def selectors(node):
    """Every selector of metrics in an expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from selectors(node.vector_selector)
    else:
        for part in ("expr", "lhs", "rhs"):
            if getattr(node, part, None) is not None:
                yield from selectors(getattr(node, part))
        for argument in getattr(node, "args", None) or []:
            yield from selectors(argument)


def assert_known(expression, where):
    found = list(selectors(promql_parser.parse(expression)))
    assert found, f"{where}: {expression} asks for nothing"
    known, labels = metrics(), set(EVERYWHERE)
    for selector in found:
        base = re.sub("_(bucket|count|sum)$", "", selector.name)
        if selector.name == "up" or selector.name.startswith("kube_"):
            continue
        kind, own = known.get(base, (None, set())) if base != selector.name else known.get(selector.name, (None, set()))
        assert kind and (kind == "histogram") == (base != selector.name), f"{where}: no service counts {selector.name}"
        labels |= own
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= own | EVERYWHERE, f"{where}: {selector.name} has no {asked - own - EVERYWHERE}"
    grouped = {label for listed in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in re.split(r",\s*", listed)}
    assert grouped <= labels, f"{where}: nothing has {grouped - labels}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert(rule):
    assert_known(rule["expr"], rule["alert"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "description", "runbook_url"} <= set(rule["annotations"])
    file, anchor = rule["annotations"]["runbook_url"].split("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(), re.M)
    assert anchor in [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings]
    # Labels that the words use must survive the expression.
    words = " ".join(rule["annotations"].values())
    kept = set(re.findall(r"by \(([^)]*)\)", rule["expr"]))
    for label in re.findall(r"\$labels\.(\w+)", words):
        assert not kept or any(label in re.split(r",\s*", labels) for labels in kept), f"{rule['alert']}: {label} is gone"


def test_the_chart_carries_the_file(rendered):
    made = of_kind(rendered["large"], "PrometheusRule")[0]
    assert [rule for group in made["spec"]["groups"] for rule in group["rules"]] == RULES


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard(file):
    dashboard = json.loads(file.read_text())
    assert dashboard["uid"] and dashboard["title"]
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert panels
    for panel in panels:
        assert panel["description"], panel["title"]
        for target in panel["targets"]:
            expression = re.sub(r"\$__rate_interval", "5m", target["expr"])
            assert_known(expression.replace('"$namespace"', '"n"'), f"{file.stem}: {panel['title']}")


def test_lag_is_asked_for_as_it_is_told(rendered):
    for scaled in of_kind(rendered["large"], "ScaledObject"):
        assert_known(scaled["spec"]["triggers"][0]["metadata"]["query"], scaled["metadata"]["name"])
