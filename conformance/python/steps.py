#!/usr/bin/env python3
"""Runs one OneLogin Python SDK against a `countersign dev`.

Run it with the interpreter of a virtual environment that has the SDK installed. It prints one JSON
line per step, {"step": …, "ok": true | false | "known", "detail": …}, and exits 1 if a step failed.
Every API call goes through the SDK's own methods.
"""

import argparse
import json

from driver.harness import STEPS, State, by_flow, fail, run_all


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the steps, run nothing")
    parser.add_argument("--ready", metavar="FILE", help="the ready file of `countersign dev`")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    parser.add_argument("--profile", choices=["default", "python4"], help="the profile that credential has")
    parser.add_argument("--expect-version", help="stop unless the SDK is of this version")
    parser.add_argument("--flow", action="append", default=[], metavar="STEPS=ID:SECRET", help="a credential for steps that begin so")
    parser.add_argument("--only", action="append", metavar="PREFIX", help="run only steps that begin so")
    chosen = parser.parse_args()
    if not chosen.list:
        for name in ("ready", "client_id", "client_secret", "profile"):
            if getattr(chosen, name) is None:
                parser.error(f"--{name.replace('_', '-')} is required")
    return chosen


class World(State):
    """One server, one credential, one SDK, and what the steps store for later ones."""

    def __init__(self, chosen):
        from driver.devworld import DevWorld
        from driver.sdk import Caller

        with open(chosen.ready, encoding="utf-8") as file:
            self.ready = json.load(file)
        self.profile = chosen.profile
        self.base_url = self.ready["base_url"]
        self.dev = DevWorld(self.base_url, self.ready["outbox_url"])
        self.api = Caller(self.base_url, chosen.client_id, chosen.client_secret)
        self.callers = by_flow(chosen.flow, lambda *pair: Caller(self.base_url, *pair), Caller.authorize)
        if len(self.ready["users"]) < 3:
            fail("the ready file names fewer than three users")
        alice, bob, self.carol = self.ready["users"][:3]
        self.alice, self.alice_phone, self.alice_email = alice["id"], alice["phone"], alice["email"]
        self.bob, self.bob_phone, self.bob_words = bob["id"], bob["phone"], bob

    def ready_client(self, scope):
        for client in self.ready["clients"]:
            if client["scope"] == scope:
                return client["client_id"], client["client_secret"]
        raise AssertionError(f"the ready file has no client of scope {scope}")


def main():
    chosen = arguments()
    try:
        import onelogin
    except ImportError:
        fail("no `onelogin` package here: run this with the interpreter of its virtual environment")
    if chosen.expect_version and onelogin.__version__ != chosen.expect_version:
        fail(f"the SDK is {onelogin.__version__}, not {chosen.expect_version}")

    # The order of these lines is the order of the steps.
    from driver import oauth, users, mfa_v2, mfa_v1, saml, events, teardown  # noqa: F401

    if chosen.list:
        for item in STEPS:
            print(json.dumps({"step": item.name, "title": item.title}, ensure_ascii=False))
        return 0
    world = World(chosen)
    return 0 if run_all(world, chosen.only) else 1


if __name__ == "__main__":
    raise SystemExit(main())
