"""What is outside of a server here: a gateway that speaks Twilio's protocol, and a receiver of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import urllib.error
import urllib.parse
import urllib.request

from files import Complaints

# As in the configuration of the server.
TOKEN = "sample token"
PUBLIC = "https://mfa.example.com"
# The gateway does not let us send this one.
DENIED = "+14155550102"
# The gateway refuses this one.
REFUSED = "+14155550103"
# The gateway takes this one and loses it.
LOST = "+14155550104"


class Outside(http.server.BaseHTTPRequestHandler):
    """Answers as the gateway below `/2010-04-01`, and as the receiver of webhooks elsewhere."""

    protocol_version = "HTTP/1.1"
    # The receipts that the gateway owes: where to, whose number, and what became of the message.
    owed: list[tuple[str, str, str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if not self.path.startswith("/2010-04-01/"):
            self.answer(500 if self.path.endswith("/broken") else 200, {})
            return
        form = dict(urllib.parse.parse_qsl(body.decode()))
        number = form["To"]
        if number == DENIED:
            self.answer(401, {"code": 20003, "message": "Authenticate"})
        elif number == REFUSED:
            self.answer(400, {"code": 21606, "message": "The sender cannot send"})
        else:
            self.owed.append((form["StatusCallback"], number, "undelivered" if number == LOST else "delivered"))
            self.answer(201, {"sid": f"SM{len(self.owed)}"})

    def answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve(port: int) -> http.server.ThreadingHTTPServer:
    """Answers at this port until the process ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def send_receipts(base_url: str) -> None:
    """Sends the receipts that the gateway owes, each once more with a wrong signature."""
    while Outside.owed:
        url, number, status = Outside.owed.pop(0)
        fields = {"MessageSid": "SM1", "MessageStatus": status, "To": number}
        text = url + "".join(name + fields[name] for name in sorted(fields))
        right = base64.b64encode(hmac.digest(TOKEN.encode(), text.encode(), hashlib.sha1)).decode()
        for signature, expected in [(right, 200), ("bm90IHRoZSBzaWduYXR1cmU=", 403)]:
            got = post(base_url + url.removeprefix(PUBLIC), urllib.parse.urlencode(fields).encode(), signature)
            if got != expected:
                raise Complaints(f"a receipt was answered {got} and not {expected}")


def post(url: str, body: bytes, signature: str) -> int:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
