"""Standard Webhooks: https://www.standardwebhooks.com

webhook-id: msg_…          of the message, the same for every attempt to deliver it; the caller sets it
webhook-timestamp: …       Unix seconds
webhook-signature: v1,…    base64( HMAC-SHA256( secret, id.timestamp.body ) ); several, separated by spaces
"""

from __future__ import annotations

import base64
import hmac
import math
import re
from dataclasses import dataclass
from typing import ClassVar

from undersign import BodyDigest, BodyNeed, CannotSign, Claim, Component, Patch, Reason, Rejected, Request, Scheme
from undersign.core.dates import Window
from undersign.parts.macs import SecretForm
from undersign.scheme import signed_header

# Printable ASCII without the full stop, which separates the parts that are signed.
_ID = re.compile(r"[!-\-/-~]{1,256}")
_SECONDS = re.compile(r"0|[1-9][0-9]{0,10}")
_SIGNATURE = re.compile(r"v1,([A-Za-z0-9+/]{43}=)")
_SECRET = SecretForm("base64", b"whsec_")


@dataclass(frozen=True, kw_only=True)
class StandardWebhooks(Scheme):
    """Signs the message: its id, the time and the raw body. Method and target are not covered.

    No key id is sent; `key_id` is the name under which the verifier's keys have the endpoint's secrets. They are
    written as they are handed out, `whsec_` and base64. While one replaces another, senders sign with both.
    """

    several_signatures: ClassVar[bool] = True
    key_id: str = "webhook"
    name: str = "standard-webhooks"
    window: Window = Window(past=300, future=300)

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset({Component.HEADERS, Component.DATE, Component.BODY})

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed(raw=True) if head.values("webhook-id") else BodyNeed.NOTHING

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        if claim.at is None or claim.key_id != self.key_id:
            raise CannotSign(f"no key id is sent: sign with a credential whose key id is {self.key_id!r}")
        drafted = Patch((("webhook-timestamp", str(math.floor(claim.at))),))
        return drafted, _string(*_message(drafted.apply(request)), request.body)

    def secret_flaw(self, secret: bytes) -> str | None:
        return "write whsec_ and the base64 behind it, as it was handed out" if _SECRET.flaw(secret) else None

    def signature(self, secret: bytes, string: bytes) -> str:
        return base64.b64encode(hmac.digest(_SECRET.key(secret), string, "sha256")).decode()

    def write(self, claim: Claim, request: Request) -> Patch:
        return Patch((("webhook-signature", " ".join(f"v1,{signature}" for signature in claim.signatures)),))

    def read(self, request: Request) -> Claim | None:
        if not request.values("webhook-signature"):
            return None
        try:
            message, seconds = _message(request)
            sent = signed_header(request, "webhook-signature") or ""
        except CannotSign as error:
            raise Rejected(Reason.MALFORMED, str(error), scheme=self.name, key_id=self.key_id) from None
        # Other versions are for other verifiers, and are passed over; without one of ours it is a mismatch.
        signatures = tuple(match[1] for match in map(_SIGNATURE.fullmatch, sent.split(" ")) if match)
        return Claim(self.key_id, float(seconds), signatures, message, lambda body, _: _string(message, seconds, body))

    def private_headers(self) -> frozenset[str]:
        return frozenset({"webhook-id", "webhook-timestamp"})


def _message(request: Request) -> tuple[str, str]:
    message, seconds = (signed_header(request, name) or "" for name in ("webhook-id", "webhook-timestamp"))
    if not _ID.fullmatch(message) or not _SECONDS.fullmatch(seconds):
        raise CannotSign("webhook-id or webhook-timestamp is not in form: give each message an id, without '.'")
    return message, seconds


def _string(message: str, seconds: str, body: bytes | BodyDigest) -> bytes:
    if not isinstance(body, bytes):
        raise CannotSign("the body is streamed, and it is signed as a whole: pass it as bytes")
    return f"{message}.{seconds}.".encode() + body
