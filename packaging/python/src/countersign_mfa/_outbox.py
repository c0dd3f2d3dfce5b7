"""The outbox: text messages, calls, mails and prompts that the world would have sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import Any, Callable, Optional

from ._errors import NoMessage
from ._http import Http
from ._model import UserName

# The server holds a request for 25 seconds at most.
_HELD = 20.0


@dataclass(frozen=True)
class Message:
    """A message to a user."""

    id: int
    #: `sms`, `voice`, `email` or `push`.
    channel: str
    to: str
    subject: Optional[str]
    body: str
    #: The code in it, if it has one.
    code: Optional[str]
    #: The link in it, if it has one.
    link: Optional[str]
    user_id: int
    username: str
    device_id: int
    verification_id: Optional[str]
    created_at: str
    expires_at: Optional[str]
    #: `waiting`, `accepted`, `rejected` or `expired`, when it was read.
    state: str
    _http: Http = field(repr=False, compare=False)

    def accept(self, number: Optional[str] = None) -> None:
        """Accepts this prompt. `number` is for prompts that ask for one."""
        self._http.dev("POST", f"/dev/outbox/{self.id}/accept", number=number)

    def deny(self) -> None:
        """Denies this prompt."""
        self._http.dev("POST", f"/dev/outbox/{self.id}/deny")

    def report(self) -> None:
        """Denies this prompt and says that somebody else has started it."""
        self._http.dev("POST", f"/dev/outbox/{self.id}/report")

    def keypad(self, digits: str) -> None:
        """Keys digits into this call."""
        self._http.dev("POST", f"/dev/outbox/{self.id}/keypad", {"digits": digits})


class Outbox:
    """Reads messages. `wait` returns each message once, the oldest first."""

    def __init__(self, http: Http, user_id: Callable[[UserName], int]) -> None:
        self._http = http
        self._user_id = user_id
        self._read: set[int] = set()

    def wait(
        self,
        user: Optional[UserName] = None,
        channel: Optional[str] = None,
        *,
        to: Optional[str] = None,
        verification_id: Optional[str] = None,
        timeout: float = 10.0,
    ) -> Message:
        """Waits for the oldest message that no `wait` has returned yet.

        A message leaves a moment after the call that sends it. Since each message is returned once and in order, a test
        that reads a code for each one that it asks for never gets an older code by accident.
        """
        asked = self._asked(user, channel, to, verification_id)
        until = time.monotonic() + timeout
        seen = 0
        while True:
            left = max(until - time.monotonic(), 0.0)
            held = f"{int(min(left, _HELD) * 1000)}ms"
            for message in self._get(asked, after=seen or None, wait=held):
                seen = max(seen, message.id)
                if message.id not in self._read:
                    self._read.add(message.id)
                    return message
            if time.monotonic() >= until:
                raise NoMessage(self._nothing(asked, timeout))

    def messages(
        self,
        user: Optional[UserName] = None,
        channel: Optional[str] = None,
        *,
        to: Optional[str] = None,
        verification_id: Optional[str] = None,
    ) -> list[Message]:
        """Lists the messages that have arrived, oldest first, read or not."""
        return self._get(self._asked(user, channel, to, verification_id))

    def forget(self) -> None:
        """Forgets what `wait` has returned. A reset of the world does it."""
        self._read.clear()

    def _asked(
        self, user: Optional[UserName], channel: Optional[str], to: Optional[str], verification_id: Optional[str]
    ) -> dict[str, object]:
        user_id = None if user is None else self._user_id(user)
        return {"user_id": user_id, "channel": channel, "to": to, "verification_id": verification_id}

    def _get(self, asked: dict[str, object], **more: object) -> list[Message]:
        found = self._http.dev("GET", "/dev/outbox", **asked, **more)
        return [self._message(values) for values in found]

    def _message(self, values: dict[str, Any]) -> Message:
        known = {one.name: values.get(one.name) for one in fields(Message) if one.name != "_http"}
        return Message(**known, _http=self._http)  # type: ignore[arg-type]

    def _nothing(self, asked: dict[str, object], timeout: float) -> str:
        wanted = ", ".join(f"{name} {value}" for name, value in asked.items() if value is not None) or "anybody"
        lines = [f"no unread message ({wanted}) arrived within {timeout:g} s."]
        arrived = self._get({})
        lines.append("The outbox has:" if arrived else "The outbox is empty: did your code ask for a message?")
        for one in arrived[-10:]:
            read = " (read)" if one.id in self._read else ""
            lines.append(f"  {one.id}. {one.channel} to {one.username} at {one.to}{read}")
        played = self._http.dev("GET", "/dev/faults")["played"]
        lines.extend(f"  fault played: {one['fault']}, {one['channel']} to {one['to']}" for one in played[-10:])
        lines.append("`world.requests()` shows what your code called, and why a call was refused.")
        return "\n".join(lines)
