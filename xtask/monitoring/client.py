"""A client of the API, as README.md shows it with curl."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import time
import urllib.error
import urllib.request
from typing import Any

from files import Complaints

# Factors by their name in the API.
TOTP, SMS, EMAIL, PUSH = "Google Authenticator", "SMS", "OneLogin Email", "OneLogin"


class Client:
    """Calls one server with a token for everything."""

    def __init__(self, base_url: str, client_id: str, client_secret: str) -> None:
        self.base_url = base_url
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        grant = {"grant_type": "client_credentials"}
        _, token = self.call("POST", "/auth/oauth2/v2/token", grant, {"Authorization": f"Basic {pair}"})
        self.headers = {"Authorization": f"Bearer {token['access_token']}"}

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """The status and the content of an answer."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(self.headers if headers is None else headers)}
        request = urllib.request.Request(self.base_url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def expect(self, status: int, method: str, path: str, body: Any = None) -> Any:
        """The content of an answer that has this status."""
        got, content = self.call(method, path, body)
        if got != status:
            raise Complaints(
                f"{method} {path} was answered {got} and not {status}: {content}; look at how traffic.py uses the servers"
            )
        return content

    def factor(self, user: int, name: str) -> str:
        factors = self.expect(200, "GET", f"/api/2/mfa/users/{user}/factors")
        return next(factor["factor_id"] for factor in factors if factor["auth_factor_name"] == name)

    def enrol(self, user: int, name: str) -> Any:
        body = {"factor_id": self.factor(user, name), "display_name": name}
        return self.expect(201, "POST", f"/api/2/mfa/users/{user}/registrations", body)

    def device(self, user: int, name: str) -> str:
        devices = self.expect(200, "GET", f"/api/2/mfa/users/{user}/devices")
        return next(device["device_id"] for device in devices if device["auth_factor_name"] == name)

    def challenge(self, user: int, name: str) -> str:
        """The path of a new verification."""
        path = f"/api/2/mfa/users/{user}/verifications"
        return f"{path}/{self.expect(201, 'POST', path, {'device_id': self.device(user, name)})['id']}"


def code(key: str, steps: int) -> str:
    """What an authenticator app shows so many steps from now (RFC 6238)."""
    mac = hmac.digest(base64.b32decode(key), struct.pack(">Q", int(time.time() / 30) + steps), hashlib.sha1)
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
