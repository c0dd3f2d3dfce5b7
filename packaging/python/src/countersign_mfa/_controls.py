"""The phone, the clock, the faults and the authenticator apps of a world."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, Callable, Optional, Union, cast

from ._errors import CallError, CountersignError
from ._http import Http
from ._model import UserName

_UserId = Callable[[UserName], int]


class Phone:
    """The simulated phone. It answers the newest prompt of a device that it is paired as."""

    def __init__(self, http: Http, user_id: _UserId) -> None:
        self._http = http
        self._user_id = user_id

    def pair(self, enrolment: object) -> int:
        """Pairs the phone. `enrolment` is the answer that your code got when it enrolled. Returns the device's id."""
        return int(self._http.dev("POST", "/dev/phone/pair", enrolment)["device_id"])

    def accept(self, user: Optional[UserName] = None, *, number: Optional[str] = None, timeout: float = 5.0) -> None:
        """Accepts the newest prompt; waits for one up to `timeout` seconds."""
        self._answer("accept", user, number, timeout)

    def deny(self, user: Optional[UserName] = None, *, timeout: float = 5.0) -> None:
        """Denies the newest prompt; waits for one up to `timeout` seconds."""
        self._answer("deny", user, None, timeout)

    def report(self, user: Optional[UserName] = None, *, timeout: float = 5.0) -> None:
        """Denies the newest prompt and says that somebody else has started it."""
        self._answer("report", user, None, timeout)

    @property
    def device_ids(self) -> list[int]:
        """The devices that the phone is paired as."""
        return [int(one) for one in self._http.dev("GET", "/dev/phone")["device_ids"]]

    def _answer(self, how: str, user: Optional[UserName], number: Optional[str], timeout: float) -> None:
        user_id = None if user is None else self._user_id(user)
        until = time.monotonic() + timeout
        while True:
            try:
                self._http.dev("POST", f"/dev/phone/{how}", user_id=user_id, number=number)
                return
            except CallError as refused:
                # Until the prompt is there.
                if refused.status != 404 or time.monotonic() >= until:
                    raise
            time.sleep(0.02)


class Clock:
    """The world's clock. Expiry, locks and delays follow it."""

    def __init__(self, http: Http, moved: Callable[[], None]) -> None:
        self._http = http
        # A token may have expired when the clock has moved.
        self._moved = moved

    def now(self) -> datetime:
        """The world's time, in UTC."""
        return _time(self._http.dev("GET", "/dev/clock"))

    def advance(self, time: Union[float, timedelta]) -> datetime:
        """Moves the clock forward by seconds or a `timedelta`, to a whole second. Returns the new time."""
        seconds = time.total_seconds() if isinstance(time, timedelta) else time
        return self._put(advance_seconds=round(seconds))

    def set(self, time: Union[str, datetime]) -> datetime:
        """Sets the clock, to a `datetime` with a zone or a text such as `2027-01-01T00:00:00Z`."""
        if isinstance(time, datetime):
            if time.tzinfo is None:
                raise ValueError("the time has no zone: use datetime(…, tzinfo=timezone.utc)")
            time = time.isoformat()
        return self._put(set=time)

    def freeze(self) -> datetime:
        """Stops the clock. Codes of authenticator apps then stay the same."""
        return self._put(freeze=True)

    def resume(self) -> datetime:
        """Continues from the frozen time. (`continue` is a word of the language.)"""
        return self._put(freeze=False)

    def _put(self, **change: object) -> datetime:
        self._moved()
        return _time(self._http.dev("PUT", "/dev/clock", change))


def _time(answer: dict[str, Any]) -> datetime:
    # Python 3.9 and 3.10 do not read the letter Z.
    return datetime.fromisoformat(str(answer["now"]).replace("Z", "+00:00"))


class Faults:
    """Gateways that are slow or fail."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def set(
        self, channel: str, *, delay: Union[float, timedelta, None] = None, fail: Optional[float] = None
    ) -> dict[str, Any]:
        """Sets how late messages of a channel arrive (seconds), and which share of them fails (0 to 1)."""
        change: dict[str, object] = {"channel": channel}
        if delay is not None:
            seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
            change["delay"] = f"{round(seconds * 1000)}ms"
        if fail is not None:
            change["fail"] = fail
        answer = self._http.dev("PUT", "/dev/faults", change)
        return cast("dict[str, Any]", answer["channels"][channel])

    def clear(self) -> None:
        """Ends the faults of all channels."""
        for channel in self._http.dev("GET", "/dev/faults")["channels"]:
            self.set(channel, delay=0, fail=0)

    @property
    def played(self) -> list[dict[str, Any]]:
        """The last hundred faults, oldest first."""
        return cast("list[dict[str, Any]]", self._http.dev("GET", "/dev/faults")["played"])


class Authenticator:
    """The authenticator apps of all users."""

    def __init__(self, http: Http, user_id: _UserId) -> None:
        self._http = http
        self._user_id = user_id

    def devices(self, user: Optional[UserName] = None) -> list[dict[str, Any]]:
        """What every app and token shows now."""
        user_id = None if user is None else self._user_id(user)
        answer = self._http.dev("GET", "/dev/authenticator", user_id=user_id)
        return cast("list[dict[str, Any]]", answer["devices"])

    def code(self, user: UserName) -> str:
        """The code that the newest app of a user shows. If it is used up, the code after it."""
        devices = self.devices(user)
        if not devices:
            raise CountersignError(f"{user} has no authenticator app or token: enrol one first")
        newest = max(devices, key=lambda one: int(one["device_id"]))
        return str(newest["next_code"] if newest["used"] else newest["code"])
