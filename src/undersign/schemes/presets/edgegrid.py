"""Akamai's EdgeGrid: HMAC-SHA256 with a key for each second, in an Authorization header that is signed itself.

Source: https://techdocs.akamai.com/developer/docs/authenticate-with-edgegrid, and the test cases that Akamai's own
    clients share
Window: 30 seconds either side, as clients restate it (unchecked).
Refusal: 401 with a problem object (unchecked).
Mistakes: a POST body that is longer than max_body and hashed whole; the body of a PUT hashed at all; spaces in a signed
    header kept; the secret decoded from base64; http signed where a proxy speaks https.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from hmac import digest

from ...core.dates import Window
from ...core.grammar import custom_headers
from ...core.message import BodyDigest, Component, Patch, Request, body_length, signed_header
from ...errors import CannotSign, ConfigError, Rejected
from ...parts.times import time_form
from ...scheme import Body, BodyNeed, Claim
from ..written_out import WrittenOut, authority, base64_digest, text_problem

_WORD = "EG1-HMAC-SHA256"
_TIME = time_form("%Y%m%dT%H:%M:%S+0000")
_SPACES = re.compile(r"[ \t]+")
_VALUE = "[!-:<-~]+"  # printable ASCII but the semicolon
_CREDENTIALS = re.compile(
    rf"{_WORD} client_token=({_VALUE});access_token=({_VALUE});timestamp=({_VALUE});nonce=({_VALUE});"
    r"signature=([A-Za-z0-9+/]{43}=)"
)
_SIGNED_TIME = re.compile(rb";timestamp=([^;]+);nonce=[^;]+;\Z")


@dataclass(frozen=True, kw_only=True)
class EdgeGrid(WrittenOut):
    """EdgeGrid, with the client token as key id, the client secret as secret, and `extra={"access_token": …}`.

    `signed_headers` are signed where they are present, in this order; the API says which. Of the body of a POST the
    first `max_body` bytes are signed, and no other body is. No recipe says it: the key is made of the time.
    """

    signed_headers: tuple[str, ...] = ()
    max_body: int = 131_072
    name: str = "edgegrid"
    window: Window = Window(past=30, future=30)
    needs_nonce = True
    separator = b"\t"

    def __post_init__(self) -> None:
        object.__setattr__(self, "signed_headers", custom_headers("signed_headers", self.signed_headers))
        if type(self.max_body) is not int or self.max_body < 0:
            raise ConfigError(f"max_body is a number of bytes, not {self.max_body!r}")

    @property
    def extras(self) -> tuple[str, ...]:
        return ("access_token",)

    def covers(self, request: Request) -> frozenset[Component]:
        covered = set(Component) - {Component.CONTENT_TYPE, Component.HEADERS, Component.BODY}
        if self.signed_headers:
            covered.add(Component.HEADERS)
        if "content-type" in map(str.lower, self.signed_headers):
            covered.add(Component.CONTENT_TYPE)
        if request.method == "POST" and body_length(request.body) <= self.max_body and self.max_body:
            covered.add(Component.BODY)
        return frozenset(covered)

    def body_need(self, head: Request) -> BodyNeed:
        if head.method.upper() != "POST":
            return BodyNeed.NOTHING
        length = head.values("content-length")
        if len(length) == 1 and re.fullmatch("[0-9]{1,15}", length[0]) and int(length[0]) <= self.max_body:
            return BodyNeed(digests=("sha256",))
        return BodyNeed(digests=("sha256",), raw=True)  # it may be longer than what is hashed of it

    def signature(self, secret: bytes, string: bytes) -> str:
        time = _SIGNED_TIME.search(string)
        key = b64encode(digest(secret, time[1] if time else b"", "sha256"))
        return b64encode(digest(key, string, "sha256")).decode("ascii")

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        return Patch(), self._string(
            request, self._unsigned(claim, _TIME.write(self.checked_time(claim))), request.body
        )

    def write(self, claim: Claim, request: Request) -> Patch:
        unsigned = self._unsigned(claim, _TIME.write(self.checked_time(claim)))
        return Patch((("Authorization", f"{unsigned}signature={claim.signatures[0]}"),))

    def private_headers(self) -> frozenset[str]:
        return frozenset(map(str.lower, self.signed_headers)) - {"content-type", "host"}

    def claim_of(self, request: Request) -> Claim | Rejected | None:
        values = request.values("authorization")
        if not any(value.startswith(f"{_WORD} ") for value in values):
            return None
        match = _CREDENTIALS.fullmatch(values[0])
        if match is None or len(values) > 1:
            return self.malformed("Authorization is there more than once, or not the scheme's list of parameters")
        key_id, token, time, nonce, signature = match.groups()
        at = _TIME.read(time)
        if at is None:
            return self.malformed("the timestamp is not in its form, 20140321T19:34:21+0000", key_id)
        claim = Claim(key_id, at, (signature,), nonce, extra={"access_token": token})
        return claim._replace(string=partial(self._received, request, self._unsigned(claim, time)))

    def _received(self, request: Request, unsigned: str, body: Body, _: int) -> bytes:
        return self._string(request, unsigned, body)

    def _unsigned(self, claim: Claim, time: str) -> str:
        """The Authorization header as it is signed, without its signature."""
        if "access_token" not in claim.extra:
            raise CannotSign(
                f"{self.name} sends 'access_token': give it to the credential, extra={{'access_token': …}}"
            )
        nonce, token = self.checked_nonce(claim), claim.extra["access_token"]
        for name, value in (("the key id", claim.key_id), ("the access token", token), ("the nonce", nonce)):
            if problem := text_problem(name, value, without=";"):
                raise CannotSign(problem)
        return f"{_WORD} client_token={claim.key_id};access_token={token};timestamp={time};nonce={nonce};"

    def _string(self, request: Request, unsigned: str, body: Body) -> bytes:
        scheme = (request.origin.partition("://")[0] or "https").lower()
        lines = [request.method, scheme, authority(request), request.target]
        signed = [(name, signed_header(request, name)) for name in map(str.lower, self.signed_headers)]
        lines += [f"{name}:{_SPACES.sub(' ', value)}" for name, value in signed if value is not None] or [""]
        return "\t".join([*lines, self._content(request, body), unsigned]).encode("latin-1")

    def _content(self, request: Request, body: Body) -> str:
        if request.method != "POST" or not body_length(body) or not self.max_body:
            return ""
        if body_length(body) <= self.max_body:
            return base64_digest(body, "sha256")
        if isinstance(body, BodyDigest):
            raise CannotSign(f"the body is over {self.max_body} bytes, of which the first are hashed: pass it as bytes")
        return b64encode(sha256(body[: self.max_body]).digest()).decode("ascii")

    def line_names(self, request: Request, claim: Claim) -> Sequence[tuple[str, str]]:
        names = [
            ("method", "request line"),
            ("scheme", "the origin's"),
            ("host", "the origin's"),
            ("target", "request line"),
        ]
        present = [name.lower() for name in self.signed_headers if request.values(name.lower())]
        names += [(f"header {name}", f"{name}, runs of spaces as one") for name in present] or [("headers", "none")]
        names.append(("body", f"SHA-256 in base64 of the first {self.max_body} bytes, of a POST alone"))
        return [*names, ("authorization", "Authorization without its signature")]


edgegrid = EdgeGrid
