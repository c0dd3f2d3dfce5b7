"""The files that an operator loads, and the page that describes them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class Complaints(Exception):
    """What is wrong, each with what to do."""


@dataclass
class Files:
    """The files of `packaging/monitoring`, and `docs/operate/monitoring.md`."""

    root: Path
    rules: dict[str, Any] = field(init=False)
    dashboard: dict[str, Any] = field(init=False)
    page: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.root / "packaging/monitoring"
        self.rules = yaml.safe_load((self.folder / "alerts.yml").read_text(encoding="utf-8"))
        self.dashboard = json.loads((self.folder / "dashboard.json").read_text(encoding="utf-8"))
        self.page = (self.root / "docs/operate/monitoring.md").read_text(encoding="utf-8")

    @property
    def tests(self) -> list[Path]:
        return sorted(self.folder.glob("*_test.yml"))

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return [rule for group in self.rules["groups"] for rule in group["rules"]]

    @property
    def panels(self) -> list[dict[str, Any]]:
        """The panels that show something."""
        return [panel for panel in self.dashboard["panels"] if panel["type"] != "row"]

    def queries(self) -> list[tuple[str, str, str]]:
        """Each query of the dashboard: its panel, its expression, its legend."""
        return [
            (panel["title"], target["expr"], target["legendFormat"])
            for panel in self.panels
            for target in panel["targets"]
        ]

    def section(self, heading: str) -> str:
        """A section of the page."""
        found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", self.page, re.MULTILINE | re.DOTALL)
        if not found:
            raise Complaints(f"docs/operate/monitoring.md has no section {heading}; the checks read its table")
        return found[1]

    def documented(self) -> dict[str, set[str]]:
        """The metrics of the page, with their labels."""
        names = re.findall(r"`(countersign_\w+)(?:\{([\w,]+)\})?`", self.section("Metrics"))
        return {name: set(labels.split(",")) - {""} for name, labels in names}


def labels_of(metrics: dict[str, set[str]], name: str) -> set[str] | None:
    """The labels of a series of this name, if there is such a metric."""
    target = {"job", "instance"}
    if name in ("up", "probe_success"):
        return target
    if name == "ALERTS":
        return target | {"alertname", "alertstate", "severity"}
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    if name in metrics:
        return metrics[name] | target
    if base in metrics:
        return metrics[base] | target | ({"le"} if name.endswith("_bucket") else set())
    return None
