"""The users who log in, with their devices and telephones: set up without the tools under test."""

import base64
import re
import time
from datetime import datetime, timedelta, timezone

from driver.devworld import DevWorld
from driver.harness import equal, true
from driver.network import own_name
from driver.otp import Authenticator
from sts import Refused, judged

ROLE = "arn:aws:iam::123456789012:role/Developer"
PROVIDER = "arn:aws:iam::123456789012:saml-provider/Countersign"


class Fixtures:
    def __init__(self, ready, client_id, client_secret):
        self.ready = ready
        self.base = own_name(ready["base_url"])
        self.dev = DevWorld(ready["base_url"], ready["outbox_url"])
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self.dev.opener.addheaders = [("Authorization", f"Basic {basic}")]
        token = self.dev.call("POST", f"{self.base}/auth/oauth2/v2/token", {"grant_type": "client_credentials"})
        self.dev.opener.addheaders = [("Authorization", f"Bearer {token['access_token']}")]

    def call(self, method, path, body=None):
        return self.dev.call(method, self.base + path, body)

    def certificate(self):
        with self.dev.opener.open(f"{self.base}/saml/metadata", timeout=20) as answer:
            metadata = answer.read().decode()
        found = re.search(r"<(?:\w+:)?X509Certificate>([^<]+)<", metadata)
        true(found, "the metadata names no certificate")
        body = "".join(found.group(1).split())
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"

    def assertion(self, person):
        asked = {
            "username_or_email": person["username"],
            "password": person["password"],
            "app_id": self.ready["apps"][0]["id"],
            "subdomain": self.ready["subdomain"],
        }
        return self.call("POST", "/api/1/saml_assertion", asked)["data"]

    def check_stub(self, certificate):
        """The stub of AWS must refuse what AWS refuses; otherwise its acceptance proves nothing."""
        message, now = self.assertion(self.ready["users"][2]), datetime.now(timezone.utc)
        judged(message, ROLE, PROVIDER, certificate, now)
        altered = base64.b64encode(base64.b64decode(message).replace(b"role/Developer", b"role/Administrator")).decode()
        role = ROLE.replace("Developer", "Administrator")
        for what, asked in {
            "an altered assertion": (altered, role, PROVIDER, certificate, now),
            "a role that is not granted": (message, role, PROVIDER, certificate, now),
            "a provider that is not granted": (message, ROLE, PROVIDER + "2", certificate, now),
            "an assertion of yesterday": (message, ROLE, PROVIDER, certificate, now + timedelta(days=1)),
            "no assertion": (base64.b64encode(b"<x/>").decode(), ROLE, PROVIDER, certificate, now),
        }.items():
            try:
                judged(*asked)
            except Refused:
                continue
            raise AssertionError(f"the stub of AWS accepts {what}")

    def enrol(self, person, factor, **options):
        factors = self.call("GET", f"/api/1/users/{person['id']}/auth_factors")["data"]["auth_factors"]
        number = next(offered["factor_id"] for offered in factors if offered["name"] == factor)
        wanted = {"factor_id": number, "display_name": factor, **options}
        answer = self.call("POST", f"/api/1/users/{person['id']}/otp_devices", wanted)
        return answer["data"][0], answer

    def app(self, person):
        """An authenticator app whose codes of this step and the next are fresh. The clock is not moved: an assertion
        is only valid at the real time."""
        device, _ = self.enrol(person, "Google Authenticator")
        app = Authenticator(device["factor_data"]["totp_url"])
        # Not at the end of a time step: the previous step's code would be too old on arrival.
        time.sleep(max(0, 3 - (30 - time.time() % 30)) + 0.1)
        code = app.at_step(int(self.dev.now()) // 30 - 1)
        path = f"/api/1/users/{person['id']}/otp_devices/{device['id']}/verify"
        equal("confirmed", self.call("POST", path, {"otp_token": code})["status"]["type"], "success")
        return app

    def sms(self, person):
        self.enrol(person, "OneLogin SMS", number=person["phone"], verified=True)

    def push(self, person):
        _, answer = self.enrol(person, "OneLogin Protect")
        self.dev.pair(answer)

    def newcomer(self, name):
        """Creates one more user without a device."""
        password = f"{name}-correct-horse"
        body = {"username": name, "email": f"{name}@example.com", "password": password, "password_confirmation": password}
        made = self.call("POST", "/api/2/users", body)
        return {"id": made["id"], "username": name, "email": body["email"], "password": password}
