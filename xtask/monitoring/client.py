"""An application: it enrols factors and asks for them."""

from __future__ import annotations

import time
from typing import Any

import plain
from files import Complaints

# Factors by their name in the API.
TOTP, SMS, EMAIL, PUSH = "Google Authenticator", "SMS", "OneLogin Email", "OneLogin"


class Client(plain.Client):
    """Calls one server as its users' application does."""

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
    """What an authenticator app shows so many steps from now."""
    return plain.code(key, int(time.time() / plain.STEP) + steps)
