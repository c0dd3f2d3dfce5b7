"""What the ready file of a world lists."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Optional, TypeVar, Union

_T = TypeVar("_T")


@dataclass(frozen=True)
class Client:
    """An API client. Your code logs in with its id and secret."""

    client_id: str
    client_secret: str
    scope: str
    profile: str


@dataclass(frozen=True)
class User:
    """A person of the world."""

    id: int
    username: str
    password: str
    email: str
    phone: str
    #: The devices that a world file has given: `device_id` and `factor` of each.
    devices: Optional[list[dict[str, Any]]] = field(default=None, compare=False)


#: How a user is named in calls: the object, the id, or the user name.
UserName = Union[User, int, str]


def read(kind: type[_T], values: dict[str, Any]) -> _T:
    """Makes one of these of a JSON object. Members that this version does not know are left out."""
    return kind(**{one.name: values.get(one.name) for one in fields(kind)})  # type: ignore[arg-type]
