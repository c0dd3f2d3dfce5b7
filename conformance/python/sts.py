"""A stub of the one call to AWS's Security Token Service that log-in tools make: AssumeRoleWithSAML.

It verifies an assertion as strictly as AWS does: the signature by the provider's key, the audience, the recipient, the
time, and that the assertion grants the requested role and provider as a pair. It reads only what was signed. The keys
that it issues are random and open nothing.
"""

import base64
import secrets
import ssl
import subprocess
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from signxml import SignatureConfiguration, XMLVerifier

ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
ROLE = "https://aws.amazon.com/SAML/Attributes/Role"
SESSION = "https://aws.amazon.com/SAML/Attributes/RoleSessionName"
CONSUMER = "https://signin.aws.amazon.com/saml"
AUDIENCES = (CONSUMER, "urn:amazon:webservices")
NAME = "*.amazonaws.com"


class Refused(Exception):
    """The message begins with AWS's name of the error."""


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def judged(message, role, provider, certificate, now):
    """The session's name, if AWS would accept this assertion for this role."""
    try:
        document = base64.b64decode(message, validate=True)
        # Only the signature directly in the assertion counts, and only what it covers is read.
        place = SignatureConfiguration(location=f"./{ASSERTION}Assertion/", expect_references=1)
        signed = XMLVerifier().verify(document, x509_cert=certificate, id_attribute="ID", expect_config=place)
        assertion = signed.signed_xml
    except Exception as error:
        raise Refused(f"InvalidIdentityToken: {type(error).__name__}: {error}") from None
    if assertion.tag != f"{ASSERTION}Assertion":
        raise Refused(f"InvalidIdentityToken: what is signed is a {assertion.tag}")
    conditions = assertion.find(f"{ASSERTION}Conditions")
    if not moment(conditions.get("NotBefore")) <= now < moment(conditions.get("NotOnOrAfter")):
        raise Refused("ExpiredTokenException: not the assertion's time")
    audiences = [audience.text for audience in conditions.iter(f"{ASSERTION}Audience")]
    if not any(audience in AUDIENCES for audience in audiences):
        raise Refused(f"InvalidIdentityToken: the audience is {audiences}")
    recipients = assertion.findall(f".//{ASSERTION}SubjectConfirmationData")
    if not any(data.get("Recipient") == CONSUMER and now < moment(data.get("NotOnOrAfter")) for data in recipients):
        raise Refused("InvalidIdentityToken: not for AWS's consumer")
    attributes = {
        attribute.get("Name"): [value.text for value in attribute.iter(f"{ASSERTION}AttributeValue")]
        for attribute in assertion.iter(f"{ASSERTION}Attribute")
    }
    if f"{role},{provider}" not in attributes.get(ROLE, []):
        raise Refused(f"AccessDenied: Not authorized to perform sts:AssumeRoleWithSAML as {role}")
    sessions = attributes.get(SESSION, [])
    if len(sessions) != 1:
        raise Refused("InvalidIdentityToken: no session name")
    return sessions[0]


class Service:
    """Listens on loopback for AWS's host names, with a certificate signed by the test's authority."""

    def __init__(self, authority, certificate):
        self.certificate = certificate
        self.granted = []
        self.refused = []
        key, pem = certificate_for(Path(authority))
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, text = service.answer({name: values[0] for name, values in form.items()})
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, form):
        if form.get("Action") != "AssumeRoleWithSAML":
            return fault("InvalidAction", form.get("Action", ""))
        try:
            asked = (form["SAMLAssertion"], form["RoleArn"], form["PrincipalArn"])
            name = judged(*asked, self.certificate, datetime.now(timezone.utc))
        except Refused as refused:
            self.refused.append(str(refused))
            code, _, message = str(refused).partition(": ")
            return fault(code, message)
        expires = datetime.now(timezone.utc) + timedelta(seconds=int(form.get("DurationSeconds", 3600)))
        grant = {
            "role": form["RoleArn"],
            "session": name,
            "access_key": "ASIA" + secrets.token_hex(8).upper(),
            "secret_key": secrets.token_urlsafe(30),
            "token": secrets.token_urlsafe(60),
            "seconds": int(form.get("DurationSeconds", 3600)),
        }
        self.granted.append(grant)
        account, role = form["RoleArn"].split(":")[4], form["RoleArn"].rsplit("/", 1)[1]
        return 200, f"""<AssumeRoleWithSAMLResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithSAMLResult>
<Audience>{CONSUMER}</Audience><Issuer>test</Issuer><Subject>{escape(name)}</Subject><SubjectType>persistent</SubjectType>
<AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/{role}/{escape(name)}</Arn>
<AssumedRoleId>AROATEST:{escape(name)}</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>{grant["access_key"]}</AccessKeyId><SecretAccessKey>{grant["secret_key"]}</SecretAccessKey>
<SessionToken>{grant["token"]}</SessionToken><Expiration>{expires.strftime("%Y-%m-%dT%H:%M:%SZ")}</Expiration></Credentials>
</AssumeRoleWithSAMLResult><ResponseMetadata><RequestId>test</RequestId></ResponseMetadata>
</AssumeRoleWithSAMLResponse>"""


def fault(code, message):
    return 400, f"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error><RequestId>test</RequestId></ErrorResponse>"""


def certificate_for(authority):
    """Signs a certificate for AWS's host names, with the commands of docs/guides/hard-coded-domains.md."""
    (authority / "aws.names").write_text(
        f"subjectAltName=DNS:{NAME},DNS:sts.us-west-2.amazonaws.com\nbasicConstraints=CA:FALSE\n"
        "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n"
    )
    for command in (
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=sts -keyout aws.key -out aws.csr",
        "x509 -req -in aws.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -extfile aws.names -out aws.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=authority, check=True, capture_output=True, timeout=30)
    return authority / "aws.key", authority / "aws.pem"
