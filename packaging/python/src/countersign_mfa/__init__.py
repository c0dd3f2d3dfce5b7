"""Test code that uses multi-factor authentication against a whole server, with users, phones and an outbox."""

from ._controls import Authenticator, Clock, Faults, Phone
from ._errors import CallError, CountersignError, NoMessage, StartError
from ._model import Client, User
from ._outbox import Message, Outbox
from ._world import World

__all__ = [
    "Authenticator",
    "CallError",
    "Client",
    "Clock",
    "CountersignError",
    "Faults",
    "Message",
    "NoMessage",
    "Outbox",
    "Phone",
    "StartError",
    "User",
    "World",
]
