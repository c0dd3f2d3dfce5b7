"""Tokens, scopes and the rate limit."""

import re

from onelogin import CreateFactorRegistrationRequest, GenerateTokenRequest, RevokeTokensRequest

from .harness import Known, equal, matches, step, true
from .sdk import Caller, no_field, no_path, refused, refused_v1, refused_v2

HEX64 = re.compile(r"[0-9a-f]{64}")
ISO_MS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@step("oauth.token", "generate a token (client credentials, Basic)")
def token(w):
    token = w.api.authorize()
    matches("access_token", token.access_token, HEX64)
    matches("refresh_token", token.refresh_token, HEX64)
    matches("created_at", token.created_at, ISO_MS)
    equal("token_type", token.token_type, "bearer")
    equal("expires_in", token.expires_in, 36000)
    equal("account_id", token.account_id, w.ready["account_id"])
    w.token = token.access_token


@step("oauth.token_again", "a second request gets the same live token")
def token_again(w):
    equal("access_token", w.api.authorize().access_token, w.token)


@step("oauth.bad_secret", "a wrong client secret is refused")
def bad_secret(w):
    stranger = Caller(w.base_url, w.api.configuration.username, "0" * 64)
    refused_v1(401, "Unauthorized", "Authentication Failure", stranger.authorize)


@step("oauth.bad_grant", "an unknown grant type is refused")
def bad_grant(w):
    refused_v1(
        400,
        "bad request",
        "grant_type is incorrect/absent",
        w.api.oauth.generate_token,
        GenerateTokenRequest(grant_type="password"),
    )


@step("oauth.refresh", "refresh a token")
def refresh(w):
    for field in ("access_token", "refresh_token"):
        no_field(GenerateTokenRequest, field)
    refused(400, w.api.oauth.generate_token, GenerateTokenRequest(grant_type="refresh_token"))
    return Known("the SDK's request has no member for the tokens, so it cannot refresh; ask for a token again instead")


@step("oauth.legacy_token", "generate a token at the older address")
def legacy_token(w):
    no_path("/auth/oauth2/token")
    return Known("the SDK has no method for `/auth/oauth2/token`; it uses `/auth/oauth2/v2/token`")


@step("oauth.rate_limit", "read the rate limit")
def rate_limit(w):
    answer = w.api.oauth.get_rate_limit()
    equal("status.code", answer.status.code, 200)
    for name in ("x_rate_limit_limit", "x_rate_limit_remaining", "x_rate_limit_reset"):
        value = getattr(answer.data, name)
        true(type(value) is int and value >= 0, f"{name}: got {value!r}")
    true(answer.data.x_rate_limit_reset <= 3600, "the window is an hour")


@step("oauth.revoke", "revoke a token; it stops working, the next one is new")
def revoke(w):
    old = w.api.configuration.access_token
    answer = w.api.oauth.revoke_tokens(revoke_tokens_request=RevokeTokensRequest(access_token=old))
    equal("code", answer.code, 200)
    equal("message", answer.message, "Success")
    equal("error", answer.error, False)
    refused_v1(401, "Unauthorized", "Authentication Failure", w.api.oauth.get_rate_limit)
    refused_v2(401, "InvalidCredentials", "Please provide valid credentials", w.api.mfa2.get_auth_factors, w.alice)
    refused_v2(401, "UnauthorizedError", "Unauthorized", w.api.users2.list_users2)
    true(w.api.authorize().access_token != old, "the revoked token came back")


@step("oauth.scope", "a read-only credential reads and may not write")
def scope(w):
    reader = Caller(w.base_url, *w.ready_client("Read Users"))
    reader.authorize()
    factors = reader.mfa2.get_auth_factors(w.alice)
    true(factors, "no factors")
    refused_v2(
        403,
        "ForbiddenAction",
        "You are not authorised to perform this action or access the resource",
        reader.mfa2.create_factor_registration,
        w.alice,
        create_factor_registration_request=CreateFactorRegistrationRequest(
            factor_id=factors[0].factor_id, display_name="not allowed"
        ),
    )
    refused_v1(401, "Unauthorized", "Insufficient Permission", reader.users1.log_out_user, w.alice)
