"""MFA v1."""

import re

from driver.harness import equal, matches, true
from driver.otp import Authenticator, other_code

from .sdk import device_id, step
from .users import UNKNOWN_USER

HEX40 = re.compile(r"[0-9a-f]{40}")
ALPHANUMERIC = re.compile(r"[2-9A-HJ-NP-Z]{6}")
FACTORS = ["OneLogin SMS", "OneLogin Voice", "OneLogin Email", "OneLogin Protect", "Google Authenticator"]
SMS_SENT = "SMS token sent to your mobile device. Authentication pending."
PUSH_PENDING = "Authentication pending on OL Protect"
WRONG = "Failed authentication with this factor"
OVER = "State token is invalid or expired"


def enrol(w, factor, name, number=None):
    """Enrols. Returns the device and the raw answer, of which the SDK shows only a part."""
    device = w.api.call("enroll_factor", w.bob["id"], w.factor_ids_v1[factor], name, number)
    equal("active", device.active, False)
    equal("auth_factor_name", device.auth_factor_name, factor)
    equal("user_display_name", device.user_display_name, name)
    equal("needs_trigger", device.needs_trigger, factor != "Google Authenticator")
    matches("state_token", device.state_token, HEX40)
    return device, w.api.last.json()["data"][0]


def trigger(w, device):
    answer = w.api.call("activate_factor", w.bob["id"], device.id)
    equal("user_id", answer.user_id, w.bob["id"])
    equal("device_id", int(answer.device_id), device_id(device))
    matches("state_token", answer.state_token, HEX40)
    return answer.state_token


def verify(w, device, otp=None, state_token=None):
    equal("answer", w.api.call("verify_factor", w.bob["id"], device.id, otp, state_token), True)


def refused(w, device, otp=None, state_token=None, status=401, message=WRONG):
    w.api.refused(status, message, "verify_factor", w.bob["id"], device.id, otp, state_token)


def devices(w):
    return {int(device.id): device for device in w.api.call("get_enrolled_factors", w.bob["id"])}


def next_code(w, app):
    """A code that no earlier step has used."""
    w.dev.advance(90)
    return app.code(w.dev.now())


@step("mfa.v1.factors", "list the factors a user can enrol (v1)")
def factors(w):
    w.api.speak(1)
    names = {factor.name: factor.id for factor in w.api.call("get_factors", w.bob["id"])}
    for name in FACTORS:
        true(type(names.get(name)) is int, f"{name}: got factor_id {names.get(name)!r}")
    w.factor_ids_v1 = names


@step("mfa.v1.unknown_user", "MFA of a user that does not exist (v1)")
def unknown_user(w):
    w.api.refused(404, f"User for id {UNKNOWN_USER} was not found", "get_factors", UNKNOWN_USER)
    w.api.refused(400, "User does not exist", "get_enrolled_factors", UNKNOWN_USER)


@step("mfa.v1.no_devices", "a user without devices has an empty list (v1)")
def no_devices(w):
    equal("devices", devices(w), {})


@step("mfa.v1.sms.enrol", "SMS: enrol with a number (v1)")
def sms_enrol(w):
    w.sms_v1, _ = enrol(w, "OneLogin SMS", "Bob's phone", w.bob["phone"])
    equal("default", w.sms_v1.default, True)


@step("mfa.v1.trigger_answer", "read the answer to a trigger (v1)")
def trigger_answer(w):
    w.dev.mark()
    w.sms_state_token = trigger(w, w.sms_v1)


@step("mfa.v1.sms.verify", "SMS: wrong code refused, right code accepted, once (v1)")
def sms_verify(w):
    code = w.dev.code("sms", w.bob["id"])
    matches("code", code, ALPHANUMERIC)
    refused(w, w.sms_v1, other_code(code), w.sms_state_token)
    verify(w, w.sms_v1, code, w.sms_state_token)
    equal("active", devices(w)[device_id(w.sms_v1)].active, True)
    refused(w, w.sms_v1, code, w.sms_state_token, 400, OVER)


@step("mfa.v1.sms.no_state_token", "SMS: without its state token a code is refused (v1)")
def sms_no_state_token(w):
    w.dev.mark()
    state_token = trigger(w, w.sms_v1)
    code = w.dev.code("sms", w.bob["id"])
    refused(w, w.sms_v1, code, None, 400, "state_token is empty")
    verify(w, w.sms_v1, code, state_token)


@step("mfa.v1.totp.enrol", "TOTP: enrol and verify without a trigger (v1)")
def totp_enrol(w):
    w.totp_v1, raw = enrol(w, "Google Authenticator", "Bob's app")
    w.app_v1 = Authenticator(raw["factor_data"]["totp_url"])
    refused(w, w.totp_v1, w.app_v1.wrong(w.dev.now()))
    verify(w, w.totp_v1, w.app_v1.code(w.dev.now()))
    equal("active", devices(w)[device_id(w.totp_v1)].active, True)


@step("mfa.v1.totp.replay", "TOTP: a code counts once (v1)")
def totp_replay(w):
    code = next_code(w, w.app_v1)
    verify(w, w.totp_v1, code)
    refused(w, w.totp_v1, code)


@step("mfa.v1.email", "e-mail: enrol, trigger, verify (v1)")
def email(w):
    device, _ = enrol(w, "OneLogin Email", "Bob's inbox")
    w.dev.mark()
    state_token = trigger(w, device)
    code = w.dev.code("email", w.bob["id"])
    refused(w, device, other_code(code), state_token)
    verify(w, device, code, state_token)


@step("mfa.v1.voice", "voice: enrol, trigger, verify the spoken code (v1)")
def voice(w):
    device, _ = enrol(w, "OneLogin Voice", "Bob's landline", w.bob["phone"])
    w.dev.mark()
    state_token = trigger(w, device)
    verify(w, device, w.dev.code("voice", w.bob["id"]), state_token)


@step("mfa.v1.push.accept", "push: enrol, pair, trigger, poll pending, accept (v1)")
def push_accept(w):
    w.push_v1, _ = enrol(w, "OneLogin Protect", "Bob's push")
    w.dev.pair(w.api.last.json())
    state_token = trigger(w, w.push_v1)
    for _ in range(2):
        refused(w, w.push_v1, None, state_token, message=PUSH_PENDING)
    w.dev.accept(w.bob["id"])
    verify(w, w.push_v1, None, state_token)


@step("mfa.v1.push.deny", "push: trigger, deny (v1)")
def push_deny(w):
    state_token = trigger(w, w.push_v1)
    refused(w, w.push_v1, None, state_token, message=PUSH_PENDING)
    w.dev.deny(w.bob["id"])
    refused(w, w.push_v1, None, state_token)


@step("mfa.v1.devices", "list the five devices, numbers masked (v1)")
def all_devices(w):
    listed = devices(w)
    equal("factors", sorted(device.auth_factor_name for device in listed.values()), sorted(FACTORS))
    for number, device in listed.items():
        equal("active", device.active, True)
        equal("default", device.default, number == device_id(w.sms_v1))
        equal("needs_trigger", device.needs_trigger, device.auth_factor_name != "Google Authenticator")
    masked = listed[device_id(w.sms_v1)].phone_number
    true("x" in masked and masked.endswith(w.bob["phone"][-4:]), f"phone_number: got {masked!r}")


@step("mfa.v1.mfa_token", "temporary token: read the answer (v1)")
def mfa_token(w):
    token = w.api.call("generate_mfa_token", w.bob["id"], 600, True)
    matches("mfa_token", token.value, re.compile(r"[0-9]{8}"))
    equal("reusable", token.reusable, True)
    true(token.expires_at is not None, "no expires_at")
    w.token_v1 = token.value


@step("mfa.v1.mfa_token_use", "temporary token: a reusable one verifies more than once (v1)")
def mfa_token_use(w):
    for _ in range(2):
        equal("answer", w.api.call("verify_factor", w.bob["id"], 0, w.token_v1), True)


@step("mfa.v1.remove", "remove a device (v1)")
def remove(w):
    # Both versions read success from the body, where the documentation shows `{}` (contract 14.12).
    equal("answer", w.api.call("remove_factor", w.bob["id"], w.sms_v1.id), True)
    true(device_id(w.sms_v1) not in devices(w), "the device is still listed")
    w.api.refused(400, "Factor could not be found", "remove_factor", w.bob["id"], w.sms_v1.id)
