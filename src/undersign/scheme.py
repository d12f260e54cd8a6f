"""What a signature scheme is: the protocol that every scheme fulfils, built in or third-party."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from .clock import Window
from .credentials import Secret
from .errors import CannotSign, ConfigError, Reason, Rejected
from .http import Component, Patch, Request, Response

RAW_BODY_LIMIT = 16 * 1024 * 1024

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_NOT_FIELD_VALUE = re.compile(r"[^ -~\x80-\xff]")  # RFC 9110, section 5.5, less the tab, which is a control character

_STATUS = {
    Reason.BODY_TOO_LARGE: 413,
    Reason.LENGTH_REQUIRED: 411,
    Reason.LOSSY_TARGET: 500,
    Reason.UNAVAILABLE: 503,
}
_MESSAGE = {
    413: "Request body too large",
    411: "Content-Length required",
    500: "The server cannot verify requests",
    503: "Try again later",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signer, unverified.

    `at` is the time in Unix seconds, None where the scheme does not send it. `signatures` are as they were
    sent, in text, and do not show in the repr; a scheme that sends several accepts any one of them. `nonce` is the id
    of the message, where it has one: the signature covers it, or a replay would only have to change it.
    """

    key_id: str
    at: float | None
    signatures: tuple[str, ...] = field(default=(), repr=False)
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class BodyNeed:
    """What a scheme needs of a request's body: nothing, the digests that are named, or the raw bytes.

    `digests` are names of hashlib. `raw` bytes are held in memory, `limit` of them at most.
    """

    digests: tuple[str, ...] = ()
    raw: bool = False
    limit: int = RAW_BODY_LIMIT

    NOTHING: ClassVar[BodyNeed]

    def __bool__(self) -> bool:
        return self.raw or bool(self.digests)

    def __or__(self, other: BodyNeed) -> BodyNeed:
        """The need of both; where both want raw bytes, the smaller limit holds."""
        limits = [need.limit for need in (self, other) if need.raw]
        digests = tuple(dict.fromkeys(self.digests + other.digests))
        return BodyNeed(digests, bool(limits), min(limits, default=RAW_BODY_LIMIT))


BodyNeed.NOTHING = BodyNeed()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a string to sign: what it is, where it comes from, and its bytes, with the line feed that ends it.

    `shown` stands for a value that an explanation must not show.
    """

    name: str
    source: str
    value: bytes
    shown: str = ""


Glance: TypeAlias = tuple[str, float, bytes, bytes]
"""Key id, time in Unix seconds, signature as it was sent, and string to sign."""


class Scheme(ABC):
    """How requests are signed: subclass it as a frozen dataclass whose fields are its options.

    A scheme holds no state, does no I/O and reads no clock. Signing goes `prepare`, `canonical`, `signature`,
    `write`; verifying goes `read`, `canonical`, `signature`, or `candidates` where the time is not sent.
    """

    name: str
    window: Window
    several_signatures: ClassVar[bool] = False
    """Whether `write` sends all of the claim's signatures: then a credential may have older secrets."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        # A glance sees what the methods beside it do. A class that has one of them from elsewhere, of its own or of a
        # second base, starts without, or the glance would verify what they refuse.
        author = next(base for base in cls.__mro__ if "glance" in vars(base))
        if any(getattr(author, name, None) != getattr(cls, name) for name in ("read", "canonical", "covers")):
            cls.glance = Scheme.glance  # type: ignore[method-assign]

    @abstractmethod
    def covers(self, request: Request) -> frozenset[Component]:
        """What of this request the signature covers."""

    def could_cover(self) -> frozenset[Component]:
        """What the signature of at least one request covers: what a verifier can require at all.

        The default is what it covers of a bare POST. A scheme that covers more of some requests than of that one, such
        as a body only where a header names its digest, returns all of it.
        """
        return self.covers(Request("POST", "/"))

    @abstractmethod
    def body_need(self, head: Request) -> BodyNeed:
        """What `canonical`, `read` and `write` need of this request's body. The head's own body is not looked at."""

    @abstractmethod
    def prepare(self, request: Request, claim: Claim) -> Patch:
        """What must be on the request before `canonical`, such as Date. Raises CannotSign."""

    @abstractmethod
    def canonical(self, request: Request, claim: Claim) -> bytes:
        """The string to sign: the one canonicalisation, for signer, verifier and diagnosis. It holds no secret.

        Raises CannotSign where the request has no canonical form; a verifier refuses it as malformed then.
        """

    def secret_flaw(self, secret: bytes) -> str | None:
        """What is wrong with the form of a secret, as one sentence without the secret in it; None = in form.

        For schemes whose secrets have a written form, such as base64. It is asked when signers and verifiers are built,
        and raises nothing, so that no traceback holds the secret. The default takes any.
        """
        return None

    @abstractmethod
    def signature(self, secret: bytes, canonical: bytes) -> str:
        """The signature of a canonical form, as it is sent. Raises nothing, so that no traceback holds the secret.

        Nor does it for a secret that is not in form: verifiers compare with one where they do not know the key.
        """

    @abstractmethod
    def write(self, claim: Claim, request: Request) -> Patch:
        """The credentials: the claim with its signature, as they go on the request. Raises CannotSign.

        With `several_signatures` there may be more than one, newest secret first.
        """

    @abstractmethod
    def read(self, request: Request) -> Claim | None:
        """What the request claims, or None where it is not of this scheme.

        Raises Rejected where it is of this scheme and not in form. With the body still to come, `request.body` is
        empty, and None may turn into a claim when it is there, if `body_need` asks for it raw.
        """

    def glance(self, method: str, target: str, headers: Sequence[tuple[bytes, bytes]]) -> Glance | None:
        """What `read` and `canonical` make of a GET or HEAD without a body in the plainest form; None for any other.

        For servers, whose every request goes through here: `target` is in origin-form, `headers` are the wire's bytes.
        None says nothing of the request, which `read` has to judge then, and what is returned must be what `read` and
        `canonical` would: no request may verify for this alone. `covers` must say the same of all requests that are
        seen so. The default is None.
        """
        return None

    def candidates(self, secret: bytes, claim: Claim, seconds: Sequence[int]) -> Iterable[str]:
        """The signature for each of the seconds, in order, for schemes that do not send the time.

        The default holds for a canonical form that depends on the claim alone.
        """
        nothing = Request("GET", "/")
        for second in seconds:
            yield self.signature(secret, self.canonical(nothing, replace(claim, at=second)))

    def parts(self, canonical: bytes, request: Request, prepared: Patch) -> Sequence[Part]:
        """The canonical form taken apart, for `undersign.explain`: joined, the values of the parts are it again.

        `request` is what it was made of, and `prepared` what `prepare` has set there, which is nothing for a request
        that was received. The default gives the lines without a source. A body that is signed whole is one part, and
        its bytes are not shown.
        """
        raw = request.body if isinstance(request.body, bytes) and self.body_need(request).raw else b""
        place = canonical.rfind(raw) if raw else len(canonical)
        end = len(canonical) if place < 0 else place
        lines = [(line, "") for line in _LINE.findall(canonical[:end])]
        if canonical[end:]:
            lines.append((raw, f"<the body, {len(raw)} bytes>"))
            lines += [(line, "") for line in _LINE.findall(canonical[end + len(raw) :])]
        return [Part(f"line {number}", "", line, shown) for number, (line, shown) in enumerate(lines, 1)]

    def private_headers(self) -> frozenset[str]:
        """Lower-case names of headers that belong to the credential, besides those that `write` sets.

        A client takes them off a request that a redirect sends to another origin. The default names none.
        """
        return frozenset()

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        """The answer to a refused request, in the scheme's own shape: one body for each status, never the reason."""
        return json_refusal(refusal_status(rejected.reason, 401), "Signature not valid")


def unusable_secret(scheme: Scheme, secret: Secret) -> ConfigError | None:
    """What is wrong with the secret for this scheme, for a caller to raise; None where it is in form."""
    flaw = scheme.secret_flaw(secret.reveal())
    return None if flaw is None else ConfigError(f"the secret is not in the form of {scheme.name}: {flaw}")


def signed_header(request: Request, name: str) -> str | None:
    """The value of the header of that name (lower case) as a string to sign takes it, None where there is none.

    Raises CannotSign where it has no one clean value: it is there more than once; another spelling of its name is
    there, with _ for -, which CGI-like servers give the same name; or it holds a control character, which would be
    another line of the string to sign, or one outside Latin-1.
    """
    found = request.by_name().get(name.replace("_", "-"))
    if not found:
        return None
    if flaw := _flaw_of_signed(found, name):
        del found  # so that no frame which raises holds a signature, which may be the value
        raise CannotSign(flaw)
    return found[0][1].strip(" \t")


def _flaw_of_signed(found: Sequence[tuple[str, str]], name: str) -> str | None:
    for key, _ in found:
        if key.lower() != name:
            return f"the header {key} would stand in for {name}, which is signed: remove it"
    if len(found) > 1:
        return f"the header {name} is there more than once: send it once"
    value = found[0][1].strip(" \t")
    if not (value.isascii() and value.isprintable()) and _NOT_FIELD_VALUE.search(value):
        return f"the header {name} holds a control character or one outside Latin-1: remove it"
    return None


def refusal_status(reason: Reason, default: int) -> int:
    """The HTTP status for reasons that are not the signature's fault, else `default`."""
    return _STATUS.get(reason, default)


def refusal_message(status: int, default: str) -> str:
    """The one sentence that clients see with a status of `refusal_status`, else `default`."""
    return _MESSAGE.get(status, default)


def json_refusal(status: int, message: str, challenge: str = "") -> Response:
    """A refusal whose body is a JSON string; `challenge` is the WWW-Authenticate of a 401.

    RFC 9110, section 11.6.1.
    """
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    if status == 401 and challenge:
        headers += (("WWW-Authenticate", challenge),)
    return Response(status, headers, json.dumps(refusal_message(status, message)).encode())
