"""Steps, their shared state and the assertions that they use."""

import json
import sys
import time
import traceback
from pathlib import Path

STEPS = []


class Known:
    """Returned by a step if the SDK itself cannot send or read something.

    A step may only return it after it has seen the SDK fail in exactly that way, so that the list of
    known gaps stays true when an SDK is repaired.
    """

    def __init__(self, reason):
        self.reason = reason


class Missing(Exception):
    """An earlier step did not store what this one needs."""


class State:
    """What steps store for later ones. A step that reads an attribute that was never set fails."""

    def __getattr__(self, name):
        raise Missing(f"an earlier step did not give `{name}`")


class Step:
    def __init__(self, name, title, run):
        self.name = name
        self.title = title
        self.run = run


def step(name, title):
    """Registers a step. Steps run in the order of registration."""

    def register(run):
        if any(known.name == name for known in STEPS):
            raise ValueError(f"two steps are called {name}")
        STEPS.append(Step(name, title, run))
        return run

    return register


def by_flow(given, make, authorize):
    """Authorized callers for flows with a separate credential, by the prefix of their steps' names."""
    callers = {}
    for flow in given:
        steps, _, pair = flow.partition("=")
        callers[steps] = make(*pair.split(":", 1))
        authorize(callers[steps])
    return callers


def select_caller(world, name):
    """Sets the caller of a step: with the credential of its flow, or of the run."""
    callers = vars(world).get("callers", {})
    if not callers:
        return
    usual = vars(world).setdefault("usual", world.api)
    world.api = next((caller for steps, caller in callers.items() if name.startswith(steps)), usual)


def run_all(world, only=None):
    """Runs the steps in order and prints one JSON line for each. True if none failed."""
    good = True
    for item in STEPS:
        if only and not any(item.name.startswith(prefix) for prefix in only):
            continue
        try:
            select_caller(world, item.name)
            outcome = item.run(world)
            if isinstance(outcome, Known):
                emit(item.name, "known", outcome.reason)
            else:
                emit(item.name, True, outcome or "")
        except Missing as missing:
            good = False
            emit(item.name, False, str(missing))
        except Exception as error:  # every failure of a step is a result, not a crash
            good = False
            emit(item.name, False, f"{describe(error)} ({where(error)})")
    return good


def emit(name, ok, detail):
    print(json.dumps({"step": name, "ok": ok, "detail": detail}, ensure_ascii=False), flush=True)


def describe(error):
    status = getattr(error, "status", None)
    if status is not None:
        text = f"{type(error).__name__} {status}: {getattr(error, 'body', None) or error.reason}"
    else:
        text = f"{type(error).__name__}: {error}"
    text = " ".join(text.split())
    return text if len(text) <= 400 else text[:400] + "…"


def where(error):
    """The innermost line of the driver: the call that failed, not the SDK's code."""
    home = Path(__file__).resolve().parent.parent
    frames = [f for f in traceback.extract_tb(error.__traceback__) if home in Path(f.filename).parents]
    frames = [f for f in frames if Path(f.filename).name not in ("harness.py", "sdk.py")] or frames
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


def equal(what, got, want):
    if got != want or type(got) is not type(want):
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def true(condition, otherwise):
    if not condition:
        raise AssertionError(otherwise)


def matches(what, got, pattern):
    true(isinstance(got, str) and pattern.fullmatch(got), f"{what}: got {got!r}, want {pattern.pattern}")


def poll(what, read, done, seconds=10.0):
    """Polls until `done`. After `seconds` it fails with the last value."""
    end = time.monotonic() + seconds
    while True:
        value = read()
        if done(value):
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: still {value!r} after {seconds:.0f} s")
        time.sleep(0.2)


def fail(message):
    print(message, file=sys.stderr)
    raise SystemExit(2)
