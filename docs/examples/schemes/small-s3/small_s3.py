"""The HMAC-SHA1 header of S3's first protocol, and of the object stores that speak it.

    Authorization: AWS <key id>:<signature>
    signature      = base64( HMAC-SHA1( secret, string to sign ) )
    string to sign = METHOD LF Content-MD5 LF Content-Type LF Date LF (x-amz- headers, each with LF) resource

Source: Amazon S3, "Signing and authenticating REST requests (AWS signature version 2)". Stricter than there: a date in
x-amz-date alone is not taken, and no header that is there twice.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial

from undersign import BodyDigest, BodyNeed, CannotSign, Claim, Component, Patch, Reason, Rejected, Request, Scheme
from undersign.core.dates import Window, parse_date
from undersign.core.message import body_digest, body_length, signed_header

_KEY_ID = re.compile("[!-9;-~]+")
_CREDENTIALS = re.compile("AWS ([!-9;-~]+):([A-Za-z0-9+/]{27}=)")
_MOST = frozenset(Component) - {Component.AUTHORITY}


@dataclass(frozen=True, kw_only=True)
class SmallS3(Scheme):
    """Signs method, type, date, the `x-amz-` headers and the resource; the body only where Content-MD5 is there.

    `bucket` is put before the path, `/name` where the host names it. `subresources` are the parameters that are part
    of the resource; a target with any other is not covered, since those are not signed.
    """

    bucket: str = ""
    subresources: tuple[str, ...] = ("acl", "delete", "location", "partNumber", "uploadId", "uploads", "versionId")
    name: str = "small-s3"
    window: Window = Window(past=900, future=900)

    def could_cover(self) -> frozenset[Component]:
        return _MOST

    def covers(self, request: Request) -> frozenset[Component]:
        covered = _MOST if request.values("content-md5") else _MOST - {Component.BODY}
        return covered if self._resource(request)[1] else covered - {Component.TARGET}

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed(digests=("md5",))

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        digest = {"Content-MD5": _content_md5(request.body)} if body_length(request.body) else {}
        drafted = Patch((("Date", formatdate(claim.at, usegmt=True)), *digest.items()))
        return drafted, self._string(drafted.apply(request), request.body)

    def signature(self, secret: bytes, string: bytes) -> str:
        return base64.b64encode(hmac.digest(secret, string, "sha1")).decode()

    def write(self, claim: Claim, request: Request) -> Patch:
        if not _KEY_ID.fullmatch(claim.key_id):
            raise CannotSign("the key id is not printable ASCII without spaces and colons")
        return Patch((("Authorization", f"AWS {claim.key_id}:{claim.signatures[0]}"),))

    def read(self, request: Request) -> Claim | None:
        values = request.values("authorization")
        if not any(value.startswith("AWS ") for value in values):
            return None
        date = "".join(request.values("date")).replace("+0000", "GMT")
        match, at = _CREDENTIALS.fullmatch(values[0]), parse_date(date)
        if len(values) > 1 or match is None or at is None:
            raise Rejected(Reason.MALFORMED, "Authorization or Date is repeated or not in form", scheme=self.name)
        return Claim(match[1], at, (match[2],), string=partial(self._string, request))

    def _string(self, request: Request, body: bytes | BodyDigest, second: int = 0) -> bytes:
        digest, kind, date = (signed_header(request, name) or "" for name in ("content-md5", "content-type", "date"))
        if digest and digest != _content_md5(body):
            raise CannotSign("Content-MD5 is not that of the body")
        own = [f"{key}:{signed_header(request, key)}" for key in sorted(request.by_name()) if key.startswith("x-amz-")]
        return "\n".join([request.method, digest, kind, date, *own, self._resource(request)[0]]).encode("latin-1")

    def _resource(self, request: Request) -> tuple[str, bool]:
        """The resource that is signed, and whether it is the whole target."""
        path, _, query = request.target.partition("?")
        fields = query.split("&") if query else []
        signed = sorted(field for field in fields if field.partition("=")[0] in self.subresources)
        return self.bucket + path + "?" * bool(signed) + "&".join(signed), len(signed) == len(fields)


def _content_md5(body: bytes | BodyDigest) -> str:
    return base64.b64encode(body_digest(body, "md5")).decode()
