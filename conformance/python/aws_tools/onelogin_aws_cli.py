"""Steps of onelogin-aws-cli, which uses the Python SDK 2.0.4 and version 2 of the API."""

from driver.harness import Known, step, true

from .tool import REGION

NAME = "onelogin-aws-login"
FILE, PROFILE = ".aws/credentials", "work"


def files(w, person, credential=None, app=None):
    client_id, client_secret = credential or w.credential
    lines = {
        "base_uri": "https://api.us.onelogin.com/",
        "client_id": client_id,
        "client_secret": client_secret,
        "aws_app_id": app or w.ready["apps"][0]["id"],
        "subdomain": w.ready["subdomain"],
        "username": person["email"],
        "profile": PROFILE,
        "region": REGION,
        "auto_determine_ip_address": "false",
    }
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return {".onelogin-aws.config": f"[defaults]\n{text}"}


def log_in(w, person, *typed, **changes):
    lines = "".join(f"{line}\n" for line in typed)
    return w.tool.run(NAME, files=files(w, person, **changes), typed=lines)


def is_in(w, run, person):
    true(run.status == 0, f"ended with {run.status}: {run.output[-600:]}")
    w.tool.holds(run.keys(FILE, PROFILE), person["username"])


def is_out(run, words):
    run.says(words)
    true(run.status != 0, "it ended well")


@step("saml.aws.no_mfa", "password only: an assertion, and keys of the role from AWS")
def no_mfa(w):
    w.ana, w.ben, w.chie = w.ready["users"][:3]
    is_in(w, log_in(w, w.chie, w.chie["password"]), w.chie)


@step("saml.aws.scope", "a credential that may only authenticate is enough")
def scope(w):
    client = next(client for client in w.ready["clients"] if client["scope"] == "Authentication Only")
    credential = (client["client_id"], client["client_secret"])
    is_in(w, log_in(w, w.chie, w.chie["password"], credential=credential), w.chie)


@step("saml.aws.wrong_password", "a wrong password is said")
def wrong_password(w):
    is_out(log_in(w, w.chie, "not it"), "'401' 'Authentication Failed: Invalid user credentials'")


@step("saml.aws.unknown_app", "an app that is not there ends it")
def unknown_app(w):
    is_out(log_in(w, w.chie, w.chie["password"], app="4711"), "'404' 'App not found'")


@step("saml.aws.totp", "TOTP: the right code")
def totp(w):
    w.app = w.fixtures.app(w.ana)
    is_in(w, log_in(w, w.ana, w.ana["password"], w.app.code(w.fixtures.dev.now())), w.ana)


@step("saml.aws.totp_wrong", "TOTP: a wrong code ends it")
def totp_wrong(w):
    wrong = w.app.wrong(w.fixtures.dev.now())
    is_out(log_in(w, w.ana, w.ana["password"], wrong), "'401' 'Failed authentication with this factor'")


@step("saml.aws.sms", "SMS: sent when the device is chosen, then typed")
def sms(w):
    w.fixtures.sms(w.ben)
    w.fixtures.dev.mark()
    run = log_in(w, w.ben, w.ben["password"], "")
    true(run.status != 0, "the tool now waits for a message: take the step off the known list")
    w.fixtures.dev.code("sms", w.ben["id"])
    return Known(
        "the tool asks for the code before it has asked the server to send one, and what it sends without a code it"
        " takes for the last answer; use an authenticator app"
    )


@step("saml.aws.push", "push: one prompt, polled until it is accepted")
def push(w):
    dana = w.fixtures.newcomer("dana")
    w.fixtures.push(dana)
    run = log_in(w, dana, dana["password"], "")
    true(run.status != 0, "the tool now waits for an answer: take the step off the known list")
    return Known("the tool asks for a code for every device and does not poll; use an authenticator app")
