#!/usr/bin/env python3
"""A person who logs in to AWS with an unmodified `onelogin-aws-assume-role`, and has a phone.

Run it with the interpreter of a virtual environment that has the tool. It prints a line of JSON before the tool starts and one
after it has ended well; what the person does meanwhile, on the phone, is another program's. The tool has OneLogin's host names
compiled in and speaks TLS only, so TLS ends in a proxy here, as it does before many servers.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance/python"))

from aws_tools.fixtures import Fixtures  # noqa: E402
from aws_tools.onelogin_aws_assume_role import NAME, is_in, to_file  # noqa: E402
from aws_tools.tool import Tool  # noqa: E402
from driver.harness import State  # noqa: E402
from sts import Service  # noqa: E402


def authority(folder):
    """A private authority, and a certificate for OneLogin's names, by the commands of docs/guides/hard-coded-domains.md."""
    (folder / "onelogin.names").write_text(
        "subjectAltName=DNS:api.us.onelogin.com,DNS:api.eu.onelogin.com,DNS:*.onelogin.com\n"
        "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n"
    )
    for command in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=authority "
        "-addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=api.us.onelogin.com -keyout onelogin.key "
        "-out onelogin.csr",
        "x509 -req -in onelogin.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -extfile onelogin.names -out onelogin.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True, timeout=30)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_CA_BUNDLE"):
        os.environ[name] = str(folder / "ca.pem")


def tls_proxy(folder, port):
    """Ends TLS for the server at this port. Returns the proxy's port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "onelogin.pem", folder / "onelogin.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()

    def serve(peer):
        try:
            peer = context.wrap_socket(peer, server_side=True)
            server = socket.create_connection(("127.0.0.1", port))
        except OSError:
            return peer.close()
        threading.Thread(target=carry, args=(peer, server), daemon=True).start()
        carry(server, peer)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main():
    base_url, client_id, client_secret, app, person = sys.argv[1:6]
    person = json.loads(person)
    with tempfile.TemporaryDirectory(prefix="aws-push-") as folder:
        folder = Path(folder)
        authority(folder)
        w = State()
        w.ready = {"base_url": base_url, "outbox_url": base_url, "apps": [{"id": app}], "subdomain": "northfield"}
        w.credential = (client_id, client_secret)
        w.aws = Service(folder, Fixtures(w.ready, client_id, client_secret).certificate())
        w.tool = Tool(w.ready, w.aws, tls_proxy(folder, urlsplit(base_url).port))
        print(json.dumps({"step": "ready"}), flush=True)
        is_in(w, w.tool.run(NAME, *to_file(w, person)), person)
        print(json.dumps({"step": "in", "session": w.aws.granted[-1]["session"]}), flush=True)


main()
