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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

from ..clock import Window, format_date, parse_date
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..http import (
    PLAIN_TARGET,
    Component,
    Pairs,
    Patch,
    Request,
    Response,
    body_hex_digest,
    body_length,
    flaw_when_signing,
    origin_form,
)
from ..scheme import BodyNeed, Claim, Glance, Part, Scheme, json_refusal, refusal_status, signed_header

_ALGORITHMS = ("sha1", "sha256", "sha512", "sha224", "sha384", "md5")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEY_ID_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # a tab is text inside a header, RFC 9110, section 5.5
# The one spelling of a key id that survives the server's reading: only \ and : are escaped, each by \.
_KEY_ID = r"[^\\:]*(?:\\[\\:][^\\:]*)*"
_INNER_PAD, _OUTER_PAD = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# What `glance` does with a header, by its name: 0 to 2 are the places of those that it takes. Of others it has to know
# that they are in lower case and no other spelling of one that is signed; those that clients send most are looked up.
_IGNORED, _ANNOUNCES_BODY, _UNUSUAL = 3, 4, 5
_USUAL_NAMES = {
    **dict.fromkeys((b"host", b"accept", b"accept-encoding", b"connection", b"user-agent"), _IGNORED),
    **dict.fromkeys((b"content-length", b"transfer-encoding"), _ANNOUNCES_BODY),
}
_COVERED = frozenset({Component.METHOD, Component.TARGET, Component.CONTENT_TYPE, Component.DATE, Component.BODY})
_ALL_COVERED = _COVERED | {Component.HEADERS}
_MD5 = BodyNeed(digests=("md5",))
_NOTHING = body_hex_digest(b"", "md5")


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
    _date_name: str = field(init=False, repr=False, compare=False)
    _custom_names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _places: Mapping[bytes, int] = field(init=False, repr=False, compare=False)
    _credentials: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _plain_credentials: re.Pattern[bytes] = field(init=False, repr=False, compare=False)

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
        if not isinstance(self.window, Window):
            raise ConfigError("window is a Window: write window=Window(past=600, future=600)")
        if _CONTROL.search(self.content_type):
            raise ConfigError("content_type holds a control character")
        size = hashlib.new(self.algorithm, usedforsecurity=False).digest_size
        object.__setattr__(self, "_date_name", self.date_header.lower())
        # The bundle gives a name that is configured in two spellings two lines, and one in the same spelling one.
        custom = tuple(name.lower() for name in dict.fromkeys(self.signed_headers))
        object.__setattr__(self, "_custom_names", custom)
        letters, padding = (size * 8 + 5) // 6, -size % 3
        signature = f"[A-Za-z0-9+/]{{{letters}}}={{{padding}}}"
        places: dict[bytes, int] = {}
        if not custom and "_" not in self._date_name:  # else nothing is in the plainest form
            names = (b"authorization", b"content-type", self._date_name.encode())
            # What announces a body does so whatever `date_header` is.
            places = {**{name: place for place, name in enumerate(names)}, **_USUAL_NAMES}
        object.__setattr__(self, "_places", places)
        # Whatever names the provider is this scheme's, and without the groups it is not in form.
        credentials = f"{re.escape(self.provider)}(?: (?:({_KEY_ID}):({signature})|.*))?"
        object.__setattr__(self, "_credentials", re.compile(credentials, re.DOTALL))
        plain = f"{re.escape(self.provider)} ([!-9;-\\[\\]-~]+):({signature})"
        object.__setattr__(self, "_plain_credentials", re.compile(plain.encode()))

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
        if "host" in self._custom_names and "host" not in present:
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
        date = signed_header(request, self._date_name)
        if date in (None, "", "0"):  # PHP takes "0" for nothing, so goTom's bundle neither signs nor accepts it
            raise CannotSign(f"there is no {self.date_header} header to sign")
        content_type = signed_header(request, "content-type")
        if content_type is None:
            raise CannotSign("there is no Content-Type header to sign")
        body = b"" if self._body_counts_as_empty(request) else request.body
        # The server folds ASCII alone, so bytes are folded here and not Unicode text.
        folded = content_type.lower() if content_type.isascii() else _lower_ascii(content_type)
        custom = self._custom_lines(request) if self._custom_names else ""
        digest = body_hex_digest(body, "md5")
        return _string_to_sign(request.method.upper(), digest, folded, date, custom, target)

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
        matches = [match for match in map(self._credentials.fullmatch, values) if match]
        if not matches:
            return None
        if len(values) > 1:
            return self._malformed("the Authorization header is there more than once")
        match = matches[0]
        if not match[1]:
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
            date = signed_header(request, self._date_name)
            content_type = signed_header(request, "content-type")
            for name in self._custom_names:
                signed_header(request, name)
        except CannotSign as error:
            return self._malformed(str(error), key_id)
        at = None if date is None else parse_date(date)
        if at is None:
            return self._malformed(
                f"the {self.date_header} header is absent or not a date in a form that is read", key_id
            )
        if content_type is None:
            return self._malformed("the Content-Type header is absent", key_id)
        return Claim(key_id, at, (match[2],))

    def glance(self, method: str, target: str, headers: Sequence[tuple[bytes, bytes]]) -> Glance | None:
        places = self._places
        if not places:
            return None
        found: list[bytes | None] = [None, None, None]
        for name, value in headers:
            place = places.get(name, _UNUSUAL)
            if place < _IGNORED:
                if found[place] is not None:
                    return None
                found[place] = value
            elif place > _IGNORED and (place == _ANNOUNCES_BODY or not name.islower() or b"_" in name):
                return None
        authorization, content_type, date = found
        if authorization is None or content_type is None or date is None:
            return None
        match = self._plain_credentials.fullmatch(authorization)
        written, folded = date.decode("latin-1"), _plain_content_type(content_type)
        at = parse_date(written)
        if match is None or at is None or folded is None or not PLAIN_TARGET.fullmatch(target):
            return None
        key_id, sent = match.groups()
        return key_id.decode(), at, sent, _string_to_sign(method, _NOTHING, folded, written, "", target)

    def parts(self, canonical: bytes, request: Request, prepared: Patch) -> Sequence[Part]:
        lines = canonical.split(b"\n")
        if len(lines) < 6:  # of a subclass that signs something else
            return super().parts(canonical, request, prepared)
        set_now = {name.lower() for name, _ in prepared.headers}
        body = f"MD5 of the body, hex, {body_length(request.body)} bytes"
        if self._body_counts_as_empty(request):
            body = "MD5 of nothing, hex, since multipart_as_empty signs no upload"
        kind = "the default" if "content-type" in set_now else "header Content-Type"
        date = "from the clock" if self.date_header.lower() in set_now else "as it was sent"
        named = [
            ("method", "the request line"),
            ("body digest", body),
            ("content type", f"{kind}, in lower case"),
            ("date", f"header {self.date_header}, {date}"),
        ]
        others = ", ".join(self.signed_headers)
        empty = f"empty: the request has none of {others}" if others else "empty: the scheme signs none"
        for line in lines[4:-1]:
            name = line.partition(b":")[0].decode("latin-1")
            named.append(("custom header", f"header {name}") if line else ("custom headers", empty))
        named.append(("target", "the request line, path and query as they are on the wire"))
        ends = [b"\n"] * (len(lines) - 1) + [b""]
        return [Part(*names, line + end) for names, line, end in zip(named, lines, ends, strict=True)]

    def private_headers(self) -> frozenset[str]:
        return frozenset((self._date_name, *self._custom_names)) - {"content-type", "host"}

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        return json_refusal(refusal_status(rejected.reason, 401), "Signature not valid", self.provider)

    def _body_counts_as_empty(self, request: Request) -> bool:
        return (
            self.multipart_as_empty
            and request.method.upper() == "POST"
            and "multipart/form-data" in request.media_types()
        )

    def _custom_lines(self, request: Request) -> str:
        lines = []
        for name in self._custom_names:
            value = signed_header(request, name)
            if value is not None and not (self.drop_blank_headers and value in ("", "0")):
                lines.append(f"{name}: {value}")
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


def _string_to_sign(method: str, digest: str, content_type: str, date: str, custom: str, target: str) -> bytes:
    return f"{method}\n{digest}\n{content_type}\n{date}\n{custom}\n{target}".encode("latin-1")


@lru_cache(maxsize=64)
def _plain_content_type(value: bytes) -> str | None:
    """A Content-Type as it is signed, None where it is not printable ASCII. Kept, since clients send a few over and
    over."""
    folded = value.decode("latin-1").strip(" \t").lower()
    return folded if folded.isascii() and folded.isprintable() else None


def _lower_ascii(value: str) -> str:
    return value.encode("latin-1").lower().decode("latin-1")


@dataclass(frozen=True)
class GoTom(HttpHmac):
    """goTom's deployment: provider `gotom_app_api`, HMAC-SHA1, 30 minutes either side, no custom headers."""

    provider: str = "gotom_app_api"
    name: str = "gotom"
