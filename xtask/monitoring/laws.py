"""What can be said of the files without a server. Each law returns its complaints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from expressions import given_labels, used_labels
from files import Files, labels_of

SEVERITIES = {"page", "ticket"}
# How a description ends.
PAGE = r"Look first at .* Page: (docs/[\w./-]+\.md)(?:#([\w-]+))?$"
# Variables of the dashboard, as Grafana fills them for intervals of 15 seconds.
VARIABLES = {"$__rate_interval": "60s", "$job": "countersign", "$instance": ".*"}
# Where Grafana keeps its own annotations.
GRAFANA = {"type": "grafana", "uid": "-- Grafana --"}
# A dashboard is 24 units wide.
WIDTH = 24


def all_complaints(files: Files) -> list[str]:
    return [*alerts(files), *pages(files), *tests(files), *metrics(files), *dashboard(files)]


def filled(expression: str) -> str:
    """The query with values for its variables."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def alerts(files: Files) -> Iterator[str]:
    """An alert has a severity, a summary, a description and an argued threshold, and the page lists it."""
    listed = re.findall(r"`(Countersign\w+)`", files.section("Alarms"))
    names = [rule["alert"] for rule in files.alerts]
    for name in sorted(set(names) ^ set(listed)):
        where = "alerts.yml" if name in names else "docs/operate/monitoring.md"
        yield f"{name} is in {where} only; add it to the table of alarms, or remove it"
    for name in sorted({name for name in names + listed if max(names.count(name), listed.count(name)) > 1}):
        yield f"{name} is there twice; give each alert one name and one row of the table"
    text = (files.folder / "alerts.yml").read_text(encoding="utf-8")
    blocks = re.split(r"^      - alert: ", text, flags=re.MULTILINE)[1:]
    for rule, block in zip(files.alerts, blocks, strict=True):
        name = rule["alert"]
        if rule.get("labels", {}).get("severity") not in SEVERITIES:
            yield f"{name} needs the label severity: one of {sorted(SEVERITIES)}"
        if len(re.findall(r"^        # .*[.]$", block.split("annotations:")[0], re.MULTILINE)) != 1:
            yield f"{name} needs one line of comment that argues its threshold, before its labels"
        for key in ("summary", "description"):
            if not rule.get("annotations", {}).get(key):
                yield f"{name} needs the annotation {key}"


def pages(files: Files) -> Iterator[str]:
    """A description ends with the page to read, which exists."""
    for rule in files.alerts:
        found = re.search(PAGE, rule["annotations"]["description"], re.DOTALL)
        if not found:
            yield f"{rule['alert']}: its description must say `Look first at …` and end with `Page: docs/…`"
            continue
        page, anchor = files.root / found[1], found[2]
        if not page.is_file():
            yield f"{rule['alert']}: there is no page {found[1]}"
        elif anchor and anchor not in anchors(page):
            yield f"{rule['alert']}: {found[1]} has no heading for #{anchor}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def tests(files: Files) -> Iterator[str]:
    """Each alert fires in a test. That each is silent where it must be is found by changing the rules (mutations.py)."""
    fired: set[str] = set()
    for path in files.tests:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for evaluation in test["promql_expr_test"]:
                for sample in evaluation["exp_samples"]:
                    fired.update(re.findall(r'alertname="(\w+)"', sample["labels"]))
    names = {rule["alert"] for rule in files.alerts}
    for name in sorted(names - fired):
        yield f"{name} fires in no test; add one to alerts_test.yml"
    for name in sorted(fired - names):
        yield f"{name} is expected by a test and is in no rule; correct its name"


def metrics(files: Files) -> Iterator[str]:
    """Rules and queries use only metrics and labels that the page lists. That a server has them is seen when one runs."""
    known = files.documented()
    for where, text in [(rule["alert"], rule["expr"]) for rule in files.alerts] + [
        (f"the panel {title}", filled(text)) for title, text, _ in files.queries()
    ]:
        for name, label in sorted(set(used_labels(promql.parse(text)))):
            labels = labels_of(known, name)
            if labels is None:
                yield f"{where} uses {name}, which docs/operate/monitoring.md does not list"
            elif label not in labels:
                yield f"{where} uses the label {label} of {name}, which has {sorted(labels)}"
    for rule in files.alerts:
        given = given_labels(promql.parse(rule["expr"]), lambda name: labels_of(known, name) or set())
        for label in set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) - given:
            yield f"{rule['alert']} shows the label {label}, which its expression does not give: {sorted(given)}"
    for title, text, legend in files.queries():
        given = given_labels(promql.parse(filled(text)), lambda name: labels_of(known, name) or set())
        for label in set(re.findall(r"\{\{(\w+)\}\}", legend)) ^ given:
            yield f"the panel {title}: legend and query differ in the label {label}; a line must show each label once"


def dashboard(files: Files) -> Iterator[str]:
    """A panel has a description, a unit and the datasource of the variable, and overlaps no other one."""
    board = files.dashboard
    seen: set[int] = set()
    places: set[tuple[int, int]] = set()
    variables = [variable["name"] for variable in board["templating"]["list"]]
    if variables != ["datasource", "job", "instance"]:
        yield f"the dashboard has the variables {variables}; the queries need datasource, job and instance"
    if re.search(r"https?://", str(board)):
        yield "the dashboard has an address of the network; remove it"
    source = {"type": "prometheus", "uid": "${datasource}"}
    for used in found_under("datasource", board):
        if used not in (source, GRAFANA):
            yield f"the dashboard reads from {used}, which is not everywhere; name {source}"
    for panel in board["panels"]:
        title, place = panel["title"], panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        if cells & places or place["x"] + place["w"] > WIDTH:
            yield f"the panel {title} overlaps another one or the edge; move it"
        places |= cells
        if panel["id"] in seen:
            yield f"the panel {title} has the id of another one; give it a new one"
        seen.add(panel["id"])
    for panel in files.panels:
        title = panel["title"]
        if not panel.get("description") or not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"the panel {title} needs a description and a unit"
        if not all("datasource" in part for part in [panel, *panel["targets"]]):
            yield f"the panel {title} and each of its queries must name {source} as datasource"
        for target in panel["targets"]:
            named = 'job="$job", instance=~"$instance"' in target["expr"] or "ALERTS{" in target["expr"]
            if not named or not target["legendFormat"]:
                yield f"the panel {title}: each query needs a legend and the variables $job and $instance"


def found_under(key: str, content: Any) -> Iterator[Any]:
    """The values of a key, at any depth."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name == key:
                yield value
            yield from found_under(key, value)
    elif isinstance(content, list):
        for value in content:
            yield from found_under(key, value)
