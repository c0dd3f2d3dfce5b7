#!/usr/bin/env python3
"""Logs in to AWS with a command-line tool that has OneLogin's host names compiled in, through a `countersign dev`.

Run it with the interpreter of a virtual environment that has the tool. It has the same interface as steps.py. The tool
runs as its users run it: as a process with arguments, a configuration file, a home folder and typed input. Names are
overridden for that process alone, and a stub of AWS verifies the assertion that the tool sends.
"""

import argparse
import importlib.metadata
import json
from pathlib import Path

from driver.harness import STEPS, State, fail, run_all

TOOLS = ("onelogin-aws-assume-role", "onelogin-aws-cli")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the steps, run nothing")
    parser.add_argument("--ready", metavar="FILE", help="the ready file of `countersign dev`")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    parser.add_argument("--profile", choices=["default"], help="the profile that credential has")
    parser.add_argument("--authority", metavar="FOLDER", help="where the private authority was made")
    parser.add_argument("--expect-version", help="stop unless the tool is of this version")
    parser.add_argument("--only", action="append", metavar="PREFIX", help="run only steps that begin so")
    chosen = parser.parse_args()
    if not chosen.list:
        for name in ("ready", "client_id", "client_secret", "profile", "authority"):
            if getattr(chosen, name) is None:
                parser.error(f"--{name.replace('_', '-')} is required")
    return chosen


def installed():
    for tool in TOOLS:
        try:
            return tool, importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    fail("no AWS log-in tool here: run this with the interpreter of its virtual environment")


def world(chosen):
    from aws_tools.fixtures import Fixtures
    from aws_tools.tool import Tool
    from sts import Service
    from urllib.parse import urlsplit

    w = State()
    w.ready = json.loads(Path(chosen.ready).read_text(encoding="utf-8"))
    # The tool has the credential of the run; the fixtures have a separate one.
    manager = next(client for client in w.ready["clients"] if client["scope"] == "Manage All")
    w.fixtures = Fixtures(w.ready, manager["client_id"], manager["client_secret"])
    w.aws = Service(chosen.authority, w.fixtures.certificate())
    w.fixtures.check_stub(w.aws.certificate)
    w.tool = Tool(w.ready, w.aws, urlsplit(w.ready["base_url"]).port)
    w.credential = (chosen.client_id, chosen.client_secret)
    return w


def main():
    chosen = arguments()
    tool, version = installed()
    if chosen.expect_version and version != chosen.expect_version:
        fail(f"{tool} is {version}, not {chosen.expect_version}")
    if tool == "onelogin-aws-cli":
        from aws_tools import onelogin_aws_cli  # noqa: F401
    else:
        from aws_tools import onelogin_aws_assume_role  # noqa: F401
    if chosen.list:
        for item in STEPS:
            print(json.dumps({"step": item.name, "title": item.title}, ensure_ascii=False))
        return 0
    return 0 if run_all(world(chosen), chosen.only) else 1


if __name__ == "__main__":
    raise SystemExit(main())
