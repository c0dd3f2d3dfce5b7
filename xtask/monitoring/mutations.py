"""Whether the tests of the rules notice when a rule is changed.

All rules are changed at once, which is the same as one after the other: no alert depends on another one. Each alert that
was changed must then fire at some evaluation whose test does not expect it.
"""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from expressions import comparisons, without_comparison
from files import Files

Rule = dict[str, Any]
# The gate has two cores.
SIDE_BY_SIDE = 2


def all_complaints(files: Files) -> list[str]:
    most = max(comparisons(rule["expr"]) for rule in files.alerts)
    mutations: list[tuple[str, Callable[[Rule], Rule | None]]] = [("its `for`", without_for)]
    mutations += [(f"comparison {number} of its expression", bound_remover(number)) for number in range(1, most + 1)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = pool.map(lambda mutation: unnoticed(files, *mutation), mutations)
    return [complaint for complaints in found for complaint in complaints]


def without_for(rule: Rule) -> Rule | None:
    return {key: value for key, value in rule.items() if key != "for"} if "for" in rule else None


def bound_remover(number: int) -> Callable[[Rule], Rule | None]:
    def mutate(rule: Rule) -> Rule | None:
        if comparisons(rule["expr"]) < number:
            return None
        return {**rule, "expr": without_comparison(rule["expr"], number)}

    return mutate


def unnoticed(files: Files, what: str, mutate: Callable[[Rule], Rule | None]) -> list[str]:
    """Complaints about the alerts that were changed without a test that noticed."""
    rules, changed = copy.deepcopy(files.rules), []
    for group in rules["groups"]:
        for place, rule in enumerate(group["rules"]):
            if (mutated := mutate(rule)) is not None:
                group["rules"][place] = mutated
                changed.append(rule["alert"])
    surprises = surprising(files, rules)
    return [
        f"no test notices when {name} loses {what}; add an evaluation at which it must be silent"
        for name in changed
        if name not in surprises
    ]


def surprising(files: Files, rules: dict[str, Any]) -> set[str]:
    """The alerts that fire under these rules where a test does not expect them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "alerts.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
        tests = [shutil.copy(path, folder) for path in files.tests]
        done = subprocess.run(
            ["promtool", "test", "rules", *tests], capture_output=True, text=True, timeout=120, check=False
        )
    found: set[str] = set()
    for expected, got in re.findall(r"^ *exp: ?(.*)\n *got: ?(.*)$", done.stdout + done.stderr, re.MULTILINE):
        # Of one name more alerts than expected may fire, so their number counts.
        alerts = [set(re.findall(r'alertname="(\w+)".*?\} (\S+?)(?:,|$)', text)) for text in (got, expected)]
        found |= {name for name, _ in alerts[0] - alerts[1]}
    return found
