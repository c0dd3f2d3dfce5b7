"""Lets the makers of gateways judge what we send to them and take from them.

    gateways_accept.py PROGRAM READY_FILE

PROGRAM is the example `gateway_sample` of the crate `delivery`, READY_FILE the one of a running `serve` that is configured as in
`xtask/src/gateways.rs`. It needs botocore, moto[server], twilio and PyJWT.

- botocore signs the request that we have sent to Amazon SNS, with the same keys at the same time: the signatures are equal.
- moto's server, which plays Amazon's services, takes our request and has a message then.
- Twilio's own validator signs receipts, and PyJWT those of Vonage: the server takes them once, and none that was altered.
- It signs digits that were keyed into a call, too: the server says that they are late, and takes none that were altered.
"""

import datetime
import hashlib
import http.client
import http.server
import json
import logging
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid

import botocore.auth
import jwt
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer
from twilio.request_validator import RequestValidator

KEY_ID = "AKIDEXAMPLE"
KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "a session/token+of=sample"
REGION = "eu-central-1"
SECONDS = 1_440_938_160
# What the program sends.
NUMBER = "+15005550006"
# The running server, and its address outside.
SERVER = json.load(open(sys.argv[2], encoding="utf-8"))
PUBLIC = "https://mfa.example.com"
TEXT = "Your code is 012345 – für Ånna & co. *~'()"


def run(*arguments):
    """Whether the program ends well."""
    return subprocess.run([sys.argv[1], *arguments], capture_output=True, timeout=60).returncode == 0


def expect(holds, what):
    print(("ok    " if holds else "WRONG ") + what)
    if not holds:
        sys.exit(1)


class Recorder(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append((self.path, dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def headers_in_lower_case(headers):
    return {name.lower(): value for name, value in headers.items()}


def signed_by_botocore(url, headers, body):
    """The header Authorization that botocore gives to the same request."""
    at = datetime.datetime.fromtimestamp(SECONDS, datetime.timezone.utc).replace(tzinfo=None)
    botocore.auth.get_current_datetime = lambda *_, **__: at
    request = AWSRequest("POST", url, headers={"Content-Type": headers["content-type"]}, data=body)
    botocore.auth.SigV4Auth(Credentials(KEY_ID, KEY, TOKEN), "sns", REGION).add_auth(request)
    return headers_in_lower_case(request.headers)


def judge_signature():
    server = http.server.HTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    expect(run("publish", base, str(SECONDS)), "a request is sent")
    [(path, headers, body)] = Recorder.heard
    server.shutdown()
    ours, theirs = headers_in_lower_case(headers), signed_by_botocore(base + path, headers_in_lower_case(headers), body)
    for name in ["authorization", "x-amz-date", "x-amz-security-token"]:
        expect(ours[name] == theirs[name], f"botocore gives the same {name}")


def judge_publish():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    base = f"http://{host}:{port}"
    expect(run("publish", base, str(SECONDS)), "moto takes a message to a number")
    with urllib.request.urlopen(f"{base}/moto-api/data.json") as answer:
        [kept] = json.load(answer)["sns"]["SMS"]
    server.stop()
    expect(kept["phone_number"] == NUMBER and kept["message"] == TEXT, "it is the number and the text that we gave")


def judge_receipts():
    validator = RequestValidator("sample token")
    for url in ["https://mfa.example.com/callbacks/twilio/status", "https://mfa.example.com:8443/callbacks/twilio/status"]:
        for status in ["delivered", "undelivered", "sent"]:
            fields = {"MessageSid": "SM1", "MessageStatus": status, "To": "+15005550006", "From": "Ånna & co", "Empty": ""}
            signature, form = validator.compute_signature(url, fields), urllib.parse.urlencode(fields)
            expect(validator.validate(url, fields, signature), f"Twilio's validator takes {status} at {url}")
            expect(run("receipt", url, signature, form), "so do we")
            altered = form.replace("15005550006", "15005550007")
            expect(not run("receipt", url, signature, altered), "not with another number")
            expect(not run("receipt", url + "x", signature, form), "not at another address")
            expect(not run("receipt", url, validator.compute_signature(url, {}), form), "not with the signature of another form")


def answered(url, headers, body):
    """The status and the body of the answer to a POST to the running server."""
    connection = http.client.HTTPConnection(SERVER["base_url"].removeprefix("http://"), timeout=10)
    connection.request("POST", url.removeprefix(PUBLIC), body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def call(url, headers, body):
    """The status of a POST that is answered without a body."""
    status, content = answered(url, headers, body)
    expect(content == b"", f"the body of {status} is empty")
    return status


def judge_server():
    validator, count = RequestValidator("sample token"), 0
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    for status in ["sent", "delivered", "undelivered"]:
        url = f"{PUBLIC}/callbacks/twilio/status?message=4711-{int(time.time() * 1000)}"
        fields = {"MessageSid": f"SM{status}", "MessageStatus": status, "To": NUMBER, "From": "Ånna & co", "Empty": ""}
        form = urllib.parse.urlencode(fields)
        # Of Twilio's systems some sign the port of the scheme, too.
        signed = {"x-twilio-signature": validator.compute_signature(url.replace(".com/", ".com:443/"), fields), **form_type}
        expect(call(url, signed, form.replace("15005550006", "15005550007")) == 403, f"no altered {status} of Twilio is taken")
        expect(call(url, signed, form) == 200, f"{status} of Twilio is taken")
        expect(call(url, signed, form) == 403, "once")
    for status in ["submitted", "delivered", "rejected"]:
        reference = f"4711-{int(time.time() * 1000)}"
        body = json.dumps({"message_uuid": str(uuid.uuid4()), "to": NUMBER[1:], "status": status, "client_ref": reference})
        claims = {"iat": int(time.time()), "jti": str(uuid.uuid4()), "iss": "Vonage", "api_key": "key"}
        claims["payload_hash"] = hashlib.sha256(body.encode()).hexdigest()

        def token(secret, **other):
            return {"authorization": "Bearer " + jwt.encode({**claims, **other}, secret, "HS256"), "content-type": "application/json"}

        url, secret = f"{PUBLIC}/callbacks/vonage/status", "sample signature secret of 32 bytes"
        expect(call(url, token("another secret, which is long enough"), body) == 403, f"no {status} with another secret is taken")
        expect(call(url, token(secret, iat=claims["iat"] - 301), body) == 403, "nor one from before")
        expect(call(url, token(secret), body + " ") == 403, "nor an altered one")
        expect(call(url, token(secret), body) == 200, f"{status} of Vonage is taken")
        expect(call(url, token(secret), body) == 403, "once")
    with urllib.request.urlopen(SERVER["admin_url"] + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    for provider in ["twilio", "vonage"]:
        for outcome in ["delivered", "undelivered"]:
            line = f'countersign_receipts_total{{channel="sms",provider="{provider}",country="US",outcome="{outcome}"}} 1'
            expect(line in lines, f"{outcome} of {provider} is counted once")
    expect(not any(NUMBER[1:] in line for line in lines), "no metric shows a number")


def judge_digits():
    """No call waits for these, so only their signature is right."""
    validator = RequestValidator("sample token")
    url = f"{PUBLIC}/callbacks/twilio/digits?call={uuid.uuid4()}"
    fields = {"CallSid": "CA1", "Digits": "042137", "To": NUMBER, "From": "Ånna & co", "CallStatus": "in-progress"}
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    for signed_url in [url, url.replace(".com/", ".com:443/")]:
        signed = {"x-twilio-signature": validator.compute_signature(signed_url, fields), **form_type}
        form = urllib.parse.urlencode(fields)
        expect(call(url, signed, form.replace("042137", "042138")) == 403, "no altered digits of Twilio are taken")
        expect(call(url[:-1] + ("0" if url[-1] != "0" else "1"), signed, form) == 403, "nor any for another verification")
        status, said = answered(url, signed, form)
        expect(status == 200 and b"too late" in said, "digits of Twilio are taken, and the call says that they are late")


judge_signature()
judge_publish()
judge_receipts()
judge_server()
judge_digits()
