"""Tokens, scopes and the rate limit."""

import datetime
import re

from driver.harness import equal, matches, true

from .sdk import Caller, step

HEX64 = re.compile(r"[0-9a-f]{64}")


@step("oauth.token", "generate a token (client credentials)")
def token(w):
    got = w.api.call("get_access_token")
    matches("access_token", got.access_token, HEX64)
    matches("refresh_token", got.refresh_token, HEX64)
    equal("token_type", got.token_type, "bearer")
    equal("expires_in", got.expires_in, 36000)
    equal("account_id", got.account_id, w.ready["account_id"])
    true(w.api.client.expiration > datetime.datetime.now(datetime.timezone.utc), "the token is over")
    w.token = got.access_token


@step("oauth.token_again", "a second request gets the same live token")
def token_again(w):
    equal("access_token", w.api.call("get_access_token").access_token, w.token)


@step("oauth.bad_secret", "a wrong client secret is refused")
def bad_secret(w):
    stranger = Caller(w.api.client.client_id, "0" * 64)
    stranger.refused(401, "Authentication Failure", "get_access_token")


@step("oauth.refresh", "refresh a token")
def refresh(w):
    old = w.api.client.access_token
    new = w.api.call("regenerate_token")
    matches("access_token", new.access_token, HEX64)
    true(new.access_token != old, "the old token came back")
    w.api.call("get_rate_limits")


@step("oauth.rate_limit", "read the rate limit")
def rate_limit(w):
    limit = w.api.call("get_rate_limits")
    for name in ("limit", "remaining", "reset"):
        value = getattr(limit, name, None)
        if value is None:
            value = getattr(limit, f"x_ratelimit_{name}", None)
        true(type(value) is int and value >= 0, f"{name}: got {value!r} in {vars(limit)}")


@step("oauth.revoke", "revoke a token; it stops working, the next one is new")
def revoke(w):
    old = w.api.client.access_token
    equal("answer", w.api.call("revoke_token"), True)
    w.api.client.access_token = old
    w.api.refused(401, "Authentication Failure", "get_rate_limits")
    w.api.client.access_token = None
    true(w.api.call("get_access_token").access_token != old, "the revoked token came back")


@step("oauth.scope", "a read-only credential reads and may not write")
def scope(w):
    reader = Caller(*w.ready_client("Read Users"))
    reader.speak(1)
    true(reader.call("get_factors", w.alice["id"]), "no factors")
    reader.refused(401, "Insufficient Permission", "log_user_out", w.alice["id"])
    w.api.speak(2)
