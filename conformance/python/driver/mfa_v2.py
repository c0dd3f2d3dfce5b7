"""MFA v2, factor by factor."""

import re
import uuid

from onelogin import (
    CreateDeviceVerificationRequest,
    CreateFactorRegistrationRequest,
    GenerateOTPRequest,
    VerifyMfaFactorRequest,
    VerifyUserRegistrationRequest,
    VerifyUserVerificationRequest,
)
import pydantic

from .harness import Known, equal, matches, poll, step, true
from .otp import Authenticator, other_code
from .sdk import no_field, refused, refused_v1, refused_v2, unreadable
from .users import UNKNOWN_USER, done

DIGITS = re.compile(r"[0-9]+")
SIX = re.compile(r"[0-9]{6}")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
WRONG = ("Unauthorized", "Failed authentication with this factor")

# v2 `name` of each factor, its `auth_factor_name`.
FACTORS = {
    "Authenticator": "Google Authenticator",
    "OneLogin SMS": "SMS",
    "OneLogin Voice": "OneLogin Voice",
    "OneLogin Email": "OneLogin Email",
    "OneLogin Protect": "OneLogin",
}


# What the steps below share.


def enrol(w, user, factor, name, **options):
    """Starts an enrolment and checks the SDK's model. Returns the raw answer."""
    answer = w.api.mfa2.create_factor_registration_with_http_info(
        user,
        create_factor_registration_request=CreateFactorRegistrationRequest(
            factor_id=w.factor_ids[factor], display_name=name, **options
        ),
    )
    equal("status", answer.status_code, 201)
    typed, raw = answer.data, w.api.last_json()
    is_uuid("id", typed.id)
    equal("user_id", typed.user_id, str(user))
    equal("auth_factor_name", typed.auth_factor_name, FACTORS[factor])
    equal("type_display_name", typed.type_display_name, factor)
    equal("user_display_name", typed.user_display_name, name)
    if options.get("verified"):
        equal("status", raw["status"], "accepted")
        matches("device_id", typed.device_id, DIGITS)
    else:
        equal("status", raw["status"], "pending")
        equal("device_id", typed.device_id, None)
    for key, value in raw.get("factor_data", {}).items():
        true(isinstance(value, str), f"factor_data.{key} is not a string: {value!r}")
    return raw


def is_uuid(what, text):
    true(isinstance(text, str) and str(uuid.UUID(text)) == text, f"{what} is not a UUID: {text!r}")


def finish(w, user, registration, code):
    """Finishes an enrolment with a code. This SDK can only send it as a number."""
    answer = w.api.mfa2.verify_user_registration(
        user, registration["id"], verify_user_registration_request=VerifyUserRegistrationRequest(otp=int(code))
    )
    equal("id", answer.id, registration["id"])
    equal("status", answer.status, "accepted")
    matches("device_id", answer.device_id, DIGITS)
    return answer.device_id


def finish_refused(w, user, registration, code):
    refused_v2(
        401,
        *WRONG,
        w.api.mfa2.verify_user_registration,
        user,
        registration["id"],
        verify_user_registration_request=VerifyUserRegistrationRequest(otp=int(code)),
    )


def settled(w, user, registration):
    """Polls an enrolment that is finished elsewhere. Returns the device."""
    answer = poll(
        "registration",
        lambda: w.api.mfa2.get_user_registration(user, registration["id"]),
        lambda found: found["status"] != "pending",
    )
    equal("id", answer["id"], registration["id"])
    equal("status", answer["status"], "accepted")
    matches("device_id", answer["device_id"], DIGITS)
    return answer["device_id"]


def still_enrolling(w, user, registration):
    answer = w.api.mfa2.get_user_registration(user, registration["id"])
    equal("id", answer["id"], registration["id"])
    equal("status", answer["status"], "pending")


def challenge(w, user, device, **options):
    """Challenges a device. Returns the raw answer.

    In the default profile the SDK's model refuses the answer (mfa.v2.challenge_answer checks that). The
    steps then read `last_response`, as a user of the SDK has to.
    """
    try:
        w.api.mfa2.create_device_verification(
            user,
            create_device_verification_request=CreateDeviceVerificationRequest(device_id=int(device), **options),
        )
    except pydantic.ValidationError:
        if w.profile == "python4":
            raise
    equal("status", w.api.last_status, 201)
    raw = w.api.last_json()
    is_uuid("id", raw["id"])
    equal("status", raw["status"], "pending")
    equal("user_id", raw["user_id"], str(user))
    equal("device_id", str(raw["device_id"]), device)
    matches("expires_at", raw["expires_at"], ISO)
    return raw["id"], raw.get("factor_data", {})


def answer_with(w, user, verification, device, code):
    """Answers a challenge with a code. The SDK reads only the flat part of the answer."""
    done(
        w.api.mfa2.verify_user_verification(
            user,
            verification,
            verify_user_verification_request=VerifyUserVerificationRequest(otp=code, device_id=int(device)),
        )
    )
    raw = w.api.last_json()
    equal("id", raw["id"], verification)
    equal("status", raw["status"], "accepted")
    equal("device_id", raw["device_id"], device)


def answer_refused(w, user, verification, device, code, status=401, name=WRONG[0], message=WRONG[1]):
    return refused_v2(
        status,
        name,
        message,
        w.api.mfa2.verify_user_verification,
        user,
        verification,
        verify_user_verification_request=VerifyUserVerificationRequest(otp=code, device_id=int(device)),
    )


def verification_is(w, user, verification, device, status):
    answer = w.api.mfa2.get_user_verification(user, verification)
    equal("id", answer.id, verification)
    equal("status", answer.status, status)
    equal("device_id", answer.device_id, device)


def becomes(w, user, verification, status):
    answer = poll(
        "verification",
        lambda: w.api.mfa2.get_user_verification(user, verification),
        lambda found: found.status != "pending",
    )
    equal("status", answer.status, status)


def devices(w, user):
    return {device.device_id: device for device in w.api.mfa2.get_authentication_devices(user)}


def has_device(w, user, device, factor, name):
    found = devices(w, user).get(device)
    true(found is not None, f"device {device} is not listed")
    equal("auth_factor_name", found.auth_factor_name, FACTORS[factor])
    equal("type_display_name", found.type_display_name, factor)
    equal("user_display_name", found.user_display_name, name)
    true(type(found.default) is bool, f"default: got {found.default!r}")


def next_code(w, app):
    """A fresh TOTP code. Each code is accepted once, so this first moves the clock to the next one."""
    w.dev.advance(app.period + 1)
    return app.code(w.dev.now())


# Factors.


@step("mfa.v2.factors", "list the factors a user can enrol")
def factors(w):
    listed = w.api.mfa2.get_auth_factors(w.alice)
    names = {factor.name: factor for factor in listed}
    for name, auth_name in FACTORS.items():
        true(name in names, f"{name} is not listed")
        equal("auth_factor_name", names[name].auth_factor_name, auth_name)
        true(type(names[name].factor_id) is int, f"factor_id: got {names[name].factor_id!r}")
    w.factor_ids = {name: factor.factor_id for name, factor in names.items()}


@step("mfa.v2.unknown_user", "MFA of a user that does not exist is not found")
def unknown_user(w):
    message = "The resource can't be found or the server has not found anything matching the Request-URI"
    refused_v2(404, "NotFound", message, w.api.mfa2.get_auth_factors, UNKNOWN_USER)


@step("mfa.v2.no_devices", "a user without devices has an empty list")
def no_devices(w):
    equal("devices", w.api.mfa2.get_authentication_devices(w.alice), [])


# TOTP.


@step("mfa.v2.totp.enrol", "TOTP: enrol, scan the otpauth address")
def totp_enrol(w):
    raw = enrol(w, w.alice, "Authenticator", "Alice's app", expires_in="600")
    matches("expires_at", raw["expires_at"], ISO)
    app = Authenticator(raw["factor_data"]["totp_url"])
    equal("verification_token", raw["factor_data"]["verification_token"], app.secret)
    equal("issuer", app.issuer, w.ready["subdomain"])
    true(app.label.startswith(w.ready["subdomain"] + ":"), f"label: got {app.label!r}")
    w.totp_registration, w.totp_app = raw, app


@step("mfa.v2.totp.wrong_enrol_code", "TOTP: a wrong code does not finish the enrolment")
def totp_wrong_enrol(w):
    finish_refused(w, w.alice, w.totp_registration, w.totp_app.wrong(w.dev.now()))
    still_enrolling(w, w.alice, w.totp_registration)
    equal("devices", devices(w, w.alice), {})


@step("mfa.v2.totp.finish", "TOTP: finish with the code, sent as a number")
def totp_finish(w):
    w.totp_code = w.totp_app.code(w.dev.now())
    w.totp = finish(w, w.alice, w.totp_registration, w.totp_code)
    has_device(w, w.alice, w.totp, "Authenticator", "Alice's app")
    equal("default", devices(w, w.alice)[w.totp].default, True)


@step("mfa.v2.challenge_answer", "read the answer to a challenge")
def challenge_answer(w):
    request = CreateDeviceVerificationRequest(device_id=int(w.totp), expires_in="300")
    call = w.api.mfa2.create_device_verification
    if w.profile == "python4":
        answer = call(w.alice, create_device_verification_request=request)
        is_uuid("id", answer.id)
        equal("device_id", answer.device_id, int(w.totp))
        equal("auth_factor_name", answer.auth_factor_name, "Google Authenticator")
        equal("type_display_name", answer.type_display_name, "Authenticator")
        equal("user_display_name", answer.user_display_name, "Alice's app")
        matches("expires_at", answer.expires_at, ISO)
        return None
    unreadable("device_id", call, w.alice, create_device_verification_request=request)
    raw = w.api.last_json()
    equal("device_id in the answer", raw["device_id"], w.totp)
    is_uuid("id in the answer", raw["id"])
    return Known(
        "the challenge is made, but the SDK's model wants `device_id` as a number where all other clients want a"
        " string (contract 14.1): read the id from `last_response`, or give the credential the profile `python4`"
    )


@step("mfa.v2.totp.used_enrol_code", "TOTP: the code that finished the enrolment is spent")
def totp_used_enrol(w):
    verification, _ = challenge(w, w.alice, w.totp)
    answer_refused(w, w.alice, verification, w.totp, w.totp_code)


@step("mfa.v2.totp.verify", "TOTP: challenge, wrong code refused, right code accepted")
def totp_verify(w):
    w.totp_code = next_code(w, w.totp_app)
    verification, factor_data = challenge(w, w.alice, w.totp)
    equal("factor_data", factor_data, {})
    verification_is(w, w.alice, verification, w.totp, "pending")
    answer_refused(w, w.alice, verification, w.totp, w.totp_app.wrong(w.dev.now()))
    verification_is(w, w.alice, verification, w.totp, "pending")
    answer_with(w, w.alice, verification, w.totp, w.totp_code)
    verification_is(w, w.alice, verification, w.totp, "accepted")


@step("mfa.v2.totp.replay", "TOTP: a spent code is refused, on v2 and on v1")
def totp_replay(w):
    verification, _ = challenge(w, w.alice, w.totp)
    answer_refused(w, w.alice, verification, w.totp, w.totp_code)
    refused_v1(
        401,
        *WRONG,
        w.api.mfa1.verify_mfa_factor,
        w.alice,
        w.totp,
        VerifyMfaFactorRequest(otp_token=w.totp_code),
    )


@step("mfa.v2.totp.leading_zero", "TOTP: a code with a leading zero, which the SDK sends without it")
def totp_leading_zero(w):
    for _ in range(8):
        raw = enrol(w, w.alice, "Authenticator", "Zero", expires_in="900")
        app = Authenticator(raw["factor_data"]["totp_url"])
        now = w.dev.now()
        for ahead in range(28):
            if app.code(now + ahead * app.period).startswith("0"):
                w.dev.advance(ahead * app.period)
                code = app.code(now + ahead * app.period)
                device = finish(w, w.alice, raw, code)
                w.api.mfa2.delete_enrolled_factor(w.alice, device)
                return f"{code} sent as {int(code)}"
    raise AssertionError("no code with a leading zero in eight tries")


@step("mfa.v2.totp.otp_only", "verify with a code alone, without a verification id")
def otp_only(w):
    no_field(CreateDeviceVerificationRequest, "otp")
    true(CreateDeviceVerificationRequest.model_fields["device_id"].is_required(), "device_id is no longer required")
    return Known(
        "`POST verifications` with `otp` cannot be sent: the SDK's request has no such member; challenge and PUT"
        " instead, or use v1 verify"
    )


# SMS.


@step("mfa.v2.sms.enrol", "SMS: enrol, read the message in its own words, finish")
def sms_enrol(w):
    w.dev.mark()
    raw = enrol(
        w,
        w.alice,
        "OneLogin SMS",
        "Alice's phone",
        expires_in="300",
        custom_message="Example: {{otp_code}}, good for {{otp_expiry}} minutes",
    )
    true("factor_data" not in raw, "an SMS enrolment has no factor_data")
    message = w.dev.message("sms", w.alice)
    equal("to", message["to"], w.alice_phone)
    matches("code", message["code"], SIX)
    equal("body", message["body"], f"Example: {message['code']}, good for 5 minutes")
    finish_refused(w, w.alice, raw, other_code(message["code"]))
    w.sms = finish(w, w.alice, raw, message["code"])
    has_device(w, w.alice, w.sms, "OneLogin SMS", "Alice's phone")


@step("mfa.v2.sms.verify", "SMS: challenge, wrong code refused, right code accepted, once")
def sms_verify(w):
    w.dev.mark()
    verification, factor_data = challenge(w, w.alice, w.sms)
    equal("factor_data", factor_data, {})
    code = w.dev.code("sms", w.alice)
    matches("code", code, SIX)
    answer_refused(w, w.alice, verification, w.sms, other_code(code))
    answer_with(w, w.alice, verification, w.sms, code)
    verification_is(w, w.alice, verification, w.sms, "accepted")
    answer_refused(w, w.alice, verification, w.sms, code, 404, "NotFound", None)


@step("mfa.v2.sms.superseded", "SMS: a new code kills the older one")
def sms_superseded(w):
    w.dev.mark()
    first, _ = challenge(w, w.alice, w.sms)
    old = w.dev.code("sms", w.alice)
    second, _ = challenge(w, w.alice, w.sms)
    new = w.dev.code("sms", w.alice)
    if old != new:
        request = VerifyUserVerificationRequest(otp=old, device_id=int(w.sms))
        call = w.api.mfa2.verify_user_verification
        refused((401, 404), call, w.alice, first, verify_user_verification_request=request)
    answer_with(w, w.alice, second, w.sms, new)


@step("mfa.v2.sms.second", "SMS: a second active device is refused")
def sms_second(w):
    body = refused_v2(
        422,
        "ValidationError",
        "Validations failed",
        w.api.mfa2.create_factor_registration,
        w.alice,
        create_factor_registration_request=CreateFactorRegistrationRequest(
            factor_id=w.factor_ids["OneLogin SMS"], display_name="another"
        ),
    )
    equal("parameters", body["details"]["parameters"], ["factor_id"])


@step("mfa.v2.sms.verified", "SMS: a number known to be good is enrolled at once")
def sms_verified(w):
    raw = enrol(w, w.maya, "OneLogin SMS", "Maya's phone", verified=True)
    has_device(w, w.maya, raw["device_id"], "OneLogin SMS", "Maya's phone")


# E-mail.


@step("mfa.v2.email.enrol", "e-mail: enrol, read the code, finish")
def email_enrol(w):
    w.dev.mark()
    raw = enrol(w, w.alice, "OneLogin Email", "Alice's inbox")
    message = w.dev.message("email", w.alice)
    equal("to", message["to"], w.alice_email)
    matches("code", message["code"], SIX)
    w.email = finish(w, w.alice, raw, message["code"])
    has_device(w, w.alice, w.email, "OneLogin Email", "Alice's inbox")


@step("mfa.v2.email.verify", "e-mail: challenge, wrong code refused, right code accepted")
def email_verify(w):
    w.dev.mark()
    verification, _ = challenge(w, w.alice, w.email)
    code = w.dev.code("email", w.alice)
    answer_refused(w, w.alice, verification, w.email, other_code(code))
    answer_with(w, w.alice, verification, w.email, code)
    verification_is(w, w.alice, verification, w.email, "accepted")


# Voice: the digits are shown here and keyed in on the telephone.


@step("mfa.v2.voice.enrol", "voice: enrol, key the shown digits in on the call, poll")
def voice_enrol(w):
    w.dev.mark()
    raw = enrol(w, w.alice, "OneLogin Voice", "Alice's landline")
    digits = raw["factor_data"]["verification_token"]
    matches("verification_token", digits, SIX)
    still_enrolling(w, w.alice, raw)
    call = w.dev.message("voice", w.alice)
    equal("to", call["to"], w.alice_phone)
    true(digits not in call["body"], "the call says the digits it asks for")
    w.dev.keypad(call, digits)
    w.voice = settled(w, w.alice, raw)
    has_device(w, w.alice, w.voice, "OneLogin Voice", "Alice's landline")


@step("mfa.v2.voice.verify", "voice: challenge, key the shown digits in, poll accepted")
def voice_verify(w):
    w.dev.mark()
    verification, factor_data = challenge(w, w.alice, w.voice)
    verification_is(w, w.alice, verification, w.voice, "pending")
    answer_refused(w, w.alice, verification, w.voice, factor_data["verification_token"], 422, "ValidationError", None)
    verification_is(w, w.alice, verification, w.voice, "pending")
    w.dev.keypad(w.dev.message("voice", w.alice), factor_data["verification_token"])
    becomes(w, w.alice, verification, "accepted")


@step("mfa.v2.voice.wrong_digits", "voice: wrong digits on the call reject")
def voice_wrong(w):
    w.dev.mark()
    verification, factor_data = challenge(w, w.alice, w.voice)
    w.dev.keypad(w.dev.message("voice", w.alice), other_code(factor_data["verification_token"]))
    becomes(w, w.alice, verification, "rejected")


# Push.


@step("mfa.v2.push.enrol", "push: enrol, pair the telephone, poll")
def push_enrol(w):
    raw = enrol(w, w.alice, "OneLogin Protect", "Alice's push")
    data = raw["factor_data"]
    true(data["verification_token"], "no pairing code")
    # The address of the app, which opens with the code (contract 20).
    true(data["totp_url"].endswith(f"/app#{data['verification_token']}"), f"totp_url: got {data['totp_url']!r}")
    still_enrolling(w, w.alice, raw)
    w.dev.pair(raw)
    w.push = settled(w, w.alice, raw)
    has_device(w, w.alice, w.push, "OneLogin Protect", "Alice's push")


@step("mfa.v2.push.accept", "push: challenge, poll pending, accept, poll accepted")
def push_accept(w):
    verification, factor_data = challenge(w, w.alice, w.push)
    equal("factor_data", factor_data, {})
    verification_is(w, w.alice, verification, w.push, "pending")
    w.dev.accept(w.alice)
    becomes(w, w.alice, verification, "accepted")
    verification_is(w, w.alice, verification, w.push, "accepted")


@step("mfa.v2.push.deny", "push: challenge, deny, poll rejected")
def push_deny(w):
    verification, _ = challenge(w, w.alice, w.push)
    verification_is(w, w.alice, verification, w.push, "pending")
    w.dev.deny(w.alice)
    becomes(w, w.alice, verification, "rejected")


@step("mfa.v2.push.code_refused", "push: a typed code cannot answer a push")
def push_code(w):
    verification, _ = challenge(w, w.alice, w.push)
    answer_refused(w, w.alice, verification, w.push, "123456", 422, "ValidationError", None)
    verification_is(w, w.alice, verification, w.push, "pending")
    w.dev.deny(w.alice)
    becomes(w, w.alice, verification, "rejected")


# What is enrolled now.


@step("mfa.v2.devices", "list the five devices; the first is the default")
def all_devices(w):
    listed = devices(w, w.alice)
    equal("devices", sorted(listed), sorted([w.totp, w.sms, w.email, w.voice, w.push]))
    equal("default", [key for key, device in listed.items() if device.default], [w.totp])


@step("mfa.v2.factors_left", "an enrolled factor is no longer offered, TOTP still is")
def factors_left(w):
    names = {factor.name for factor in w.api.mfa2.get_auth_factors(w.alice)}
    true("Authenticator" in names, "TOTP is no longer offered")
    for name in ("OneLogin SMS", "OneLogin Voice", "OneLogin Email", "OneLogin Protect"):
        true(name not in names, f"{name} is still offered")


# The temporary token.


def use_token(w, user, token):
    return w.api.mfa1.verify_mfa_factor(user, "0", VerifyMfaFactorRequest(otp_token=token))


@step("mfa.v2.mfa_token", "temporary token: issue, use in v1 verify, once")
def mfa_token(w):
    answer = w.api.mfa2.generate_otp(w.alice, generate_otp_request=GenerateOTPRequest(expires_in=600))
    matches("mfa_token", answer.mfa_token, re.compile(r"[0-9]{8}"))
    equal("reusable", answer.reusable, False)
    matches("expires_at", answer.expires_at, ISO)
    equal("device_id", answer.device_id, f"user_temp_otp_{w.alice}")
    done(use_token(w, w.alice, answer.mfa_token))
    refused_v1(401, *WRONG, use_token, w, w.alice, answer.mfa_token)


@step("mfa.v2.mfa_token_range", "temporary token: a life out of range is refused")
def mfa_token_range(w):
    body = refused_v2(
        422,
        "ValidationError",
        "Validations failed",
        w.api.mfa2.generate_otp,
        w.alice,
        generate_otp_request=GenerateOTPRequest(expires_in=60),
    )
    equal("parameters", body["details"]["parameters"], ["expires_in"])


@step("mfa.v2.mfa_token_revoked", "temporary token: revoke it as a device")
def mfa_token_revoked(w):
    answer = w.api.mfa2.generate_otp(
        w.alice, generate_otp_request=GenerateOTPRequest(expires_in=600, reusable=True)
    )
    equal("reusable", answer.reusable, True)
    done(use_token(w, w.alice, answer.mfa_token))
    done(use_token(w, w.alice, answer.mfa_token))
    w.api.mfa2.delete_enrolled_factor(w.alice, answer.device_id)
    equal("status", w.api.last_status, 204)
    refused_v1(401, *WRONG, use_token, w, w.alice, answer.mfa_token)


# Removal.


@step("mfa.v2.remove", "remove a device; it is gone and its factor is offered again")
def remove(w):
    equal("answer", w.api.mfa2.delete_enrolled_factor(w.alice, w.email), None)
    equal("status", w.api.last_status, 204)
    true(w.email not in devices(w, w.alice), "the device is still listed")
    names = {factor.name for factor in w.api.mfa2.get_auth_factors(w.alice)}
    true("OneLogin Email" in names, "the factor is not offered again")
    refused_v2(404, "NotFound", None, w.api.mfa2.delete_enrolled_factor, w.alice, w.email)


@step("mfa.v2.remove_default", "when the default device goes, the next oldest is the default")
def remove_default(w):
    w.api.mfa2.delete_enrolled_factor(w.alice, w.totp)
    equal("default", [key for key, device in devices(w, w.alice).items() if device.default], [w.sms])
