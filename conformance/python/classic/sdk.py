"""The SDK as its users use it, and assertions about it."""

import requests
from onelogin.api.client import OneLoginClient
from onelogin.api.version import __version__

from driver import harness
from driver.harness import equal, true

# Version 1 of the SDK calls only version 1 of the API.
TWO = int(__version__.split(".")[0]) >= 2


def step(name, title, needs=True):
    """Registers a step, if this version of the SDK has the call."""
    return harness.step(name, title) if needs else lambda run: run


class Caller:
    """The SDK with one API credential."""

    def __init__(self, client_id, client_secret):
        self.client = OneLoginClient(client_id, client_secret, "us", default_timeout=20)
        self.last = None
        # The SDK returns only what it understood. This keeps the raw answer, unchanged.
        send = requests.Session.send

        def watched(session, request, **options):
            self.last = send(session, request, **options)
            return self.last

        requests.Session.send = watched

    def speak(self, version):
        """Makes the SDK use this version of the API, if it supports both."""
        if TWO:
            for area in ("user", "mfa", "assertion"):
                self.client.api_configuration[area] = version

    def call(self, name, *args, **kwargs):
        """Calls a method that must succeed."""
        self.last = None
        answer = getattr(self.client, name)(*args, **kwargs)
        if self.client.error is not None:
            raise AssertionError(f"{name}: {self.client.error} {self.client.error_description}")
        return answer

    def refused(self, status, message, name, *args, **kwargs):
        """Calls a method that must be refused with this status and message."""
        answer = getattr(self.client, name)(*args, **kwargs)
        true(self.client.error is not None, f"{name} answered {answer!r}, want {status}")
        equal("error", str(self.client.error), str(status))
        equal("error_description", self.client.error_description, message)
        return answer


def device_id(device):
    """Version 1 of the SDK holds device ids as numbers, version 2 as strings."""
    true(isinstance(device.id, str if TWO else int), f"id: got {device.id!r}")
    return int(device.id)
