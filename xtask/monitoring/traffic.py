"""People and programs that use the two servers, so that every metric has something to count."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from client import EMAIL, PUSH, SMS, TOTP, Client, code
from files import Complaints
from outside import DENIED, LOST, REFUSED, send_receipts


class DevWorld:
    """A dev world, where a person enrols, verifies, errs and is asked by push, and a gateway fails."""

    def __init__(self, ready: dict[str, Any]) -> None:
        first = ready["clients"][0]
        self.api = Client(ready["base_url"], first["client_id"], first["client_secret"])
        self.users = [user["id"] for user in ready["users"]]
        self.fails = False
        user = self.users[0]
        app = self.api.enrol(user, TOTP)
        key = app["factor_data"]["verification_token"]
        path = f"/api/2/mfa/users/{user}/registrations/{app['id']}"
        # Both at once, so that they are of two adjacent steps.
        first, second = code(key, 0), code(key, 1)
        self.api.expect(200, "PUT", path, {"otp": first})
        self.api.expect(200, "PUT", self.api.challenge(user, TOTP), {"otp": second})
        self.api.expect(200, "POST", "/dev/phone/pair", self.api.enrol(user, PUSH))
        for person in self.users[1:]:
            self.confirm(person, SMS, "sms")
        self.confirm(user, EMAIL, "email")

    def confirm(self, user: int, name: str, channel: str) -> None:
        registration = self.api.enrol(user, name)["id"]
        path = f"/api/2/mfa/users/{user}/registrations/{registration}"
        self.api.expect(200, "PUT", path, {"otp": self.message(f"channel={channel}&user_id={user}")})

    def message(self, query: str) -> str:
        """The code of the newest message that answers the query."""
        messages = self.api.expect(200, "GET", f"/dev/outbox?{query}&wait=10s")
        return messages[-1]["code"]

    def round(self) -> None:
        """What happens again and again."""
        user, other = self.users[0], self.users[1]
        prompt = self.api.challenge(user, PUSH)
        self.api.expect(200, "GET", prompt)
        self.api.expect(200, "POST", f"/dev/phone/accept?user_id={user}")
        self.api.expect(200, "GET", prompt)
        if not self.fails:
            self.api.challenge(user, EMAIL)
        # One wrong code before the right one: more of them in a row make the server slow on purpose.
        answer = self.api.challenge(other, SMS)
        right = self.message(f"verification_id={answer.rpartition('/')[2]}")
        self.api.expect(401, "PUT", answer, {"otp": f"{(int(right) + 1) % 1_000_000:06}"})
        self.api.expect(200, "PUT", answer, {"otp": right})
        self.api.call("GET", "/api/2/nothing/here")

    def fail(self) -> None:
        """The gateway of mail fails, and five messages in a row take its route down."""
        self.fails = True
        self.api.expect(200, "PUT", "/dev/faults", {"channel": "email", "fail": 1})
        body = {"device_id": self.api.device(self.users[0], EMAIL)}
        for _ in range(5):
            self.api.call("POST", f"/api/2/mfa/users/{self.users[0]}/verifications", body)


class Server:
    """`serve` with a gateway, prices, caps and webhooks."""

    def __init__(self, binary: Path, folder: Path, ready: dict[str, Any], port: int) -> None:
        self.command = [str(binary)]
        self.place = ["--data-dir", str(folder / "data"), "--config", str(folder / "config.toml")]
        self.base_url = ready["base_url"]
        made = self.run("client", "create", "--scope", "Manage All", "--name", "monitoring")
        self.api = Client(self.base_url, made["client_id"], made["client_secret"])
        numbers = ["+14155550101", DENIED, REFUSED, LOST]
        self.users = [
            self.run("user", "create", "--username", f"person{place}", "--phone", number)["id"]
            for place, number in enumerate(numbers)
        ]
        for path in ("accepted", "broken"):
            self.run("webhook", "create", f"http://127.0.0.1:{port}/{path}", "--allow-private")

    def run(self, *arguments: str) -> dict[str, Any]:
        """What a command answers."""
        command = [*self.command, *arguments, "--json", *self.place]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise Complaints(f"{' '.join(arguments)} failed: {done.stderr}")
        return json.loads(done.stdout)

    def round(self) -> None:
        """Each person has a message sent, of which one is denied, one refused and one lost."""
        for user in self.users:
            body = {"factor_id": self.api.factor(user, SMS), "display_name": "phone"}
            self.api.call("POST", f"/api/2/mfa/users/{user}/registrations", body)

    def bring_receipts(self) -> None:
        send_receipts(self.base_url)
