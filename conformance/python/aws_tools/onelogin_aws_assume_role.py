"""Steps of onelogin-aws-assume-role."""

import json
import threading

from driver.harness import equal, step, true

from .tool import REGION

NAME = "onelogin-aws-assume-role"
FILE, PROFILE = "credentials", "work"


def options(w, person, credential=None, **more):
    client_id, client_secret = credential or w.credential
    given = {
        "client_id": client_id,
        "client_secret": client_secret,
        "onelogin-username": person["email"],
        "onelogin-password": person["password"],
        "onelogin-app-id": str(w.ready["apps"][0]["id"]),
        "onelogin-subdomain": w.ready["subdomain"],
        "aws-region": REGION,
        **more,
    }
    return [part for name, value in given.items() for part in (f"--{name}", value)]


def to_file(w, person, **more):
    return options(w, person, file=FILE, profile=PROFILE, **more)


def is_in(w, run, person, **more):
    true(run.status == 0, f"ended with {run.status}: {run.output[-600:]}")
    w.tool.holds(run.keys(FILE, PROFILE), person["username"], **more)


@step("saml.aws.no_mfa", "password only: an assertion, and keys of the role from AWS")
def no_mfa(w):
    ana, ben, chie = w.ready["users"][:3]
    w.ana, w.ben, w.chie = ana, ben, chie
    is_in(w, w.tool.run(NAME, *to_file(w, chie)), chie)


@step("saml.aws.scope", "a credential that may only authenticate is enough")
def scope(w):
    client = next(client for client in w.ready["clients"] if client["scope"] == "Authentication Only")
    credential = (client["client_id"], client["client_secret"])
    is_in(w, w.tool.run(NAME, *to_file(w, w.chie, credential=credential)), w.chie)


@step("saml.aws.duration", "the session lasts as long as asked")
def duration(w):
    is_in(w, w.tool.run(NAME, *to_file(w, w.chie, duration="900")), w.chie, seconds=900)


@step("saml.aws.wrong_password", "a wrong password is said and asked for again")
def wrong_password(w):
    wrong = {**w.chie, "password": "not it"}
    run = w.tool.run(NAME, *to_file(w, wrong), typed=f"{w.chie['password']}\n")
    run.says("Error 401. Authentication Failed: Invalid user credentials")
    is_in(w, run, w.chie)


@step("saml.aws.unknown_app", "an app that is not there ends it")
def unknown_app(w):
    run = w.tool.run(NAME, *to_file(w, w.chie, **{"onelogin-app-id": "4711"}))
    run.says("Error 404. App not found")
    true(run.status != 0, "it ended well")


@step("saml.aws.totp", "TOTP: a wrong code, then the right one on the same state token")
def totp(w):
    w.app = w.fixtures.app(w.ana)
    now = w.fixtures.dev.now()
    run = w.tool.run(NAME, *to_file(w, w.ana, otp=w.app.wrong(now)), typed=f"{w.app.code(now)}\n")
    run.says("The OTP Token was invalid or expired, please introduce a new one")
    is_in(w, run, w.ana)


@step("saml.aws.totp_v2", "TOTP, over version 2 of the API")
def totp_v2(w):
    # The next step's code is good already, and this step's is spent.
    code = w.app.at_step(int(w.fixtures.dev.now()) // 30 + 1)
    is_in(w, w.tool.run(NAME, *to_file(w, w.ana, otp=code, **{"saml-api-version": "2"})), w.ana)


@step("saml.aws.sms", "SMS: sent when the device is chosen, then typed")
def sms(w):
    w.fixtures.sms(w.ben)
    w.fixtures.dev.mark()
    process, home = w.tool.start(NAME, *to_file(w, w.ben))
    code = w.fixtures.dev.code("sms", w.ben["id"])
    is_in(w, w.tool.finish(process, home, f"{code}\n"), w.ben)


def by_push(w, person, **more):
    w.fixtures.dev.mark()

    def answer():
        w.fixtures.dev.message("push", person["id"])
        w.fixtures.dev.accept(person["id"])

    process, home = w.tool.start(NAME, *to_file(w, person, **more))
    at_the_telephone = threading.Thread(target=answer)
    at_the_telephone.start()
    run = w.tool.finish(process, home)
    at_the_telephone.join()
    is_in(w, run, person)
    equal("prompts since", [m for m in w.fixtures.dev.outbox(channel="push", user_id=person["id"], after=w.fixtures.dev.seen)], [])


@step("saml.aws.push", "push: one prompt, polled until it is accepted")
def push(w):
    w.dana = w.fixtures.newcomer("dana")
    w.fixtures.push(w.dana)
    by_push(w, w.dana)


@step("saml.aws.push_v2", "push, over version 2 of the API")
def push_v2(w):
    by_push(w, w.dana, **{"saml-api-version": "2"})


@step("saml.aws.credential_process", "as a credential process of the AWS SDKs")
def credential_process(w):
    run = w.tool.run(NAME, "--credential-process", *options(w, w.chie))
    true(run.status == 0, f"ended with {run.status}: {run.output[-600:]}")
    # What it says to the person goes to a terminal, or, without one, to the other stream; both are one here.
    printed = json.loads(run.output[run.output.index("\n{") :])
    keys = {
        "aws_access_key_id": printed["AccessKeyId"],
        "aws_secret_access_key": printed["SecretAccessKey"],
        "aws_session_token": printed["SessionToken"],
    }
    w.tool.holds(keys, w.chie["username"])
