"""MFA v2: version 2 of the SDK only."""

import re

from driver.harness import equal, matches, poll, true
from driver.otp import Authenticator, other_code

from .mfa_v1 import WRONG, next_code
from .sdk import TWO, step
from .users import UNKNOWN_USER

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOT_FOUND = "The resource can't be found or the server has not found anything matching the Request-URI"
FACTORS = {
    "OneLogin SMS": "SMS",
    "OneLogin Voice": "OneLogin Voice",
    "OneLogin Email": "OneLogin Email",
    "OneLogin Protect": "OneLogin",
    "Authenticator": "Google Authenticator",
}


def enrol(w, factor, name, status="pending", **options):
    device = w.api.call("enroll_factor", w.alice["id"], w.factor_ids[factor], name, **options)
    matches("id", device.id, UUID)
    equal("status", device.status, status)
    equal("auth_factor_name", device.auth_factor_name, FACTORS[factor])
    equal("type_display_name", device.type_display_name, factor)
    equal("user_display_name", device.user_display_name, name)
    return device


def finish(w, registration, code):
    """Finishes an enrolment. Returns the device's id."""
    status = w.api.call("verify_enroll_factor_otp", w.alice["id"], registration.id, code)
    equal("id", status.id, registration.id)
    equal("status", status.status, "accepted")
    return status.device_id


def challenge(w, device, **options):
    answer = w.api.call("activate_factor", w.alice["id"], device, **options)
    matches("id", answer.id, UUID)
    equal("user_id", answer.user_id, w.alice["id"])
    equal("device_id", answer.device_id, device)
    true(answer.expires_at is not None, "no expires_at")
    return answer


def accepted(w, verification, code, device=None):
    equal("answer", w.api.call("verify_factor_otp", w.alice["id"], verification.id, code, device), True)


def refused(w, verification, code, device=None, status=401, message=WRONG):
    w.api.refused(status, message, "verify_factor_otp", w.alice["id"], verification.id, code, device)


def until(w, verification, wanted):
    read = lambda: w.api.call("verify_factor_poll", w.alice["id"], verification.id).status
    poll("status", read, lambda status: status == wanted)


@step("mfa.v2.factors", "list the factors a user can enrol", TWO)
def factors(w):
    w.api.speak(2)
    w.factor_ids = {}
    for factor in w.api.call("get_factors", w.alice["id"]):
        if factor.name in FACTORS:
            equal("auth_factor_name", factor.auth_factor_name, FACTORS[factor.name])
            w.factor_ids[factor.name] = factor.id
    equal("factors", sorted(w.factor_ids), sorted(FACTORS))


@step("mfa.v2.unknown_user", "MFA of a user that does not exist is not found", TWO)
def unknown_user(w):
    w.api.refused(404, NOT_FOUND, "get_factors", UNKNOWN_USER)
    w.api.refused(404, NOT_FOUND, "get_enrolled_factors", UNKNOWN_USER)


@step("mfa.v2.no_devices", "a user without devices has an empty list", TWO)
def no_devices(w):
    equal("devices", w.api.call("get_enrolled_factors", w.alice["id"]), [])


@step("mfa.v2.totp.enrol", "TOTP: enrol, scan the otpauth address", TWO)
def totp_enrol(w):
    w.totp = enrol(w, "Authenticator", "Alice's app")
    w.app = Authenticator(w.totp.factor_data["totp_url"])
    equal("verification_token", w.totp.factor_data["verification_token"], w.app.secret)


@step("mfa.v2.totp.wrong_enrol_code", "TOTP: a wrong code does not finish the enrolment", TWO)
def totp_wrong(w):
    wrong = w.app.wrong(w.dev.now())
    w.api.refused(401, WRONG, "verify_enroll_factor_otp", w.alice["id"], w.totp.id, wrong)
    equal("status", w.api.call("verify_enroll_factor_poll", w.alice["id"], w.totp.id).status, "pending")


@step("mfa.v2.totp.finish", "TOTP: finish with the code", TWO)
def totp_finish(w):
    w.totp_device = finish(w, w.totp, w.app.code(w.dev.now()))


@step("mfa.v2.challenge_answer", "read the answer to a challenge", TWO)
def challenge_answer(w):
    equal("auth_factor_name", challenge(w, w.totp_device).auth_factor_name, "Google Authenticator")


@step("mfa.v2.totp.verify", "TOTP: challenge, wrong code refused, right code accepted", TWO)
def totp_verify(w):
    verification = challenge(w, w.totp_device)
    refused(w, verification, w.app.wrong(w.dev.now()), w.totp_device)
    w.used = next_code(w, w.app)
    accepted(w, verification, w.used, w.totp_device)


@step("mfa.v2.totp.replay", "TOTP: a spent code is refused", TWO)
def totp_replay(w):
    refused(w, challenge(w, w.totp_device), w.used, w.totp_device)


@step("mfa.v2.sms.enrol", "SMS: enrol, read the message in its own words, finish", TWO)
def sms_enrol(w):
    w.dev.mark()
    registration = enrol(w, "OneLogin SMS", "Alice's phone", custom_message="Example: {{otp_code}}")
    message = w.dev.message("sms", w.alice["id"])
    equal("body", message["body"], f"Example: {message['code']}")
    w.sms_device = finish(w, registration, message["code"])


@step("mfa.v2.sms.verify", "SMS: challenge, wrong code refused, right code accepted, once", TWO)
def sms_verify(w):
    w.dev.mark()
    verification = challenge(w, w.sms_device)
    code = w.dev.code("sms", w.alice["id"])
    refused(w, verification, other_code(code))
    accepted(w, verification, code)
    refused(w, verification, code, None, 404, NOT_FOUND)


@step("mfa.v2.email.enrol", "e-mail: enrol, read the code, finish", TWO)
def email_enrol(w):
    w.dev.mark()
    registration = enrol(w, "OneLogin Email", "Alice's inbox")
    w.email_device = finish(w, registration, w.dev.code("email", w.alice["id"]))


@step("mfa.v2.email.verify", "e-mail: challenge, wrong code refused, right code accepted", TWO)
def email_verify(w):
    w.dev.mark()
    verification = challenge(w, w.email_device)
    code = w.dev.code("email", w.alice["id"])
    refused(w, verification, other_code(code))
    accepted(w, verification, code)


def key_in(w, factor_data):
    message = w.dev.message("voice", w.alice["id"])
    w.dev.keypad(message, factor_data["verification_token"])


@step("mfa.v2.voice.enrol", "voice: enrol, key the shown digits in on the call, poll", TWO)
def voice_enrol(w):
    w.dev.mark()
    registration = enrol(w, "OneLogin Voice", "Alice's landline")
    key_in(w, registration.factor_data)
    status = w.api.call("verify_enroll_factor_poll", w.alice["id"], registration.id)
    equal("status", status.status, "accepted")
    w.voice_device = status.device_id


@step("mfa.v2.voice.verify", "voice: challenge, key the shown digits in, poll accepted", TWO)
def voice_verify(w):
    w.dev.mark()
    verification = challenge(w, w.voice_device)
    key_in(w, verification.factor_data)
    until(w, verification, "accepted")


@step("mfa.v2.push.enrol", "push: enrol, pair the telephone, poll", TWO)
def push_enrol(w):
    registration = enrol(w, "OneLogin Protect", "Alice's push")
    w.dev.pair(w.api.last.json())
    status = w.api.call("verify_enroll_factor_poll", w.alice["id"], registration.id)
    equal("status", status.status, "accepted")
    w.push_device = status.device_id


@step("mfa.v2.push.accept", "push: challenge, poll pending, accept, poll accepted", TWO)
def push_accept(w):
    verification = challenge(w, w.push_device)
    until(w, verification, "pending")
    w.dev.accept(w.alice["id"])
    until(w, verification, "accepted")


@step("mfa.v2.push.deny", "push: challenge, deny, poll rejected", TWO)
def push_deny(w):
    verification = challenge(w, w.push_device)
    w.dev.deny(w.alice["id"])
    until(w, verification, "rejected")


@step("mfa.v2.devices", "list the five devices; the first is the default", TWO)
def devices(w):
    listed = {device.id: device for device in w.api.call("get_enrolled_factors", w.alice["id"])}
    wanted = {w.totp_device, w.sms_device, w.email_device, w.voice_device, w.push_device}
    equal("devices", set(listed), wanted)
    equal("default", [number for number, device in listed.items() if device.default], [w.totp_device])


@step("mfa.v2.remove", "remove a device; it is gone and its factor is offered again", TWO)
def remove(w):
    equal("answer", w.api.call("remove_factor", w.alice["id"], w.sms_device), True)
    true(w.sms_device not in [device.id for device in w.api.call("get_enrolled_factors", w.alice["id"])], "still there")
    true("OneLogin SMS" in [factor.name for factor in w.api.call("get_factors", w.alice["id"])], "not offered again")
