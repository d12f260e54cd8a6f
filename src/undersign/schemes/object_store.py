"""The signed header of S3's first protocol, and of the object stores that took it over.

    Authorization: <word> <key id>:<signature>
    signature      = base64( HMAC-SHA1( secret, string to sign ) )
    string to sign = METHOD LF Content-MD5 LF Content-Type LF date LF (own headers, each with LF) resource

The own headers are all whose names begin with the store's prefix, sorted. The resource is bucket and path, with those
parameters of the query that name a part of the object. Other parameters are not signed.

Sources: Amazon S3, "Signing and authenticating REST requests (AWS signature version 2)", and botocore's HmacV1Auth;
Alibaba Cloud OSS, "Include signatures in the Authorization header", and its Python SDK.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hmac import digest
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from ..core.dates import Window, format_http_date, parse_date
from ..core.grammar import CONTROL
from ..core.message import Component, Pairs, Patch, Request, Response, body_length, signed_header
from ..errors import CannotSign, ConfigError, Rejected
from ..scheme import Body, BodyNeed, Claim, refusal_message, refusal_status
from .written_out import WrittenOut, authority, base64_digest, ends_in_bare_mark, header_values

_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{27}=")
_MOST = frozenset(Component) - {Component.AUTHORITY}


@dataclass(frozen=True, kw_only=True)
class ObjectStore(WrittenOut):
    """What the stores have in common. A class of this says its word, its prefix and its hosts.

    `bucket` is put before the path where the host names it; None reads it off the host: `bucket.HOST` of the store's
    own hosts, or of `endpoints`. With endpoints named any other host is a bucket's own name, else it is a store that
    has its buckets in the path. `subresources` are the parameters that are signed; a request with any other does not
    cover its target. `content_md5` adds that header to a body that has none, so that it is signed.
    """

    word: ClassVar[str]
    prefix: ClassVar[str]
    own_hosts: ClassVar[re.Pattern[str]]
    signs_decoded_path: ClassVar[bool] = False
    keeps_date_line: ClassVar[bool] = False
    """Whether the date of the store's own header stands in the line of Date too, where there is one."""

    name: str
    bucket: str | None = None
    endpoints: tuple[str, ...] = ()
    subresources: tuple[str, ...]
    content_md5: bool = False
    window: Window = Window(past=900, future=900)

    def __post_init__(self) -> None:
        for option in ("endpoints", "subresources"):
            if isinstance(getattr(self, option), str):
                raise ConfigError(f'{option} is a sequence: write {option}=("…",)')
            object.__setattr__(self, option, tuple(getattr(self, option)))
        if self.bucket is not None and (not isinstance(self.bucket, str) or "/" in self.bucket):
            raise ConfigError("bucket is a name without slashes, or None where the host says it")
        if not all(
            isinstance(name, str) and name and "/" not in name for name in (*self.endpoints, *self.subresources)
        ):
            raise ConfigError("endpoints are hosts such as s3.example.com, and subresources names of parameters")

    def could_cover(self) -> frozenset[Component]:
        return _MOST

    def covers(self, request: Request) -> frozenset[Component]:
        covered = _MOST
        if not any(name.startswith(self.prefix) for name in request.by_name()):
            covered -= {Component.HEADERS}
        if not _is_digest(request.values("content-md5")):
            covered -= {Component.BODY}
        try:
            whole = self._path_and_query(request) == request.target.encode("latin-1")
        except (CannotSign, UnicodeError):
            whole = False
        return covered if whole and not ends_in_bare_mark(request) else covered - {Component.TARGET}

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed(digests=("md5",)) if self.content_md5 or head.values("content-md5") else BodyNeed.NOTHING

    def signature(self, secret: bytes, string: bytes) -> str:
        return b64encode(digest(secret, string, "sha1")).decode("ascii")

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        name, at = self._date_header(request), self.checked_time(claim)
        headers: Pairs = ()
        sent = parse_date(signed_header(request, name.lower()) or "")
        if sent is None or sent // 1 != at // 1:  # one that says the same is the caller's own way to write it
            headers = ((name, format_http_date(at)),)
        stated = request.values("content-md5")
        if body_length(request.body):
            if self.content_md5 and not stated:
                headers += (("Content-MD5", base64_digest(request.body, "md5")),)
            else:
                _check_digest(stated, request.body)
        drafted = Patch(headers)
        return drafted, self._string(drafted.apply(request))

    def write(self, claim: Claim, request: Request) -> Patch:
        key_id = claim.key_id
        if not key_id.isascii() or not key_id.isprintable() or set(key_id) & {" ", ":"}:
            raise CannotSign("the key id is printable ASCII without spaces and colons, or it would not be read back")
        return Patch((("Authorization", f"{self.word} {key_id}:{claim.signatures[0]}"),))

    def private_headers(self) -> frozenset[str]:
        return frozenset({"date", f"{self.prefix}date", f"{self.prefix}security-token"})

    def claim_of(self, request: Request) -> Claim | Rejected | None:
        values = request.values("authorization")
        ours = [value for value in values if value.startswith(f"{self.word} ")]
        if not ours:
            return None
        key_id, _, signature = ours[0].removeprefix(f"{self.word} ").partition(":")
        if len(values) > 1 or not key_id or not key_id.isascii() or not key_id.isprintable() or " " in key_id:
            return self.malformed("Authorization is there more than once, or has no key id")
        if not _SIGNATURE.fullmatch(signature):
            return self.malformed("the signature is not HMAC-SHA1 in base64", key_id)
        try:
            date = self._date_header(request)
            at = parse_date(signed_header(request, date.lower()) or "")
            string = self._string(request)
        except CannotSign as error:
            return self.malformed(str(error), key_id)
        if at is None:
            return self.malformed(f"{date} is absent, or no date of HTTP", key_id)
        return Claim(key_id, at, (signature,), string=partial(_received, request, string))

    def _date_header(self, request: Request) -> str:
        own = f"{self.prefix}date"
        return own if own in request.by_name() else "Date"

    def _string(self, request: Request) -> bytes:
        date = self._date_header(request)
        lines = [request.method, *(signed_header(request, name) or "" for name in ("content-md5", "content-type"))]
        lines.append(signed_header(request, date.lower()) or "" if date == "Date" or self.keeps_date_line else "")
        own = sorted(name for name in request.by_name() if name.startswith(self.prefix))
        lines += [f"{name}:{','.join(header_values(request, name))}" for name in own]
        bucket = self._bucket(request)
        resource = (f"/{bucket}" if bucket else "").encode("latin-1") + self._path_and_query(request)
        return "\n".join([*lines, ""]).encode("latin-1", "replace") + resource

    def _bucket(self, request: Request) -> str:
        if self.bucket is not None:
            return self.bucket
        try:
            host = authority(request)
        except CannotSign:
            if self.endpoints:
                raise
            return ""  # a store that has its buckets in the path
        host = host if host.startswith("[") else host.partition(":")[0]
        for endpoint in map(str.lower, self.endpoints):
            if host == endpoint or host.endswith(f".{endpoint}"):
                return host[: -len(endpoint)].rstrip(".")
        match = self.own_hosts.fullmatch(host)
        if match:
            return match["bucket"] or ""
        return host if self.endpoints else ""

    def _path_and_query(self, request: Request) -> bytes:
        """The resource without its bucket. Raises CannotSign where two targets would be signed alike."""
        path, _, query = request.target.partition("?")
        written = path.encode("latin-1", "replace")
        if self.signs_decoded_path:
            written = unquote_to_bytes(written)
            if b"?" in written:
                raise CannotSign("the path holds an escaped question mark, which is signed like one that ends it")
        signed: list[tuple[bytes, bytes]] = []
        for field in query.split("&"):
            name, equals, value = field.partition("=")
            if name in self.subresources:
                decoded = unquote_to_bytes(value.encode("latin-1", "replace"))
                if b"&" in decoded:
                    raise CannotSign(f"the parameter {name} holds an escaped &, which is signed like one that ends it")
                signed.append((name.encode("latin-1"), self._pair(equals, decoded)))
        joined = b"&".join(name + value for name, value in sorted(signed, key=lambda pair: pair[0]))
        if CONTROL.search((written + joined).decode("latin-1")):
            raise CannotSign("the target holds an escaped control character, which would end a line")
        return written + (b"?" if signed else b"") + joined

    def _pair(self, equals: str, value: bytes) -> bytes:
        return equals.encode() + value

    def line_names(self, request: Request, claim: Claim) -> Sequence[tuple[str, str]]:
        date = self._date_header(request)
        source = "Date" if date == "Date" else f"{date} takes its place"
        names = [("method", "request line"), ("content-md5", "Content-MD5"), ("content-type", "Content-Type")]
        names.append(("date", source))
        names += [(f"header {name}", name) for name in sorted(request.by_name()) if name.startswith(self.prefix)]
        return [*names, ("resource", "bucket, path, and the parameters that are signed")]

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        status = refusal_status(rejected.reason, 403)
        message = refusal_message(status, "The signature does not match, or the request is too old")
        code = "SignatureDoesNotMatch" if status == 403 else "Error"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
        return Response(status, (("Content-Type", "application/xml"),), body.encode())


def _received(request: Request, string: bytes, body: Body, _: int) -> bytes:
    _check_digest(request.values("content-md5"), body)
    return string


def _is_digest(stated: Sequence[str]) -> bool:
    """Whether there is one Content-MD5, in its form: 16 bytes in base64. RFC 1864."""
    if len(stated) != 1 or not re.fullmatch(r"[A-Za-z0-9+/]{22}==", stated[0]):
        return False
    return b64encode(b64decode(stated[0])).decode("ascii") == stated[0]


def _check_digest(stated: Sequence[str], body: Body) -> None:
    """Raise CannotSign where a Content-MD5 is not that of the body. One in no form is text, and covers nothing."""
    if _is_digest(stated) and stated[0] != base64_digest(body, "md5"):
        raise CannotSign("Content-MD5 is not that of the body: leave it out, or send that body")
