"""An authenticator app (RFC 4226 and RFC 6238), with the standard library alone."""

import base64
import hashlib
import hmac
import struct
from urllib.parse import parse_qs, unquote, urlsplit


class Authenticator:
    """An authenticator app that has scanned an otpauth address."""

    def __init__(self, address):
        parts = urlsplit(address)
        if parts.scheme != "otpauth" or parts.netloc != "totp":
            raise AssertionError(f"not an otpauth://totp address: {address}")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.label = unquote(parts.path.lstrip("/"))
        self.issuer = query.get("issuer")
        self.secret = query["secret"]
        self.digits = int(query.get("digits", 6))
        self.period = int(query.get("period", 30))
        self.digest = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}[
            query.get("algorithm", "SHA1")
        ]
        self.key = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))

    def at_step(self, counter):
        mac = hmac.new(self.key, struct.pack(">Q", counter), self.digest).digest()
        offset = mac[-1] & 15
        value = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
        return str(value % 10**self.digits).zfill(self.digits)

    def code(self, now):
        return self.at_step(int(now) // self.period)

    def wrong(self, now):
        """A code of the right form that is not valid at any time step near `now`."""
        step = int(now) // self.period
        near = {self.at_step(step + offset) for offset in range(-3, 4)}
        value = int(self.code(now))
        while True:
            value = (value + 111_111) % 10**self.digits
            candidate = str(value).zfill(self.digits)
            if candidate not in near:
                return candidate


def other_code(code):
    """Another code of the same form."""
    last = code[-1]
    return code[:-1] + ("7" if last != "7" else "4")
