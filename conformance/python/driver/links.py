"""Links in mail, against `serve`: the SDK enrols and polls, and a browser's part is played here."""

import html
import http.client
import re
from urllib.parse import urlencode

from .harness import equal, step, true
from .mfa_v2 import becomes, challenge, enrol, has_device, settled, still_enrolling, verification_is

# Where `serve` lets callers send browsers.
DONE = "https://app.example.com/done"
# What links begin with.
PUBLIC = "https://mfa.example.com"


class Browser:
    """Opens a link and presses its buttons, as a browser that says where its forms come from."""

    def __init__(self, w, message):
        found = re.search(re.escape(PUBLIC) + r"(/link/([A-Za-z0-9_-]{43}))\b", message["body"])
        true(found is not None, f"no link in {message!r}")
        self.host, (self.path, self.token) = w.dev.server.removeprefix("http://"), found.groups()

    def ask(self, method, path, form=None):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        headers = {"sec-fetch-site": "same-origin", "origin": "null"} if form else {}
        body = urlencode(form) if form else None
        if form:
            headers["content-type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    def scan(self):
        """What a scanner of mail does."""
        for method in ("HEAD", "GET", "GET"):
            equal(method, self.ask(method, self.path)[0], 200)

    def press(self, answer):
        status, _, page = self.ask("GET", self.path)
        equal("status of the page", status, 200)
        nonce = html.unescape(re.search(r'name="nonce" value="([^"]*)"', page).group(1))
        status, headers, _ = self.ask("POST", "/link", {"token": self.token, "nonce": nonce, "answer": answer})
        equal("status of the form", status, 200)
        equal("the link afterwards", self.ask("GET", self.path)[0], 410)
        return headers


def browser(w):
    return Browser(w, w.dev.message("email", w.maya))


@step("mfa.v2.link.enrol", "e-mail: enrol with redirect_to, confirm on the link's page, poll")
def link_enrol(w):
    w.dev.mark()
    raw = enrol(w, w.maya, "OneLogin Email", "Maya's inbox", redirect_to=DONE)
    opened = browser(w)
    opened.scan()
    still_enrolling(w, w.maya, raw)
    equal("refresh", opened.press("confirm")["refresh"], f"2; url={DONE}")
    w.mailbox = settled(w, w.maya, raw)
    has_device(w, w.maya, w.mailbox, "OneLogin Email", "Maya's inbox")


@step("mfa.v2.link.verify", "e-mail: challenge with redirect_to, confirm on the link's page, poll accepted")
def link_verify(w):
    w.dev.mark()
    verification, _ = challenge(w, w.maya, w.mailbox, redirect_to=DONE)
    opened = browser(w)
    opened.scan()
    verification_is(w, w.maya, verification, w.mailbox, "pending")
    opened.press("confirm")
    becomes(w, w.maya, verification, "accepted")


@step("mfa.v2.link.disowned", 'e-mail: "not me" on the link\'s page, poll rejected')
def link_disowned(w):
    w.dev.mark()
    verification, _ = challenge(w, w.maya, w.mailbox, redirect_to=DONE)
    equal("refresh", browser(w).press("disown")["refresh"], None)
    becomes(w, w.maya, verification, "rejected")
