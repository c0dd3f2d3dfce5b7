"""SAML assertions, in the versions of the API that the SDK has."""

import base64

from driver.harness import equal, true

from .mfa_v1 import HEX40, OVER, WRONG, next_code
from .login import BAD_PASSWORD
from .sdk import TWO, step


def app(w):
    return w.ready["apps"][0]["id"]


def ask(w, user):
    return w.api.call(
        "get_saml_assertion", user["email"], user["password"], str(app(w)), w.ready["subdomain"]
    )


def is_assertion(answer):
    equal("type", answer.type, "success")
    equal("message", answer.message, "Success")
    true(b"AttributeStatement" in base64.b64decode(answer.saml_response), "no assertion")


def under_way(w):
    answer = ask(w, w.bob)
    equal("type", answer.type, "success")
    equal("message", answer.message, "MFA is required for this user")
    true(HEX40.fullmatch(answer.mfa.state_token), f"state_token: got {answer.mfa.state_token!r}")
    equal("user", answer.mfa.user.id, w.bob["id"])
    return answer.mfa.state_token, {device.type: device.id for device in answer.mfa.devices}


def verified(w, device, state_token, otp=None, **options):
    return w.api.call("get_saml_assertion_verifying", app(w), device, state_token, otp, **options)


def without_factor(w):
    is_assertion(ask(w, w.carol))
    w.api.refused(
        401, BAD_PASSWORD, "get_saml_assertion", w.carol["email"], "not it", app(w), w.ready["subdomain"]
    )
    w.api.refused(
        404, "App not found", "get_saml_assertion", w.carol["email"], w.carol["password"], 4711, w.ready["subdomain"]
    )


def by_totp(w):
    state_token, devices = under_way(w)
    device = devices["Google Authenticator"]
    code = next_code(w, w.app_v1)
    wrong = w.app_v1.wrong(w.dev.now())
    w.api.refused(401, WRONG, "get_saml_assertion_verifying", app(w), device, state_token, wrong)
    is_assertion(verified(w, device, state_token, code))
    w.api.refused(400, OVER, "get_saml_assertion_verifying", app(w), device, state_token, code)


def by_push(w):
    state_token, devices = under_way(w)
    device = devices["OneLogin Protect"]
    for options in ({}, {"do_not_notify": True}):
        answer = verified(w, device, state_token, **options)
        equal("type", answer.type, "pending")
        equal("message", answer.message, "Authentication pending on OL Protect")
    w.dev.accept(w.bob["id"])
    is_assertion(verified(w, device, state_token, do_not_notify=True))


@step("saml.v1.no_mfa", "an assertion without a factor; wrong password and unknown app refused (v1)")
def no_mfa_v1(w):
    w.api.speak(1)
    without_factor(w)


@step("saml.v1.totp", "an assertion with TOTP (v1)")
def totp_v1(w):
    by_totp(w)


@step("saml.v1.push", "an assertion with push (v1)")
def push_v1(w):
    by_push(w)


@step("saml.v2.no_mfa", "an assertion without a factor; wrong password and unknown app refused", TWO)
def no_mfa_v2(w):
    w.api.speak(2)
    without_factor(w)


@step("saml.v2.totp", "an assertion with TOTP", TWO)
def totp_v2(w):
    by_totp(w)


@step("saml.v2.push", "an assertion with push", TWO)
def push_v2(w):
    by_push(w)
