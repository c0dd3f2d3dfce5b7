"""The log-in flow. Bob has devices, Carol does not."""

import datetime
import re

from driver.harness import equal, matches, true
from driver.otp import other_code

from .mfa_v1 import HEX40, OVER, WRONG, next_code
from .sdk import step

BAD_PASSWORD = "Authentication Failed: Invalid user credentials"


def words(w, user, **changes):
    return {
        "username_or_email": user["email"],
        "password": user["password"],
        "subdomain": w.ready["subdomain"],
        **changes,
    }


def log_in(w, user, **changes):
    return w.api.call("create_session_login_token", words(w, user, **changes))


def is_in(w, session, user):
    equal("status", session.status, "Authenticated")
    equal("user", session.user.username, user["username"])
    matches("session_token", session.session_token, HEX40)
    true(isinstance(session.expires_at, datetime.datetime), f"expires_at: got {session.expires_at!r}")


def under_way(w):
    """Starts a log-in that needs a factor. Returns its state token and the devices by type."""
    answer = log_in(w, w.bob)
    matches("state_token", answer.state_token, HEX40)
    equal("user", answer.user.id, w.bob["id"])
    true(answer.callback_url.endswith("/api/1/login/verify_factor"), f"callback_url: got {answer.callback_url!r}")
    return answer.state_token, {device.type: device.id for device in answer.devices}


def verified(w, device, state_token, otp=None, **options):
    return w.api.call("get_session_token_verified", device, state_token, otp, **options)


@step("login.no_mfa", "log in without a factor: a session token")
def no_mfa(w):
    w.api.speak(1)
    is_in(w, log_in(w, w.carol), w.carol)


@step("login.bad_password", "a wrong password and an unknown name are refused alike")
def bad_password(w):
    for wrong in ({"password": "not it"}, {"username_or_email": "nobody@example.com"}):
        w.api.refused(401, BAD_PASSWORD, "create_session_login_token", words(w, w.carol, **wrong))


@step("login.missing", "a missing name or password is said")
def missing(w):
    w.api.refused(400, "username is empty", "create_session_login_token", words(w, w.carol, username_or_email=""))
    w.api.refused(400, "password is empty", "create_session_login_token", words(w, w.carol, password=""))


@step("login.totp", "TOTP: wrong code refused, right code on the same state token")
def totp(w):
    state_token, devices = under_way(w)
    device = devices["Google Authenticator"]
    code = next_code(w, w.app_v1)
    w.api.refused(401, WRONG, "get_session_token_verified", device, state_token, w.app_v1.wrong(w.dev.now()))
    is_in(w, verified(w, device, state_token, code), w.bob)
    w.api.refused(400, OVER, "get_session_token_verified", device, state_token, code)


@step("login.email", "a mailed code: sent, then typed")
def email(w):
    state_token, devices = under_way(w)
    device = devices["OneLogin Email"]
    w.dev.mark()
    equal("pending", verified(w, device, state_token), None)
    code = w.dev.code("email", w.bob["id"])
    w.api.refused(401, WRONG, "get_session_token_verified", device, state_token, other_code(code))
    is_in(w, verified(w, device, state_token, code), w.bob)


@step("login.push", "push: sent, polled without notifying again, accepted")
def push(w):
    state_token, devices = under_way(w)
    device = devices["OneLogin Protect"]
    equal("pending", verified(w, device, state_token), None)
    equal("status.message", w.api.last.json()["status"]["message"], "Authentication pending on OL Protect")
    equal("pending", verified(w, device, state_token, do_not_notify=True), None)
    w.dev.accept(w.bob["id"])
    is_in(w, verified(w, device, state_token, do_not_notify=True), w.bob)


@step("login.push_denied", "push: denied")
def push_denied(w):
    state_token, devices = under_way(w)
    device = devices["OneLogin Protect"]
    verified(w, device, state_token)
    w.dev.deny(w.bob["id"])
    w.api.refused(401, WRONG, "get_session_token_verified", device, state_token)


@step("login.mfa_token", "a temporary token replaces any device")
def mfa_token(w):
    state_token, devices = under_way(w)
    is_in(w, verified(w, devices["Google Authenticator"], state_token, w.token_v1), w.bob)


@step("login.origin", "an origin that may hand the session token in is taken")
def origin(w):
    w.api.call("create_session_login_token", words(w, w.carol), "https://app.example.com")
    matches("header", w.api.last.request.headers["Custom-Allowed-Origin-Header-1"], re.compile(r"https://app.*"))
