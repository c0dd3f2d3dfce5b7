"""A gateway for text messages, one for calls and a mail server, on loopback: they take everything that `countersign serve`
sends."""

import base64
import email
import email.policy
import hashlib
import hmac
import html
import http.client
import json
import queue
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import parse_qsl, urlencode

CODE = re.compile(r"\b[0-9A-Z]{6}\b")
# Where the gateway for calls finds `serve`, as it believes.
PUBLIC = "https://mfa.example.com"
# What signs the digits that it brings.
AUTH_TOKEN = "sample token"
# How `serve` is told of all. The gateway's file is beside this one.
CONFIGURATION = """\
public_url = "https://mfa.example.com"
issuer = "Example Inc"
delivery.http = ["gateway.toml"]
login.redirect_origins = ["https://app.example.com"]
[messages]
countries = ["US"]
[delivery.smtp]
servers = ["smtp+plain://127.0.0.1:{mail}"]
from = "Example Inc <mfa@example.com>"
[delivery.twilio]
account_sid = "AC00000000000000000000000000000000"
auth_token = "sample token"
voice_from = "+14155550100"
base_url = "http://127.0.0.1:{gateway}"
# Steps follow each other at once.
[limits]
message_interval_seconds = 0
"""
GATEWAY = """\
url = "http://127.0.0.1:{gateway}/messages"
json = '{{"to": "{{{{ to }}}}", "text": "{{{{ text }}}}"}}'
"""


class Inbox:
    """What has arrived, for steps that read messages in the dev world otherwise."""

    def __init__(self):
        self.arrived = queue.Queue()
        self.gateway = ThreadingHTTPServer(("127.0.0.1", 0), handler(TakesTexts, self.arrived))
        self.mail = ThreadingTCPServer(("127.0.0.1", 0), handler(TakesMail, self.arrived))
        # By channel and user.
        self.recipients = {}
        # The address of `serve`, once it runs.
        self.server = None
        for server in (self.gateway, self.mail):
            server.daemon_threads = True
            Thread(target=server.serve_forever, daemon=True).start()

    def configure(self, folder):
        """Writes the configuration of a server that sends here. Returns its file."""
        (folder / "gateway.toml").write_text(GATEWAY.format(gateway=self.gateway.server_address[1]))
        file = folder / "countersign.toml"
        ports = {"mail": self.mail.server_address[1], "gateway": self.gateway.server_address[1]}
        file.write_text(CONFIGURATION.format(**ports))
        return file

    def keypad(self, call, digits):
        """Keys digits into a call. The gateway brings them, signed as Twilio signs."""
        fields = {"CallSid": "CA1", "Digits": digits, "To": call["to"], "CallStatus": "in-progress"}
        signed = call["action"] + "".join(name + fields[name] for name in sorted(fields))
        signature = base64.b64encode(hmac.digest(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1)).decode()
        headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
        connection = http.client.HTTPConnection(self.server.removeprefix("http://"), timeout=10)
        connection.request("POST", call["action"].removeprefix(PUBLIC), urlencode(fields), headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200 or b"<Say" not in said:
            raise AssertionError(f"keyed digits are answered with {answer.status} {said!r}")

    def mark(self):
        """Drops what has arrived so far."""
        while not self.arrived.empty():
            self.arrived.get()

    def message(self, channel, user_id):
        """The next message, which must be this user's over this channel."""
        to = self.recipients[channel, user_id]
        try:
            message = self.arrived.get(timeout=10)
        except queue.Empty:
            raise AssertionError(f"no {channel} message to {to} within 10 s") from None
        if (message["channel"], message["to"]) != (channel, to):
            raise AssertionError(f"a {channel} message to {to} should arrive, not {message!r}")
        found = CODE.search(message["body"])
        return {**message, "code": found and found.group()}

    def code(self, channel, user_id):
        message = self.message(channel, user_id)
        if message["code"] is None:
            raise AssertionError(f"no code in {message!r}")
        return message["code"]


def handler(kind, arrived):
    return type(kind.__name__, (kind,), {"arrived": arrived})


def text(sent):
    return {"channel": "sms", "to": sent["to"], "body": sent["text"]}


def call(form):
    """What a call says, with what is spelled in one piece, and where digits go that are keyed into it."""
    fields = dict(parse_qsl(form.decode()))
    said = [html.unescape(words) for words in re.findall(r"<Say[^>]*>([^<]*)</Say>", fields["Twiml"])]
    body = "".join(words if len(words) == 1 else f" {words} " for words in said)
    action = re.search(r'action="([^"]*)"', fields["Twiml"])
    return {"channel": "voice", "to": fields["To"], "body": body, "action": action and html.unescape(action.group(1))}


class TakesTexts(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
        self.arrived.put(call(body) if self.path.endswith("/Calls.json") else text(json.loads(body)))

    def log_message(self, *_):
        pass


class TakesMail(StreamRequestHandler):
    def handle(self):
        self.say("220 mail.example.com")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.say("354 go on")
                self.keep(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.say("221 bye" if word == b"QUIT" else "250 mail.example.com")

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())

    def keep(self, mail):
        message = email.message_from_bytes(mail, policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()
        self.arrived.put({"channel": "email", "to": str(message["to"]), "body": text})
