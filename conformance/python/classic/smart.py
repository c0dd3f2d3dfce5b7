"""Smart MFA: version 2 of the SDK only."""

from driver.harness import equal, true
from driver.otp import other_code

from .sdk import TWO, step


def visit(**changes):
    return {
        "user_identifier": "zoe",
        "email": "zoe@example.com",
        "context": {"ip": "192.0.2.1", "user_agent": "Firefox", **changes},
    }


@step("smart.new", "a new visit costs a code", TWO)
def new(w):
    w.dev.mark()
    answer = w.api.call("validate_user", visit())
    true(answer.risk is not None, "no risk")
    equal("otp_sent", answer.mfa["otp_sent"], True)
    w.zoe, w.smart_token = answer.user_id, answer.mfa["state_token"]


@step("smart.verify", "a wrong code is refused, the right one accepted, once", TWO)
def verify(w):
    code = w.dev.code("email", w.zoe)
    w.api.refused(401, "Failed authentication with this factor", "verify_token", w.smart_token, other_code(code))
    equal("answer", w.api.call("verify_token", w.smart_token, code), True)
    w.api.refused(400, "State token is invalid or expired", "verify_token", w.smart_token, code)


@step("smart.known", "a known visit costs none", TWO)
def known(w):
    equal("otp_sent", w.api.call("validate_user", visit()).mfa["otp_sent"], False)
