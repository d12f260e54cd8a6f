"""HTTP HMAC 1.0: an Authorization header that signs method, body, content type, date, headers and target.

    Authorization: <provider> <key id>:<signature>
    signature      = base64( HMAC( secret, string to sign ) )
    string to sign = METHOD LF md5hex(body) LF content-type LF date LF custom headers LF target

Sources: goTom's sample scripts and HMAC page, the Symfony bundle that its server runs, Acquia's libraries.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_base64
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

from ..clock import Window, format_date, parse_date
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..http import Component, Pairs, Patch, Request, Response, body_hex_digest, flaw_when_signing, origin_form
from ..scheme import BodyNeed, Claim, Scheme, json_refusal, refusal_status

_ALGORITHMS = ("sha1", "sha256", "sha512", "sha224", "sha384", "md5")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEY_ID_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # a tab is text inside a header, RFC 9110, section 5.5
_NOT_FIELD_VALUE = re.compile(r"[^ -~\x80-\xff]")
# The one spelling of a key id that survives the server's reading: only \ and : are escaped, each by \.
_KEY_ID = r"[^\\:]*(?:\\[\\:][^\\:]*)*"
_INNER_PAD, _OUTER_PAD = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_COVERED = frozenset({Component.METHOD, Component.TARGET, Component.CONTENT_TYPE, Component.DATE, Component.BODY})
_ALL_COVERED = _COVERED | {Component.HEADERS}
_MD5 = BodyNeed(digests=("md5",))


@dataclass(frozen=True)
class HttpHmac(Scheme):
    """A deployment of HTTP HMAC 1.0.

    `provider` is the word before the key id; `algorithm` a hash for HMAC (sha1, sha256, …). `signed_headers` are
    the custom headers that are signed where they are present; `drop_blank_headers` leaves out those that are empty
    or `0`, as goTom's bundle does. `content_type` is sent when the request has none. `date_header` carries the
    time, written with `date_precision` ("seconds" or "milliseconds"). `multipart_as_empty` signs a multipart POST
    as if it had no body, which is what a PHP server sees of it; the body is then not authenticated at all.

    Raises ConfigError for an option that cannot work.
    """

    provider: str
    name: str = "http-hmac"
    algorithm: str = "sha1"
    signed_headers: tuple[str, ...] = ()
    drop_blank_headers: bool = False
    content_type: str = "application/json"
    date_header: str = "Date"
    date_precision: Literal["seconds", "milliseconds"] = "seconds"
    multipart_as_empty: bool = False
    window: Window = Window(past=1800, future=1800)
    # Derived from the options, so that signing need not do it for each request.
    _covered_names: frozenset[str] = field(init=False, repr=False, compare=False)
    _folded_names: frozenset[str] = field(init=False, repr=False, compare=False)
    _credentials: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.signed_headers, str):
            raise ConfigError('signed_headers is a sequence of names: write signed_headers=("X-Name",)')
        object.__setattr__(self, "signed_headers", tuple(self.signed_headers))
        for option, value in (("provider", self.provider), ("date_header", self.date_header)):
            if not _TOKEN.fullmatch(value):
                raise ConfigError(f"{option} {value!r} is not an HTTP token: use letters, digits, - and _")
        if self.date_header.lower() in ("authorization", "content-type"):
            raise ConfigError(f"date_header {self.date_header!r} has another meaning: name one of its own")
        for name in self.signed_headers:
            if not _TOKEN.fullmatch(name) or name.lower() == "authorization":
                raise ConfigError(f"signed_headers holds {name!r}, which cannot be signed: name custom headers alone")
        if not self.name:
            raise ConfigError("name is empty: name the scheme, so that keys and logs can tell it apart")
        if self.algorithm not in _ALGORITHMS:
            raise ConfigError(f"algorithm {self.algorithm!r} is unknown: use one of {', '.join(_ALGORITHMS)}")
        if self.date_precision not in ("seconds", "milliseconds"):
            raise ConfigError(f"date_precision {self.date_precision!r} is unknown: use 'seconds' or 'milliseconds'")
        if _CONTROL.search(self.content_type):
            raise ConfigError("content_type holds a control character")
        size = hashlib.new(self.algorithm, usedforsecurity=False).digest_size
        covered = {"content-type", self.date_header.lower(), *map(str.lower, self.signed_headers)}
        object.__setattr__(self, "_covered_names", frozenset(covered))
        object.__setattr__(self, "_folded_names", frozenset(name.replace("_", "-") for name in covered))
        letters, padding = (size * 8 + 5) // 6, -size % 3
        signature = f"[A-Za-z0-9+/]{{{letters}}}={{{padding}}}"
        object.__setattr__(self, "_credentials", re.compile(f"({_KEY_ID}):({signature})"))

    def covers(self, request: Request) -> frozenset[Component]:
        covered = _ALL_COVERED if self.signed_headers else _COVERED
        return covered - {Component.BODY} if self._body_counts_as_empty(request) else covered

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed.NOTHING if self._body_counts_as_empty(head) else _MD5

    def prepare(self, request: Request, claim: Claim) -> Patch:
        if claim.at is None:
            raise CannotSign("the claim has no time: HTTP HMAC sends it")
        date = format_date(claim.at, milliseconds=self.date_precision == "milliseconds")
        headers: Pairs = ((self.date_header, date),)
        present = [name.lower() for name, _ in request.headers]
        if "content-type" not in present:
            headers += (("Content-Type", self.content_type),)
        if "host" in self._covered_names and "host" not in present:
            # Clients add Host behind our back, and then it is signed by the server's reading and not by ours.
            if not request.origin:
                raise CannotSign("Host is to be signed and the request's origin is unknown: set Host, or the origin")
            headers += (("Host", request.origin.partition("://")[2]),)
        return Patch(headers)

    def canonical(self, request: Request, claim: Claim) -> bytes:
        target = origin_form(request.target)
        if "#" in target:  # servers cut a fragment off; that it does not belong on the wire is the engine's to say
            target = target.partition("#")[0]
        if flaw := flaw_when_signing(request.method, target, request.headers):
            raise CannotSign(flaw)
        found = self._covered_headers(request)
        date = found.get(self.date_header.lower(), "")
        if date in ("", "0"):  # PHP takes "0" for nothing, so goTom's bundle neither signs nor accepts it
            raise CannotSign(f"there is no {self.date_header} header to sign")
        if "content-type" not in found:
            raise CannotSign("there is no Content-Type header to sign")
        body = b"" if self._body_counts_as_empty(request) else request.body
        content_type = found["content-type"]
        # The server folds ASCII alone, so bytes are folded here and not Unicode text.
        folded = content_type.lower() if content_type.isascii() else _folded_bytes(content_type)
        custom = self._custom_lines(found) if self.signed_headers else ""
        digest = body_hex_digest(body, "md5")
        return f"{request.method.upper()}\n{digest}\n{folded}\n{date}\n{custom}\n{target}".encode("latin-1")

    def signature(self, secret: bytes, canonical: bytes) -> str:
        inner, outer = _keyed(secret, self.algorithm)
        inner, outer = inner.copy(), outer.copy()
        inner.update(canonical)
        outer.update(inner.digest())
        return b2a_base64(outer.digest(), newline=False).decode("ascii")

    def write(self, claim: Claim, request: Request) -> Patch:
        key_id = claim.key_id
        if not key_id or (not key_id.isprintable() and _KEY_ID_CONTROL.search(key_id)):
            raise CannotSign("the key id is empty or holds a control character")
        key_id = key_id.replace("\\", "\\\\").replace(":", "\\:")
        if not key_id.isascii():
            try:
                key_id = key_id.encode().decode("latin-1")
            except UnicodeEncodeError:
                raise CannotSign("the key id holds a lone surrogate, which is not text") from None
        return Patch((("Authorization", f"{self.provider} {key_id}:{claim.signatures[0]}"),))

    def read(self, request: Request) -> Claim | None:
        claim = self._read(request)
        if isinstance(claim, Rejected):
            raise claim
        return claim

    def _read(self, request: Request) -> Claim | Rejected | None:
        # Refusals are returned, so that no frame which raises holds a signature that was sent and may be good.
        values = request.values("authorization")
        if not any(value == self.provider or value.startswith(self.provider + " ") for value in values):
            return None
        if len(values) > 1:
            return self._malformed("the Authorization header is there more than once")
        match = self._credentials.fullmatch(values[0], len(self.provider) + 1)
        if match is None or not match[1]:
            return self._malformed("the Authorization header is not '<provider> <key id>:<signature>' in its one form")
        key_id = match[1] if "\\" not in match[1] else _ESCAPED.sub(r"\1", match[1])
        if not key_id.isascii():
            try:
                key_id = key_id.encode("latin-1").decode()
            except UnicodeError:
                return self._malformed("the key id is not UTF-8")
        if not key_id.isprintable() and _KEY_ID_CONTROL.search(key_id):
            return self._malformed("the key id holds a control character")
        try:
            found = self._covered_headers(request)
        except CannotSign as error:
            return self._malformed(str(error), key_id)
        at = parse_date(found.get(self.date_header.lower(), ""))
        if at is None:
            return self._malformed(f"the {self.date_header} header is absent or not a date in its strict form", key_id)
        if "content-type" not in found:
            return self._malformed("the Content-Type header is absent", key_id)
        return Claim(key_id, at, (match[2],))

    def private_headers(self) -> frozenset[str]:
        return self._covered_names - {"content-type", "host"}

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        return json_refusal(refusal_status(rejected.reason, 401), "Signature not valid", self.provider)

    def _body_counts_as_empty(self, request: Request) -> bool:
        return (
            self.multipart_as_empty
            and request.method.upper() == "POST"
            and "multipart/form-data" in request.media_types()
        )

    def _covered_headers(self, request: Request) -> dict[str, str]:
        """The headers that are signed, by lower-case name. Raises CannotSign where one has no single clean value."""
        found: dict[str, str] = {}
        for name, value in request.headers:
            name = name.lower()
            if name in self._covered_names:
                if name in found:
                    raise CannotSign(f"the header {name} is there more than once: send it once")
                found[name] = value = value.strip(" \t")
                if not (value.isascii() and value.isprintable()) and _NOT_FIELD_VALUE.search(value):
                    raise CannotSign(f"the header {name} holds a control character or one outside Latin-1: remove it")
            elif name.replace("_", "-") in self._folded_names:
                # CGI-like servers give both spellings one name, so the unsigned one would stand in for the signed.
                raise CannotSign(f"the header {name} would stand in for one that is signed: remove it")
        return found

    def _custom_lines(self, found: dict[str, str]) -> str:
        # The bundle gives a name that is configured in two spellings two lines, and one in the same spelling one.
        lines = []
        for name in dict.fromkeys(self.signed_headers):
            value = found.get(name.lower())
            if value is not None and not (self.drop_blank_headers and value in ("", "0")):
                lines.append(f"{name.lower()}: {value}")
        return "\n".join(sorted(lines))

    def _malformed(self, detail: str, key_id: str = "") -> Rejected:
        return Rejected(Reason.MALFORMED, detail, scheme=self.name, key_id=key_id)


@lru_cache(maxsize=1024)
def _keyed(secret: bytes, algorithm: str) -> tuple[Any, Any]:
    """HMAC's inner and outer hash with the key taken in (RFC 2104, section 2), which is over half of its work.

    Kept for the keys in use. hmac.new would do all of it for each signature, and refuses MD5 where OpenSSL is in FIPS
    mode.
    """
    new = partial(hashlib.new, algorithm, usedforsecurity=False)
    block_size = new().block_size
    key = (secret if len(secret) <= block_size else new(secret).digest()).ljust(block_size, b"\0")
    return new(key.translate(_INNER_PAD)), new(key.translate(_OUTER_PAD))


def _folded_bytes(value: str) -> str:
    return value.encode("latin-1").lower().decode("latin-1")


@dataclass(frozen=True)
class GoTom(HttpHmac):
    """goTom's deployment: provider `gotom_app_api`, HMAC-SHA1, 30 minutes either side, no custom headers."""

    provider: str = "gotom_app_api"
    name: str = "gotom"
