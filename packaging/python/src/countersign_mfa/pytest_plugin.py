"""Fixtures for pytest, which loads this module by its entry point."""

from __future__ import annotations

from typing import Any, Generator, Iterator

import pytest

from ._world import World

# How much of a failed test's calls is shown.
_SHOWN = 20


@pytest.fixture(scope="session")
def countersign_options() -> dict[str, Any]:
    """Arguments of `World`. Define a fixture of this name in your `conftest.py` to change them."""
    return {}


@pytest.fixture(scope="session")
def countersign_world(countersign_options: dict[str, Any]) -> Iterator[World]:
    """A world that all tests of the session share."""
    with World(**countersign_options) as world:
        yield world


@pytest.fixture
def mfa(countersign_world: World) -> World:
    """The world, as new: without devices, messages and tokens, and with the clock of the machine."""
    countersign_world.reset()
    return countersign_world


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Shows the calls of a failed test, and why one was refused."""
    outcome = yield
    report = outcome.get_result()
    world = getattr(item, "funcargs", {}).get("mfa")
    if report.when == "call" and report.failed and isinstance(world, World):
        report.sections.append(("Countersign: calls of the API", _calls(world)))


def _calls(world: World) -> str:
    try:
        calls = world.requests()
    except Exception as error:  # A report must not fail: the world may have ended.
        return str(error)
    lines = []
    for call in calls[-_SHOWN:]:
        why = "; ".join(str(call[part]) for part in ("message", "reason") if call[part])
        lines.append(f"{call['method']} {call['path']} -> {call['status']}" + (f": {why}" if why else ""))
    return "\n".join(lines) or "none"
