#!/usr/bin/env python3
"""Runs the hand-written OneLogin Python SDK (versions 1 and 2) against a `countersign dev`.

It has the same interface as steps.py. This SDK has OneLogin's host names compiled in, so the process overrides them, and
trusts a private authority through the variables that docs/guides/hard-coded-domains.md lists.
"""

import argparse
import json
from urllib.parse import urlsplit

from driver.harness import STEPS, State, by_flow, fail, run_all


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the steps, run nothing")
    parser.add_argument("--ready", metavar="FILE", help="the ready file of `countersign dev`")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    parser.add_argument("--profile", choices=["default"], help="the profile that credential has")
    parser.add_argument("--authority", metavar="FOLDER", help="where the private authority was made")
    parser.add_argument("--expect-version", help="stop unless the SDK is of this version")
    parser.add_argument("--flow", action="append", default=[], metavar="STEPS=ID:SECRET", help="a credential for steps that begin so")
    parser.add_argument("--only", action="append", metavar="PREFIX", help="run only steps that begin so")
    chosen = parser.parse_args()
    if not chosen.list:
        for name in ("ready", "client_id", "client_secret", "profile", "authority"):
            if getattr(chosen, name) is None:
                parser.error(f"--{name.replace('_', '-')} is required")
    return chosen


class World(State):
    """One server, one credential, one SDK, and what the steps store for later ones."""

    def __init__(self, chosen):
        from classic.sdk import Caller
        from driver.devworld import DevWorld
        from driver.network import NameOverride

        with open(chosen.ready, encoding="utf-8") as file:
            self.ready = json.load(file)
        self.profile = chosen.profile
        self.dev = DevWorld(self.ready["base_url"], self.ready["outbox_url"])
        NameOverride({".onelogin.com": urlsplit(self.ready["base_url"]).port}).here()
        self.api = Caller(chosen.client_id, chosen.client_secret)
        self.callers = by_flow(chosen.flow, Caller, lambda caller: caller.call("get_access_token"))
        if len(self.ready["users"]) < 3:
            fail("the ready file names fewer than three users")
        self.alice, self.bob, self.carol = self.ready["users"][:3]

    def ready_client(self, scope):
        for client in self.ready["clients"]:
            if client["scope"] == scope:
                return client["client_id"], client["client_secret"]
        raise AssertionError(f"the ready file has no client of scope {scope}")


def main():
    chosen = arguments()
    try:
        from onelogin.api.version import __version__ as version
    except ImportError:
        fail("no such `onelogin` package here: run this with the interpreter of its virtual environment")
    if chosen.expect_version and version != chosen.expect_version:
        fail(f"the SDK is {version}, not {chosen.expect_version}")

    # The order of these lines is the order of the steps.
    from classic import oauth, users, mfa_v1, mfa_v2, login, saml, smart, events, teardown  # noqa: F401

    if chosen.list:
        for item in STEPS:
            print(json.dumps({"step": item.name, "title": item.title}, ensure_ascii=False))
        return 0
    world = World(chosen)
    return 0 if run_all(world, chosen.only) else 1


if __name__ == "__main__":
    raise SystemExit(main())
