"""Fuzzes a dev world with schemathesis, by its /openapi.json. No answer may be a server error, and every answer must be
described there.

Called as: fuzz.py READY_FILE [arguments for schemathesis...]
"""

import base64
import json
import os
import sys
import urllib.request

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def token(world):
    """An access token of the client with the scope Manage All."""
    client = next(client for client in world["clients"] if client["scope"] == "Manage All")
    pair = f"{client['client_id']}:{client['client_secret']}".encode()
    request = urllib.request.Request(
        world["base_url"] + "/auth/oauth2/v2/token",
        data=b'{"grant_type":"client_credentials"}',
        headers={"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(pair).decode()},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        world = json.load(file)
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"),
        "run",
        world["base_url"] + "/openapi.json",
        "--header", f"Authorization: Bearer {token(world)}",
        "--checks", CHECKS,
        "--continue-on-failure",
        # This call would revoke the token that all later calls use.
        "--exclude-path", "/auth/oauth2/revoke",
        *sys.argv[2:],
    ]
    os.execv(command[0], command)


main()
