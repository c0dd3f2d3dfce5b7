#!/usr/bin/env python3
"""Checks that third-party libraries and tools accept our mail.

    cargo build -p countersign-delivery --example mail_sample
    python mail_accept.py target/debug/examples/mail_sample

Run it with the interpreter of a virtual environment that has dkimpy, PyNaCl and aiosmtpd. aiosmtpd receives what the
sample sends, signed once with an RSA key and once with an Ed25519 key. Each reader prints one JSON line for each key,
{"reader": …, "ok": true | false, "detail": …}. The exit status is 1 if a reader refused a mail.

    dkimpy    verifies the signatures, refuses altered mails
    email     Python's own parser: parts, texts, fields, no defects
    opendkim  verifies the signatures, refuses altered mails (if the program is installed, as it must be where
              COUNTERSIGN_REQUIRE_OPENDKIM is set)
"""

import base64
import email.policy
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import dkim
from aiosmtpd.controller import Controller

# The samples in examples/mail_sample.rs of the crate `delivery`.
SAMPLES = [
    ("Your code", "Your code is 123456.\n\nIt is valid for 5 minutes.\n"),
    ("Größe, 漢字 and 😀: a subject that is too long for one line of a mail, so it is folded", "Größe 漢字 😀 123456"),
    ("", ""),
    (" \t= ", ".\n..\n--=_4\n--=_4--\n \t \nend with space \t\n\n\nFrom here 123456\n\n\n"),
]
# The sample that shows a picture, and the least PNG there is: one dot.
WITH_PICTURE = 2
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FIELDS = ["date", "from", "reply-to", "to", "subject", "message-id", "auto-submitted", "mime-version", "content-type"]
OPENDKIM = shutil.which("opendkim") or "/usr/sbin/opendkim"
NAME = "sample._domainkey.example.com"


def equal(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what} is {found!r} and should be {expected!r}")


class Keeper:
    """Keeps the mails that it is handed."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        equal("the sender", envelope.mail_from, "mfa@login.example.com")
        equal("the recipients", envelope.rcpt_tos, ["ana@example.org"])
        self.mails.append(envelope.original_content)
        return "250 taken"


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def new_key(folder, kind):
    """The file of a new private key, and the record that its domain publishes."""
    file = folder / f"{kind}.pem"
    options = ["-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa" else []
    openssl("genpkey", "-algorithm", kind, *options, "-out", file)
    public = openssl("pkey", "-in", file, "-pubout", "-outform", "DER")
    # The record of an Ed25519 key has the 32 bytes alone (RFC 8463, section 4.2).
    public = public[-32:] if kind == "ed25519" else public
    return file, f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


def altered(mail):
    """Mails that a thief could make of one."""
    yield mail.replace(b"123456", b"654321")
    for field in [b"Subject: Win", b"From: x@example.org", b"Reply-To: x@example.org", b"Content-Type: text/plain"]:
        yield mail.replace(b"\r\nTo:", b"\r\n" + field + b"\r\nTo:", 1)
        yield field + b"\r\n" + mail


def read_by_dkimpy(mails, record, _folder):
    def dns(name, timeout=5):
        equal("the name that is looked up", name, NAME.encode() + b".")
        return record.encode()

    refused = 0
    for mail in mails:
        if not dkim.verify(mail, dnsfunc=dns):
            raise AssertionError(f"refused: {mail.decode()}")
        for other in altered(mail):
            if other != mail:
                if dkim.verify(other, dnsfunc=dns):
                    raise AssertionError(f"accepted: {other.decode()}")
                refused += 1
    return f"{len(mails)} mails verified, {refused} altered ones refused"


def read_by_email(mails, _record, _folder):
    for number, (mail, (subject, text)) in enumerate(zip(mails, SAMPLES), 1):
        parsed = email.message_from_bytes(mail, policy=email.policy.default)
        equal("the fields", [name.lower() for name in parsed], ["dkim-signature", *FIELDS])
        equal("the subject", parsed["subject"].strip(), subject.strip())
        equal("the sender", parsed["from"].addresses[0].display_name, "Example, Größe & Co.")
        equal("the answers", parsed["reply-to"].addresses[0].addr_spec, "help@example.com")
        equal("the recipient", parsed["to"].addresses[0].addr_spec, "ana@example.org")
        equal("the id", parsed["message-id"], f"<{number}-{1700000000000 + number}@login.example.com>")
        equal("Auto-Submitted", parsed["auto-submitted"], "auto-generated")
        equal("the type", parsed.get_content_type(), "multipart/alternative")
        plain, html = parsed.iter_parts()
        parts = [parsed, plain, html]
        picture = ""
        if number == WITH_PICTURE:
            equal("the type of the HTML with its picture", html.get_content_type(), "multipart/related")
            html, logo = html.iter_parts()
            parts += [html, logo]
            equal("the picture", (logo.get_content_type(), logo.get_content()), ("image/png", PICTURE))
            equal("how it is shown", logo.get_content_disposition(), "inline")
            picture = f'<img src="cid:{logo["content-id"].strip("<>")}">'
        equal("the types", [plain.get_content_type(), html.get_content_type()], ["text/plain", "text/html"])
        equal("the text", plain.get_content().replace("\r\n", "\n").rstrip("\n"), text.rstrip("\n"))
        equal("the HTML", html.get_content().replace("\r\n", "\n").rstrip("\n"), (f"<p>{text}</p>" + picture).rstrip("\n"))
        for part in parts:
            equal("defects", [*part.defects, *(d for value in part.values() for d in value.defects)], [])
    return f"{len(mails)} mails read, texts as given"


def read_by_opendkim(mails, record, folder):
    data, settings, file = folder / "dns", folder / "opendkim.conf", folder / "mail.eml"
    data.write_text(f"{NAME} {record}\n")
    settings.write_text(f"Mode v\nTestDNSData file:{data}\nSyslog no\n")

    def verifies(mail):
        file.write_bytes(mail)
        said = subprocess.run([OPENDKIM, "-x", settings, "-t", file], capture_output=True, text=True)
        # It ends with 0 in both cases.
        return f"{file}: verification (s=sample, d=example.com" in said.stdout and " succeeded" in said.stdout

    for mail in mails:
        equal("whether opendkim accepts a mail", verifies(mail), True)
        equal("whether opendkim accepts an altered mail", verifies(mail.replace(b"MIME-Version", b"X-Version", 1)), False)
    return f"{len(mails)} mails verified, as many altered ones refused"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    readers = [("dkimpy", read_by_dkimpy), ("email", read_by_email)]
    if shutil.which(OPENDKIM) or "COUNTERSIGN_REQUIRE_OPENDKIM" in os.environ:
        readers.append(("opendkim", read_by_opendkim))
    failed = False
    for kind in ["rsa", "ed25519"]:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            key, record = new_key(folder, kind)
            logo = folder / "logo.png"
            logo.write_bytes(PICTURE)
            keeper = Keeper()
            port = free_port()
            controller = Controller(keeper, hostname="127.0.0.1", port=port)
            controller.start()
            try:
                subprocess.run([sys.argv[1], f"smtp+plain://127.0.0.1:{port}", key, logo], check=True)
            finally:
                controller.stop()
            equal("the number of mails", len(keeper.mails), len(SAMPLES))
            for reader, read in readers:
                try:
                    ok, detail = True, read(keeper.mails, record, folder)
                except Exception as error:
                    ok, detail, failed = False, f"{type(error).__name__}: {error}", True
                print(json.dumps({"reader": f"{reader}, {kind}", "ok": ok, "detail": detail}))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
