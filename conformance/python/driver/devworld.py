"""The development endpoints: a user's telephone and inbox, and the server's clock.

Only this module speaks HTTP without the SDK.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime

from .network import own_name


class DevWorld:
    def __init__(self, base_url, outbox_url):
        self.base_url = own_name(base_url)
        self.outbox_url = own_name(outbox_url)
        # Loopback only: ignore proxies of the environment.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.seen = 0

    def call(self, method, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=40) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {urllib.parse.urlsplit(url).path}: {error.code} {error.read()[:200]!r}") from None
        return json.loads(text) if text.strip() else None

    # The telephone and the inbox.

    def outbox(self, **query):
        query = {key: value for key, value in query.items() if value is not None}
        return self.call("GET", f"{self.outbox_url}?{urllib.parse.urlencode(query)}")

    def mark(self):
        """Marks all messages so far as seen. `message` returns only later ones."""
        messages = self.outbox(after=self.seen)
        if messages:
            self.seen = max(message["id"] for message in messages)

    def message(self, channel, user_id):
        """Waits for the message sent since `mark`."""
        messages = self.outbox(channel=channel, user_id=user_id, after=self.seen, wait="10s")
        if not messages:
            raise AssertionError(f"no {channel} message for user {user_id} within 10 s")
        message = messages[-1]
        self.seen = max(self.seen, message["id"])
        if message["channel"] != channel or message["user_id"] != user_id:
            raise AssertionError(f"the outbox filter let through {message!r}")
        return message

    def code(self, channel, user_id):
        message = self.message(channel, user_id)
        if not isinstance(message["code"], str) or message["code"] not in message["body"]:
            raise AssertionError(f"no code in the {channel} message {message!r}")
        return message["code"]

    def keypad(self, message, digits):
        self.call("POST", f"{self.base_url}/dev/outbox/{message['id']}/keypad", {"digits": digits})

    def pair(self, enrolment_answer):
        self.call("POST", f"{self.base_url}/dev/phone/pair", enrolment_answer)

    def accept(self, user_id):
        self.call("POST", f"{self.base_url}/dev/phone/accept?user_id={user_id}")

    def deny(self, user_id):
        self.call("POST", f"{self.base_url}/dev/phone/deny?user_id={user_id}")

    # The clock.

    def now(self):
        return unix_seconds(self.call("GET", f"{self.base_url}/dev/clock"))

    def advance(self, seconds):
        self.call("PUT", f"{self.base_url}/dev/clock", {"advance_seconds": seconds})


def unix_seconds(clock):
    """Seconds since 1970 from the clock's answer, which holds a number or a date."""
    for key in ("unix_ms", "now_ms", "unix_millis"):
        if isinstance(clock.get(key), int):
            return clock[key] / 1000
    for key in ("unix", "unix_seconds", "now", "time"):
        value = clock.get(key)
        if isinstance(value, (int, float)):
            return value / 1000 if value > 1e11 else float(value)
        if isinstance(value, str):
            return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    for key in ("offset_seconds", "advance_seconds"):
        if isinstance(clock.get(key), (int, float)):
            return time.time() + clock[key]
    raise AssertionError(f"no time in the clock's answer {clock!r}")
