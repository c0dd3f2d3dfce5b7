"""Calls to the world, over the standard library."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, Optional
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from ._errors import CallError, StartError

# A proxy of the environment is for other machines, not for a world on this one.
_OPENER = build_opener(ProxyHandler({}))
# The longest wait that the server grants is 25 seconds.
_TIMEOUT = 40.0


class Http:
    """The address of a world, and its key if it serves other machines."""

    def __init__(self, base_url: str, dev_key: Optional[str] = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._dev_key = dev_key

    def dev(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Calls an endpoint of the dev world."""
        headers = {"X-Dev-Key": self._dev_key} if self._dev_key else {}
        asked = {name: value for name, value in query.items() if value is not None}
        return self.call(method, path + ("?" + urlencode(asked) if asked else ""), body, headers)

    def token(self, client_id: str, client_secret: str) -> str:
        """Gets an access token by client credentials."""
        login = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        grant = {"grant_type": "client_credentials"}
        answer = self.call("POST", "/auth/oauth2/v2/token", grant, {"Authorization": "Basic " + login})
        return str(answer["access_token"])

    def call(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        """Sends JSON, and returns the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        # A reset takes no body, but a POST has a length.
        if data is None and method != "GET":
            data = b""
        kind = {"Content-Type": "application/json"} if data else {}
        request = Request(self.base_url + path, data=data, method=method, headers={**kind, **headers})
        try:
            with _OPENER.open(request, timeout=_TIMEOUT) as response:
                return _parsed(response.read())
        except HTTPError as refused:
            with refused:
                answer = _parsed(refused.read())
            raise CallError(_reason(method, path, refused.code, answer), refused.code, answer) from None
        except (URLError, http.client.HTTPException, OSError) as broken:
            reason = getattr(broken, "reason", broken)
            problem = f"{method} {path}: {self.base_url} does not answer ({reason})"
            raise StartError(f"{problem}; is the world still running?") from broken


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode(errors="replace")


def _reason(method: str, path: str, status: int, answer: Any) -> str:
    text = str(answer)
    if isinstance(answer, dict):
        error = answer.get("error")
        if isinstance(error, dict):
            text = "; ".join(str(error[part]) for part in ("message", "hint") if error.get(part))
        elif answer.get("message"):
            text = str(answer["message"])
    return f"{method} {path} was answered {status}: {text}"
