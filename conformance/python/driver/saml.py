"""SAML assertions. Bob has devices, Carol does not."""

import base64

from onelogin import SamlAssert, SamlFactor

from .harness import Known, equal, matches, step, true
from .mfa_v1 import HEX40, PUSH_PENDING
from .mfa_v2 import WRONG, next_code
from .sdk import refused_v1, refused_v2, unreadable

NEEDS_FACTOR = "MFA is required for this user"


def words(w, user, **changes):
    return SamlAssert(
        **{
            "username_or_email": user["email"],
            "password": user["password"],
            "app_id": str(w.ready["apps"][0]["id"]),
            "subdomain": w.ready["subdomain"],
            **changes,
        }
    )


def factor(w, under_way, device, otp=None, **options):
    return SamlFactor(
        app_id=str(w.ready["apps"][0]["id"]),
        device_id=str(device.id),
        state_token=under_way["state_token"],
        otp_token=otp,
        **options,
    )


def is_assertion(text):
    true(b"AttributeStatement" in base64.b64decode(text), "no assertion")


def is_under_way(w, under_way):
    matches("state_token", under_way["state_token"], HEX40)
    equal("user", under_way["user"]["id"], w.bob)
    types = {device["device_id"]: device["device_type"] for device in under_way["devices"]}
    equal("TOTP", types.get(w.totp_v1.id), "Google Authenticator")
    equal("push", types.get(w.push_v1.id), "OneLogin Protect")


@step("saml.v1.no_mfa", "an assertion without a factor; wrong password and unknown app refused (v1)")
def no_mfa_v1(w):
    ask = w.api.saml.generate_saml_assert
    refused_v1(401, "Unauthorized", "Authentication Failed: Invalid user credentials", ask, saml_assert=words(w, w.carol, password="not it"))
    refused_v1(404, "not found", "App not found", ask, saml_assert=words(w, w.carol, app_id="4711"))
    unreadable("data", ask, saml_assert=words(w, w.carol))
    is_assertion(w.api.last_json()["data"])
    return Known(
        "`data` is the documented string, and the SDK's model wants the list of an answer that needs a factor"
        " (contract 14.14): read it from `last_response`"
    )


@step("saml.v1.totp", "an assertion with TOTP (v1)")
def totp_v1(w):
    answer = w.api.saml.generate_saml_assert(saml_assert=words(w, w.bob_words))
    equal("status.message", answer.status.message, NEEDS_FACTOR)
    is_under_way(w, answer.data[0])
    verify, code = w.api.saml.ver_factor_saml, next_code(w, w.totp_app_v1)
    wrong = factor(w, answer.data[0], w.totp_v1, w.totp_app_v1.wrong(w.dev.now()))
    refused_v1(401, *WRONG, verify, saml_factor=wrong)
    done = verify(saml_factor=factor(w, answer.data[0], w.totp_v1, code))
    is_assertion(done.data)


@step("saml.v1.push", "an assertion with push (v1)")
def push_v1(w):
    under_way = w.api.saml.generate_saml_assert(saml_assert=words(w, w.bob_words)).data[0]
    verify = w.api.saml.ver_factor_saml
    for options in ({}, {"do_not_notify": True}):
        verify(saml_factor=factor(w, under_way, w.push_v1, **options))
        equal("status.message", w.api.last_json()["status"]["message"], PUSH_PENDING)
    w.dev.accept(w.bob)
    is_assertion(verify(saml_factor=factor(w, under_way, w.push_v1, do_not_notify=True)).data)


@step("saml.v2.no_mfa", "an assertion without a factor; wrong password and unknown app refused")
def no_mfa_v2(w):
    ask = w.api.saml.generate_saml_assert2
    refused_v2(401, "Unauthorized", "Authentication Failed: Invalid user credentials", ask, saml_assert=words(w, w.carol, password="not it"))
    unreadable("data", ask, saml_assert=words(w, w.carol))
    is_assertion(w.api.last_json()["data"])
    return Known(
        "`data` is the documented string, and the SDK's model wants the list of an answer that needs a factor"
        " (contract 14.14): read it from `last_response`"
    )


@step("saml.v2.totp", "an assertion with TOTP")
def totp_v2(w):
    answer = w.api.saml.generate_saml_assert2(saml_assert=words(w, w.bob_words))
    equal("what the model keeps", (answer.status, answer.data), (None, None))
    # The SDK can do the second step, but what that needs is only in the raw answer.
    under_way = w.api.last_json()
    equal("message", under_way["message"], NEEDS_FACTOR)
    is_under_way(w, under_way)
    code = next_code(w, w.totp_app_v1)
    done = w.api.saml.ver_factor_saml2(saml_factor=factor(w, under_way, w.totp_v1, code))
    equal("message", done.message, "Success")
    is_assertion(done.data)


@step("saml.v2.push", "an assertion with push")
def push_v2(w):
    w.api.saml.generate_saml_assert2(saml_assert=words(w, w.bob_words))
    under_way = w.api.last_json()
    verify = w.api.saml.ver_factor_saml2
    for options in ({}, {"do_not_notify": True}):
        equal("message", verify(saml_factor=factor(w, under_way, w.push_v1, **options)).message, PUSH_PENDING)
    w.dev.accept(w.bob)
    is_assertion(verify(saml_factor=factor(w, under_way, w.push_v1, do_not_notify=True)).data)
