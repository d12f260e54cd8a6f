"""Acquia's HTTP HMAC 2.0: HMAC-SHA256 of method, host, path, query, nonce, time and body, with a signed answer.

Source: https://github.com/acquia/http-hmac-spec (branch 2.0) with its fixtures.json, and Acquia's PHP and JavaScript
    libraries where the text leaves a choice: they sign the Content-Type as it stands
Window: 15 minutes either side, as the specification says.
Refusal: 401; the specification gives it no form.
Mistakes: a secret that is not decoded from base64; a line for type and digest of a body that is empty; a realm whose
    space is written +; a nonce that is used again; a type with another case than the one that is sent.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hmac import digest
from urllib.parse import quote, unquote_to_bytes

from ...core.dates import Window
from ...core.grammar import CONTROL, custom_headers, custom_headers_problem
from ...core.message import Component, Pairs, Patch, Request, Response, body_length, signed_header
from ...errors import CannotSign, ConfigError, Reason, Rejected
from ...parts.macs import SecretForm
from ...parts.times import time_form
from ...scheme import Body, BodyNeed, Claim, json_refusal, refusal_status
from ..written_out import WrittenOut, authority, base64_digest, ends_in_bare_mark

_WORD = "acquia-http-hmac"
_PARAMETER = re.compile(r'[ \t]*([a-z]+)="([!#-~]*)"[ \t]*')
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{43}=")
_NEEDED = ("id", "nonce", "realm", "signature", "version")
_KEY = SecretForm("base64")
_TIME, _DIGEST, _ANSWER = (
    "X-Authorization-Timestamp",
    "X-Authorization-Content-SHA256",
    "X-Server-Authorization-HMAC-SHA256",
)
_UNIX = time_form("unix")


@dataclass(frozen=True, kw_only=True)
class AcquiaV2(WrittenOut):
    """HTTP HMAC 2.0, with the secret in base64 and a nonce for each request.

    `realm` is the word that API and clients have agreed on; a request of another realm is not of this scheme.
    `signed_headers` are the custom headers that are signed where they are present. A client may name more of them.
    No recipe says it, since the request lists what it has signed, and the answer is signed too.
    """

    realm: str = "Acquia"
    signed_headers: tuple[str, ...] = ()
    name: str = "acquia-v2"
    window: Window = Window(past=900, future=900)
    needs_nonce = True
    signs_responses = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "signed_headers", custom_headers("signed_headers", self.signed_headers))
        if problem := _list_problem(self.signed_headers):
            raise ConfigError(f"signed_headers {problem}")
        if not isinstance(self.realm, str) or not self.realm or CONTROL.search(self.realm):
            raise ConfigError("realm is a text without control characters, and not empty")

    def covers(self, request: Request) -> frozenset[Component]:
        covered = set(Component) - {Component.HEADERS, Component.CONTENT_TYPE}
        if self.signed_headers:
            covered.add(Component.HEADERS)
        if body_length(request.body):
            covered.add(Component.CONTENT_TYPE)
        if ends_in_bare_mark(request):
            covered.remove(Component.TARGET)
        return frozenset(covered)

    def could_cover(self) -> frozenset[Component]:
        return frozenset(Component) if self.signed_headers else frozenset(Component) - {Component.HEADERS}

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed(digests=("sha256",))

    def secret_problem(self, secret: bytes) -> str | None:
        return _KEY.problem(secret)

    def signature(self, secret: bytes, string: bytes) -> str:
        return b64encode(digest(_KEY.key(secret), string, "sha256")).decode("ascii")

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        self.checked_nonce(claim)
        headers: Pairs = ((_TIME, _UNIX.write(self.checked_time(claim))),)
        if body_length(request.body):
            headers += ((_DIGEST, base64_digest(request.body, "sha256")),)
        drafted = Patch(headers)
        parameters = self._parameters(claim)
        listed = tuple(name for name in self.signed_headers if request.values(name.lower()))
        return drafted, self._string(drafted.apply(request), parameters, listed, request.body)

    def write(self, claim: Claim, request: Request) -> Patch:
        listed = ";".join(name for name in self.signed_headers if request.values(name.lower()))
        said = {name: quote(value, safe="") for name, value in self._parameters(claim).items()}
        said |= {"headers": quote(listed, safe="")} if listed else {}
        said["signature"] = claim.signatures[0]
        return Patch((("Authorization", f"{_WORD} " + ",".join(f'{name}="{said[name]}"' for name in sorted(said))),))

    def private_headers(self) -> frozenset[str]:
        return frozenset({_TIME.lower(), _DIGEST.lower(), *(name.lower() for name in self.signed_headers)})

    def claim_of(self, request: Request) -> Claim | Rejected | None:
        values = [value for value in request.values("authorization") if value.lower().startswith(f"{_WORD} ")]
        if not values:
            return None
        found = _read_parameters(values[0].partition(" ")[2])
        if found is None or len(request.values("authorization")) > 1 or not all(map(found.get, _NEEDED)):
            return self.malformed("Authorization is there more than once, or not the scheme's list of parameters")
        if found["realm"] != self.realm:
            return None
        key_id, signature = found["id"], found["signature"]
        if found["version"] != "2.0":
            return self.malformed("the version is not 2.0", key_id, Reason.UNSUPPORTED_VERSION)
        if not _SIGNATURE.fullmatch(signature):
            return self.malformed("the signature is not in the form of base64", key_id)
        listed = tuple(found["headers"].split(";")) if found.get("headers") else ()
        try:
            text = signed_header(request, _TIME.lower())
            if problem := _list_problem(listed) or self._unsigned_problem(request, listed):
                return self.malformed(f"headers {problem}", key_id)
            at = None if text is None else _UNIX.read(text)
            if at is None:
                return self.malformed(f"{_TIME} is absent, or not a whole number of seconds", key_id)
            claim = Claim(key_id, at, (signature,), found["nonce"])
            string = partial(self._received, request, self._parameters(claim), listed)
        except CannotSign as error:
            return self.malformed(str(error), key_id)
        return claim._replace(string=string)

    def _received(
        self, request: Request, parameters: dict[str, str], listed: Sequence[str], body: Body, _: int
    ) -> bytes:
        if body_length(body) and signed_header(request, _DIGEST.lower()) != base64_digest(body, "sha256"):
            raise CannotSign(f"{_DIGEST} is absent, or not that of the body")
        return self._string(request, parameters, listed, body)

    def _unsigned_problem(self, request: Request, listed: Sequence[str]) -> str | None:
        """What is wrong with the list of signed headers that a request brings."""
        names = {name.lower() for name in listed}
        absent = [name for name in listed if not request.values(name.lower())]
        left_out = [name for name in self.signed_headers if name.lower() not in names and request.values(name.lower())]
        if absent or left_out:
            return f"leaves {left_out[0]} out" if left_out else f"names {absent[0]!r}, which is not there"
        return None

    def _parameters(self, claim: Claim) -> dict[str, str]:
        for name, value in (("key id", claim.key_id), ("nonce", claim.nonce)):
            if CONTROL.search(value):
                raise CannotSign(f"the {name} holds a control character: remove it")
            if not value.isascii() and any("\ud800" <= mark <= "\udfff" for mark in value):
                raise CannotSign(f"the {name} holds a lone surrogate, which is not text")
        return {"id": claim.key_id, "nonce": claim.nonce, "realm": self.realm, "version": "2.0"}

    def _string(self, request: Request, parameters: dict[str, str], listed: Sequence[str], body: Body) -> bytes:
        path, _, query = request.target.partition("?")
        said = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        lines = [request.method, authority(request), path, query, said]
        lines += [f"{name}:{signed_header(request, name)}" for name in sorted(map(str.lower, listed))]
        lines.append(signed_header(request, _TIME.lower()) or "")
        if body_length(body):
            lines += [signed_header(request, "content-type") or "", base64_digest(body, "sha256")]
        return "\n".join(lines).encode("latin-1")

    def line_names(self, request: Request, claim: Claim) -> Sequence[tuple[str, str]]:
        names = [
            ("method", "request line"),
            ("host", "the origin's"),
            ("path", "request line"),
            ("query", "as it is sent"),
        ]
        names.append(("parameters", "id, nonce, realm and version of Authorization"))
        signed = sorted(name.lower() for name in self.signed_headers if request.values(name.lower()))
        names += [(f"header {name}", name) for name in signed]
        names.append(("time", f"{_TIME}, Unix seconds"))
        if body_length(request.body):
            names += [
                ("content-type", "Content-Type, as it is sent"),
                ("body", f"SHA-256 in base64, as {_DIGEST} says"),
            ]
        return names

    def response_headers(self, secret: bytes, request: Request, response: Response) -> Pairs:
        claim = self.claim_of(request)
        if request.method == "HEAD" or not isinstance(claim, Claim) or claim.at is None:
            return ()
        signed = f"{claim.nonce}\n{_UNIX.write(claim.at)}\n".encode() + response.body
        return ((_ANSWER, self.signature(secret, signed)),)

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        challenge = f'{_WORD} realm="{quote(self.realm, safe="")}"'
        return json_refusal(refusal_status(rejected.reason, 401), "Signature not valid", challenge)


def _read_parameters(text: str) -> dict[str, str] | None:
    """The parameters of an Authorization header, decoded; None where it is not in form."""
    found: dict[str, str] = {}
    for piece in text.split(","):
        match = _PARAMETER.fullmatch(piece)
        if match is None or match[1] in found or match[1] not in (*_NEEDED, "headers"):
            return None
        if match[1] == "signature":
            found["signature"] = match[2]
            continue
        try:
            found[match[1]] = unquote_to_bytes(match[2]).decode()
        except UnicodeError:
            return None
    return found


def _list_problem(names: Sequence[str]) -> str | None:
    """What is wrong with a list of headers to sign, as the end of a sentence; None = nothing."""
    if problem := custom_headers_problem(names):
        return problem
    if len({name.lower() for name in names}) < len(names):
        return "names a header twice"
    return None


acquia_v2 = AcquiaV2
