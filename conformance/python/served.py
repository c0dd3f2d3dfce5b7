#!/usr/bin/env python3
"""Runs one OneLogin Python SDK against a `countersign serve` whose messages really leave it.

Run it with the interpreter of a virtual environment that has the SDK installed. Text messages and calls go to gateways and mail
to a mail server, all in this process. The steps read their codes there and key their digits in there. Everything else is as in `steps.py`, whose steps
these are; a line is printed for each, and the exit status is 1 if one failed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import time

import onelogin

# They bring the steps, in this order.
import driver.mfa_v2
import driver.links
import driver.mfa_v1
from driver.harness import State, equal, fail, run_all
from driver.receivers import Inbox
from driver.sdk import Caller

# Steps whose messages are texts, calls and mail.
ABOUT_MESSAGES = (
    "mfa.v1.email",
    "mfa.v1.sms.",
    "mfa.v1.trigger_answer",
    "mfa.v1.voice",
    "mfa.v2.email.",
    "mfa.v2.link.",
    "mfa.v2.sms.",
    "mfa.v2.voice.",
)
OFFERED = {"OneLogin SMS", "OneLogin Email", "OneLogin Voice", "OneLogin Protect", "Authenticator"}
OFFERED_V1 = {"OneLogin SMS", "OneLogin Email", "OneLogin Voice", "OneLogin Protect", "Google Authenticator"}


class Server:
    def __init__(self, binary, folder, inbox):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
        self.binary, self.environment, self.ready = binary, clean, folder / "ready.json"
        self.place = ["--config", inbox.configure(folder), "--data-dir", folder / "data"]
        serve = [binary, "serve", *self.place, "--listen", "127.0.0.1:0", "--ready-file", self.ready]
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(serve, env=clean, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                fail(f"the server does not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.02)
        self.base_url = json.loads(self.ready.read_text())["base_url"]
        inbox.server = self.base_url

    def caller(self, scope, profile):
        """The SDK with a new credential of this scope."""
        create = ["client", "create", "--scope", scope, "--profile", profile, "--hold", "off", "--json", *self.place]
        made = subprocess.run([self.binary, *create], env=self.environment, capture_output=True, check=True, timeout=30)
        client = json.loads(made.stdout)
        caller = Caller(self.base_url, client["client_id"], client["client_secret"])
        caller.authorize()
        return caller

    def stop(self):
        self.process.terminate()
        equal("exit status of the server", self.process.wait(timeout=40), 0)


def new_user(w, name, phone):
    address = f"{name}@example.com"
    user = w.api.users2.create_user2(user=onelogin.User(username=name, email=address, phone=phone)).id
    w.dev.recipients["sms", user] = phone
    w.dev.recipients["voice", user] = phone
    w.dev.recipients["email", user] = address
    return user


def prepare(w):
    """What other steps of `steps.py` leave to these."""
    w.alice_phone, w.bob_phone = "+14155550101", "+14155550202"
    w.alice_email = "alice@example.com"
    w.alice, w.bob = new_user(w, "alice", w.alice_phone), new_user(w, "bob", w.bob_phone)
    w.maya = new_user(w, "maya", "+14155550303")
    w.factor_ids = {factor.name: factor.factor_id for factor in w.api.mfa2.get_auth_factors(w.alice)}
    equal("factors that are offered", OFFERED & w.factor_ids.keys(), OFFERED)
    listed = w.api.mfa1.get_mfa_factors(w.bob).data.auth_factors
    w.factor_ids_v1 = {factor.name: factor.factor_id for factor in listed}
    equal("factors that are offered in v1", OFFERED_V1 & w.factor_ids_v1.keys(), OFFERED_V1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="an empty folder for the server's files")
    parser.add_argument("--profile", choices=["default", "python4"], required=True)
    parser.add_argument("--scope", required=True, help="the scope of the SDK's credential")
    parser.add_argument("--expect-version", required=True, help="stop unless the SDK is of this version")
    chosen = parser.parse_args()
    if onelogin.__version__ != chosen.expect_version:
        fail(f"the SDK is {onelogin.__version__}, not {chosen.expect_version}")
    w = State()
    w.profile, w.dev = chosen.profile, Inbox()
    server = Server(chosen.binary, chosen.folder, w.dev)
    try:
        w.api = server.caller(chosen.scope, chosen.profile)
        prepare(w)
        good = run_all(w, ABOUT_MESSAGES)
        server.stop()
    finally:
        server.process.kill()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
