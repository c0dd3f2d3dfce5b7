"""Overrides host names for one process: a proxy on loopback routes OneLogin's names, and others, to servers on this
machine. It does not terminate TLS, so the client verifies the server's own certificate.

It replaces the line in the hosts file that docs/guides/hard-coded-domains.md describes, which a test must not write.
"""

import os
import select
import socket
import threading
from urllib.parse import urlsplit


def own_name(url):
    """The URL with the host name of the server's certificate, if it has one."""
    parts = urlsplit(url)
    return f"https://localhost:{parts.port}{parts.path}" if parts.scheme == "https" else url


class NameOverride:
    def __init__(self, places):
        """`places` maps the end of a host name to a local port."""
        self.places = places
        self.refused = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self):
        """The variables that make `requests` and botocore use this proxy."""
        return {"HTTPS_PROXY": self.url, "NO_PROXY": "localhost"}

    def here(self):
        """Sets these variables in this process."""
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
                # No request of a test may leave the machine.
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
