"""What can go wrong. Every error says what to do next."""

from __future__ import annotations


class CountersignError(Exception):
    """Base of all errors of this package."""


class StartError(CountersignError):
    """The world did not start, or has ended. The message has the last lines of its log."""


class NoMessage(CountersignError, TimeoutError):
    """No message arrived in time. The message lists what did arrive."""


class CallError(CountersignError):
    """The world refused a call."""

    def __init__(self, message: str, status: int, answer: object) -> None:
        super().__init__(message)
        #: HTTP status of the answer.
        self.status = status
        #: The answer: parsed JSON, or text.
        self.answer = answer
