"""The API over plain HTTP, with nothing but Python, and the codes of an authenticator app."""

from __future__ import annotations

import base64
import hmac
import json
import struct
import urllib.error
import urllib.request
from typing import Any

# Seconds of a time step.
STEP = 30


class Client:
    """Calls one server with a token for everything that its scope allows."""

    def __init__(self, base_url: str, client_id: str, client_secret: str) -> None:
        self.base_url = base_url
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"}
        status, token = self.call("POST", "/auth/oauth2/v2/token", {"grant_type": "client_credentials"})
        if status != 200:
            raise SystemExit(f"no token is issued ({status}): {token}")
        self.headers = {"Authorization": f"Bearer {token['access_token']}"}

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the content of an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(self.base_url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"null")


def code(key: str, step: int) -> str:
    """The code of a time step (RFC 6238)."""
    mac = hmac.digest(base64.b32decode(key), struct.pack(">Q", step), "sha1")
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
