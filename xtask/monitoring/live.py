"""Every expression of the rules and of the dashboard, against a Prometheus that reads running servers."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import outside
from expressions import parts
from files import Complaints, Files, labels_of
from laws import filled
from prometheus import Questions, exporter, prometheus
from traffic import DevWorld, Server

# How often the servers are used, and scraped meanwhile.
ROUNDS = 6
# Two servers with metrics, and the same two with their health.
TARGETS = 4
# The exporter finds both ready, under the instance that their metrics have.
BOTH_READY = "count(probe_success == 1 and on (instance) countersign_build_info) == 2"
# Texts of expressions that may have no value here, each with the reason.
EXCUSED = {
    'status="5xx"': "no call to a healthy server ends so",
    'kind="country"': "a country closes by messages that are older than a minute",
}


def run(world_file: Path) -> None:
    world = json.loads(world_file.read_text(encoding="utf-8"))
    # Loopback only: ignore proxies of the environment.
    urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))
    files, folder = Files(Path(world["root"])), Path(world["folder"])
    outside.serve(world["outside_port"])
    dev, serve = ready(world["dev_folder"]), ready(world["serve_folder"])
    targets = {
        "countersign": [address(dev)],
        "countersign-cluster": [address(serve)],
        "countersign-readyz": [address(dev), address(serve)],
    }
    with exporter(folder) as probe, prometheus(files, folder, targets, world["token_file"], probe) as at:
        questions = Questions(at)
        questions.wait()
        use(world, dev, serve, questions)
        seen = metrics(dev, None) | metrics(serve, Path(world["token_file"]).read_text(encoding="utf-8").strip())
        complaints = [
            *documented(files, seen),
            *judged_rules(questions),
            *judged_expressions(files, questions),
            *judged_panels(files, questions),
        ]
    if complaints:
        raise Complaints("\n".join(complaints))
    print(f"Prometheus reads {len(seen)} metrics; every rule and every query has a value, or a reason to have none")


def ready(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "ready.json").read_text(encoding="utf-8"))


def address(server: dict[str, Any]) -> str:
    return server["admin_url"].removeprefix("http://")


def use(world: dict[str, Any], dev: dict[str, Any], serve: dict[str, Any], questions: Questions) -> None:
    """Uses both servers for some seconds, and waits until Prometheus has seen it."""
    # Prometheus finds its targets some seconds after its start, and what happens before that is no increase.
    questions.until(f"count(up == 1) == {TARGETS}", 20)
    questions.until(BOTH_READY, 10)
    people = DevWorld(dev)
    server = Server(Path(world["binary"]), Path(world["serve_folder"]), serve, world["outside_port"])
    for number in range(ROUNDS):
        people.round()
        server.round()
        if number == ROUNDS // 2:
            people.fail()
        time.sleep(1)
        server.bring_receipts()
    questions.until('countersign_route_up{channel="email"} == 0', 15)
    questions.until('ALERTS{alertname="CountersignMessagesAtCeiling", alertstate="firing"}', 15)
    questions.until('ALERTS{alertname="CountersignChannelDown"}', 15)


def metrics(server: dict[str, Any], token: str | None) -> dict[str, set[str]]:
    """The metrics that a server has, with their labels."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(
        urllib.request.Request(server["admin_url"] + "/metrics", headers=headers), timeout=10
    ) as answer:
        text = answer.read().decode()
    found: dict[str, set[str]] = {name: set() for name in re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE)}
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        base = name if name in found else re.sub(r"_(bucket|sum|count)$", "", name)
        found[base] |= set(re.findall(r'(\w+)="', labels)) - {"le"}
    return found


def documented(files: Files, seen: dict[str, set[str]]) -> Iterator[str]:
    """The page lists what the servers have, label for label."""
    page = files.documented()
    for name in sorted(set(page) | set(seen)):
        if page.get(name) != seen.get(name):
            listed, got = (labels_of(known, name) for known in (page, seen))
            yield f"{name}: the page lists {listed}, the servers have {got}; correct docs/operate/monitoring.md"


def judged_rules(questions: Questions) -> Iterator[str]:
    """Prometheus has evaluated every rule, and fills in what the active alerts say."""
    for group in questions.ask("rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                yield f"{rule['name']} is {rule['health']}: {rule.get('lastError', 'it was not evaluated')}"
    for alert in questions.ask("alerts")["alerts"]:
        for key, text in alert["annotations"].items():
            if "{{" in text or "<error" in text or "<no value>" in text:
                yield f"{alert['labels']['alertname']}: its {key} is not filled in: {text}"


def judged_expressions(files: Files, questions: Questions) -> Iterator[str]:
    """Every part of every expression has a value."""
    used: set[str] = set()
    expressions = [(rule["alert"], rule["expr"]) for rule in files.alerts]
    expressions += [(f"the panel {title}", filled_here(text)) for title, text, _ in files.queries()]
    for where, text in expressions:
        for part in parts(text):
            excuses = {excuse for excuse in EXCUSED if excuse in part}
            try:
                has_value = bool(questions.values(part))
            except Complaints as complaint:
                yield f"{where}: {part}: {complaint}"
                continue
            if has_value:
                continue
            used |= excuses
            if not excuses:
                yield f"{where} has no value here, and no reason in live.py to have none: {part}"
    for excuse in sorted(set(EXCUSED) - used):
        yield f"every expression with {excuse} has a value; remove it from EXCUSED in live.py"


def judged_panels(files: Files, questions: Questions) -> Iterator[str]:
    """Every query of the dashboard has a value, and the labels of its legend."""
    for title, text, legend in files.queries():
        if any(excuse in text for excuse in EXCUSED) and "or vector(0)" not in text:
            continue
        try:
            found = questions.values(filled_here(text))
        except Complaints as complaint:
            yield f"the panel {title}: {complaint}"
            continue
        if not found:
            yield f"the panel {title} shows nothing here: {text}"
        shown = set().union(*(series["metric"] for series in found)) - {"__name__"}
        for label in set(re.findall(r"\{\{(\w+)\}\}", legend)) - shown:
            yield f"the panel {title} has the label {label} in its legend, which no line has: {sorted(shown)}"


def filled_here(text: str) -> str:
    """The query for both servers at once: what one of them has no reason to count, the other one counts."""
    return filled(text.replace('job="$job"', 'job=~"countersign.*"'))
