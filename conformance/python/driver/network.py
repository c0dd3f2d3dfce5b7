"""Names overridden for one process: a proxy on loopback that takes OneLogin's names, and others that it is given, to
servers of this machine. TLS is not ended here, so a client talks to the server itself and judges its certificate.

It stands in for the line in the hosts file that docs/hard-coded-domains.md describes, which a test must not write.
"""

import os
import select
import socket
import threading
from urllib.parse import urlsplit


def own_name(url):
    """A URL of a server that has a certificate, by the name that is in it."""
    parts = urlsplit(url)
    return f"https://localhost:{parts.port}{parts.path}" if parts.scheme == "https" else url


class NameOverride:
    def __init__(self, places):
        """`places` maps the end of a name to a port of this machine."""
        self.places = places
        self.refused = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self):
        """What makes `requests` and botocore ask here."""
        return {"HTTPS_PROXY": self.url, "NO_PROXY": "localhost"}

    def here(self):
        """The same for this process."""
        os.environ.update(self.environment())

    def _accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                more = peer.recv(4096)
                if not more:
                    return
                head += more
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            name = target.rsplit(":", 1)[0]
            port = next((port for end, port in self.places.items() if name.endswith(end)), None)
            if method != "CONNECT" or port is None:
                # Nothing of a test leaves the machine.
                self.refused.append(target)
                peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                self._join(peer, server)

    @staticmethod
    def _join(one, other):
        across = {one: other, other: one}
        while True:
            for ready in select.select([one, other], [], [])[0]:
                try:
                    data = ready.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                across[ready].sendall(data)
