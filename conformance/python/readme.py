"""Runs the Python of README.md unchanged against a running dev world.

New users paste these lines, so they must work after the quick start above them: with its ready file, its first user, and
the device that it enrolled.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def call(method, url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def enrol(world):
    """Does what the quick start does first: enrols a telephone for the first user."""
    base, client = world["base_url"], world["clients"][0]
    pair = {name: client[name] for name in ("client_id", "client_secret")}
    token = call("POST", f"{base}/auth/oauth2/v2/token", {"grant_type": "client_credentials", **pair})["access_token"]
    mfa = f"{base}/api/2/mfa/users/{world['users'][0]['id']}"
    bearer = {"Authorization": f"Bearer {token}"}
    if not call("GET", f"{mfa}/devices", **bearer):
        factors = call("GET", f"{mfa}/factors", **bearer)
        sms = next(factor["factor_id"] for factor in factors if factor["auth_factor_name"] == "SMS")
        device = {"factor_id": sms, "display_name": "My phone", "verified": True}
        call("POST", f"{mfa}/registrations", device, **bearer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", required=True)
    parser.add_argument("--readme", required=True)
    arguments = parser.parse_args()
    blocks = BLOCK.findall(pathlib.Path(arguments.readme).read_text())
    if not blocks:
        sys.exit("README.md has no Python")
    enrol(json.loads(pathlib.Path(arguments.ready).read_text()))
    for block in blocks:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(arguments.ready, pathlib.Path(folder) / "ready.json")
            ran = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, timeout=120)
        if ran.returncode != 0 or not UUID.search(ran.stdout):
            sys.exit(f"README's Python ends with {ran.returncode}:\n{block}\n{ran.stdout}\n{ran.stderr}")


if __name__ == "__main__":
    main()
