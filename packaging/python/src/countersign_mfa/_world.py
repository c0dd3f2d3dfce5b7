"""A dev world: everything that a test needs of an MFA server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Optional, Sequence, Union, cast

from ._controls import Authenticator, Clock, Faults, Phone
from ._errors import CountersignError, StartError
from ._http import Http
from ._model import Client, User, UserName, read
from ._outbox import Outbox
from ._process import Process

_Path = Union[str, "os.PathLike[str]"]


class World:
    """A dev world that runs while the `with` block does.

    ::

        with World() as world:
            my_app.configure(world.base_url, world.client.client_id, world.client.client_secret)
            my_app.send_code("ana")
            my_app.check_code("ana", world.outbox.wait("ana", channel="sms").code)

    - `seed` makes the same credentials and passwords each time.
    - `data_dir` keeps the world.
    - `world` is a file that describes users and devices (the flag `--world`).
    - `hold` is how polls are held: `off`, so that a test sees `pending` at once, `adaptive` as a server does, or a number of
      seconds.
    - `flags` are further flags of `countersign dev`.
    - `timeout` is how many seconds a start may take.
    """

    def __init__(
        self,
        *,
        seed: Optional[int] = None,
        data_dir: Optional[_Path] = None,
        world: Optional[_Path] = None,
        hold: str = "off",
        flags: Sequence[str] = (),
        timeout: float = 30.0,
    ) -> None:
        self._flags = ["--hold", hold, *flags]
        if seed is not None:
            self._flags += ["--seed", str(seed)]
        if world is not None:
            self._flags += ["--world", os.fspath(world)]
        self._data_dir = None if data_dir is None else Path(data_dir)
        self._timeout = timeout
        self._process: Optional[Process] = None
        self._ready: Optional[dict[str, Any]] = None
        self._token: Optional[str] = None

    @classmethod
    def attach(cls, ready_file: _Path, base_url: Optional[str] = None) -> World:
        """Uses a world that runs already, such as a service of a CI job. `ready_file` is what it wrote; `base_url` is
        where it is reached, if that differs. Leaving the `with` block does not stop it."""
        world = cls()
        ready: dict[str, Any] = json.loads(Path(ready_file).read_text(encoding="utf-8"))
        world._use({**ready, "base_url": base_url or ready["base_url"]})
        return world

    def start(self) -> World:
        """Starts the world and waits until it is ready. A world that runs already stays as it is."""
        if self._ready is None:
            self._process = Process(self._flags, self._data_dir, self._timeout)
            self._use(self._process.ready)
        return self

    def stop(self) -> None:
        """Stops the world that `start` has started, and removes its folder."""
        process, self._process = self._process, None
        if process is not None:
            self._ready = None
            process.stop()

    def __enter__(self) -> World:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _use(self, ready: dict[str, Any]) -> None:
        self._ready = ready
        self._token = None
        self._seen = 0
        self._http = Http(ready["base_url"], ready.get("dev_key"))
        self._outbox = Outbox(self._http, self._user_id)
        self._phone = Phone(self._http, self._user_id)
        self._clock = Clock(self._http, self._forget_token)
        self._faults = Faults(self._http)
        self._authenticator = Authenticator(self._http, self._user_id)

    def _check(self) -> None:
        """Fails unless the world runs."""
        if self._ready is None:
            raise CountersignError("the world does not run: use it in a `with` block, or call `start` first")
        ended = self._process and self._process.ended()
        if ended:
            raise StartError(ended)

    @property
    def ready(self) -> dict[str, Any]:
        """The content of the ready file."""
        self._check()
        return self._ready or {}

    @property
    def base_url(self) -> str:
        """Where your code finds the server."""
        return str(self.ready["base_url"])

    @property
    def client(self) -> Client:
        """The API client with the widest scope."""
        return self.clients[0]

    @property
    def clients(self) -> list[Client]:
        """An API client of every scope and profile."""
        return [read(Client, values) for values in self.ready["clients"]]

    def client_for(self, scope: str = "Manage All", profile: str = "default") -> Client:
        """The API client of this scope and profile."""
        for client in self.clients:
            if (client.scope, client.profile) == (scope, profile):
                return client
        known = ", ".join(f"{client.scope} / {client.profile}" for client in self.clients)
        raise CountersignError(f"no client has scope {scope} and profile {profile}; there are: {known}")

    @property
    def users(self) -> list[User]:
        """The people of the world."""
        return [read(User, values) for values in self.ready["users"]]

    def user(self, name: UserName) -> User:
        """The person with this user name or id."""
        for user in self.users:
            if name in (user, user.id, user.username):
                return user
        known = ", ".join(user.username for user in self.users)
        raise CountersignError(f"the world has no user {name}; there are: {known}")

    def _user_id(self, name: UserName) -> int:
        # An id may belong to a user whom the test itself has created.
        return name if isinstance(name, int) else self.user(name).id

    @property
    def outbox(self) -> Outbox:
        """Messages that were sent."""
        self._check()
        return self._outbox

    @property
    def phone(self) -> Phone:
        """The simulated phone."""
        self._check()
        return self._phone

    @property
    def clock(self) -> Clock:
        """The world's clock."""
        self._check()
        return self._clock

    @property
    def faults(self) -> Faults:
        """Gateways that are slow or fail."""
        self._check()
        return self._faults

    @property
    def authenticator(self) -> Authenticator:
        """Authenticator apps of all users."""
        self._check()
        return self._authenticator

    def reset(self) -> None:
        """Deletes devices, verifications, tokens and messages, ends faults, resets the clock. Clients and users stay.

        The devices and the clock of a world file are there again; its devices have new ids, which `users` shows.
        """
        self._check()
        answer = self._http.dev("POST", "/dev/reset")
        self.ready["users"] = answer.get("users", self.ready["users"])
        self._outbox.forget()
        self._token = None
        # The world's list of calls outlives a reset.
        self._seen = max((int(call["id"]) for call in self.requests()), default=self._seen)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Calls the API as `client`, to prepare a test. Returns the answer's JSON; raises `CallError` if refused."""
        if self._token is None:
            client = self.client
            self._token = self._http.token(client.client_id, client.client_secret)
        return self._http.call(method, path, body, {"Authorization": "Bearer " + self._token})

    def _forget_token(self) -> None:
        self._token = None

    def requests(self) -> list[dict[str, Any]]:
        """Calls of the API since the last reset, 200 at most, oldest first, each with why it was refused."""
        self._check()
        return cast("list[dict[str, Any]]", self._http.dev("GET", "/dev/requests", after=self._seen or None))
