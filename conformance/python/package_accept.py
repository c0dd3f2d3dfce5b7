"""Uses a running server as an application does: an authenticator app is enrolled and its codes are verified.

    package_accept.py first BASE_URL STATE CLIENT USER
    package_accept.py again BASE_URL STATE
    package_accept.py kept BASE_URL STATE

CLIENT and USER are files with the answers of `client create --json` and `user create --json`. `first` enrols the user's app, verifies a
code and sends it a second time. It keeps in STATE what `again` needs: that one finds the device, verifies a newer code, and sends the
last code of the run before, which must stay used. So a server that lost its data, its key or its memory of used codes fails.
`kept` does the same without a newer code, for which one may have to wait. It needs nothing but Python.
"""

import json
import sys
import time
from typing import Any

from plain import STEP, Client, code


def expect(holds: bool, what: str) -> None:
    print(("ok    " if holds else "WRONG ") + what, flush=True)
    if not holds:
        sys.exit(1)


class Api(Client):
    """The API of one server, for the client of a file."""

    def __init__(self, base: str, client: dict[str, Any]) -> None:
        super().__init__(base, client["client_id"], client["client_secret"])

    def verify(self, user: int, device: str, code: str) -> tuple[int, str]:
        """Opens a verification and answers it. Returns the status of the answer and the path of the verification."""
        path = f"/api/2/mfa/users/{user}/verifications"
        status, opened = self.call("POST", path, {"device_id": device})
        expect(status in (200, 201), f"a verification is opened ({status})")
        path += f"/{opened['id']}"
        return self.call("PUT", path, {"otp": code})[0], path


def next_step(used: int) -> int:
    """The first time step after `used` whose code a server accepts now. Waits for it at most half a minute."""
    while used + 1 > time.time() // STEP + 1:
        time.sleep(0.2)
    return max(used + 1, int(time.time() // STEP))


def first(base: str, state: str, client: dict[str, Any], user: int) -> None:
    api = Api(base, client)
    mfa = f"/api/2/mfa/users/{user}"
    factors = api.call("GET", mfa + "/factors")[1]
    totp = next(one["factor_id"] for one in factors if one["auth_factor_name"] == "Google Authenticator")
    status, registration = api.call("POST", mfa + "/registrations", {"factor_id": str(totp), "display_name": "My app"})
    expect(status in (200, 201), f"an authenticator app is enrolled ({status})")
    key = registration["factor_data"]["verification_token"]
    # A server accepts the step before and the one after: three codes without a wait.
    used = int(time.time() // STEP) - 1
    status, _ = api.call("PUT", f"{mfa}/registrations/{registration['id']}", {"otp": code(key, used)})
    expect(status == 200, f"its first code finishes the enrolment ({status})")
    device = str(api.call("GET", mfa + "/devices")[1][0]["device_id"])
    kept = {"client": client, "user": user, "device": device, "key": key, "used": used}
    verify(api, state, kept)


def again(base: str, state: str, newer: bool) -> None:
    with open(state, encoding="utf-8") as file:
        kept = json.load(file)
    api = Api(base, kept["client"])
    devices = api.call("GET", f"/api/2/mfa/users/{kept['user']}/devices")[1] or []
    expect(kept["device"] in [str(one["device_id"]) for one in devices], "the device is still enrolled")
    status, _ = api.verify(kept["user"], kept["device"], code(kept["key"], kept["used"]))
    expect(status != 200, f"the last code that was used stays used ({status})")
    if newer:
        verify(api, state, kept)


def verify(api: Api, state: str, kept: dict[str, Any]) -> None:
    """Verifies the next code, keeps that it is used, and sends it a second time."""
    kept["used"] = next_step(kept["used"])
    fresh = code(kept["key"], kept["used"])
    status, path = api.verify(kept["user"], kept["device"], fresh)
    expect(status == 200, f"a code is verified ({status})")
    status, _ = api.call("PUT", path, {"otp": fresh})
    expect(status != 200, f"a second time it is refused ({status})")
    with open(state, "w", encoding="utf-8") as file:
        json.dump(kept, file)


def main() -> None:
    match sys.argv[1:]:
        case ["first", base, state, client, user]:
            with open(client, encoding="utf-8") as one, open(user, encoding="utf-8") as other:
                first(base, state, json.load(one), json.load(other)["id"])
        case ["again" | "kept" as mode, base, state]:
            again(base, state, mode == "again")
        case _:
            sys.exit(__doc__)


main()
