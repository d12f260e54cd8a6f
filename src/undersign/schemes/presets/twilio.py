"""Twilio's webhooks: HMAC-SHA1 of the URL and the form's parameters, with nothing between them.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security and https://github.com/twilio/twilio-python
Window: none, as no time is sent: a request that was seen verifies for ever, until the auth token is changed.
Refusal: the app decides; 403 is usual.
Mistakes: the URL as the app sees it behind a proxy, with another scheme, host or port; JSON, of which the URL
    holds the digest and no signature binds the body itself; a form whose blank parameters were dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ...core.fields import FORM, decode_field, fields
from ...core.message import Component, Pairs, Patch, Request, body_hex_digest, body_length, origin_form, signed_header
from ...errors import CannotSign, ConfigError, Reason, Rejected
from ...parts.carriers import FORM_NEED, form_of, is_compressed_form
from ...parts.macs import Mac, SecretForm, encoded_pattern
from ...scheme import Body, BodyNeed, Claim, Scheme

_HEADER, _DIGEST = "X-Twilio-Signature", "bodySHA256"
_MACS = {name: Mac(f"hmac-{name}", "base64", SecretForm(), 0, 0) for name in ("sha1", "sha256")}
_SIGNATURE = {name: re.compile(encoded_pattern("base64", name)) for name in _MACS}
_ORIGIN = re.compile(r"(https?)(://.*?)(:[0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class Twilio(Scheme):
    """Twilio's calls to an app. No recipe says it: the URL verifies with its port and without, and JSON by its digest.

    Give the middleware the origin that Twilio calls. No key id is sent; it is the scheme's name. A body that is no form
    needs its SHA-256 in the URL as `bodySHA256`, which signing sets. `algorithm` is sha256 where the header
    X-Twilio-Webhooks-Signature-Settings says so. The signature binds nothing alone: what is at the end of the URL could
    be the first parameter of a form. Raises ConfigError for another algorithm.
    """

    algorithm: Literal["sha1", "sha256"] = "sha1"
    name: str = "twilio"
    sends_key_id = False
    window = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]

    def __post_init__(self) -> None:
        if self.algorithm not in _MACS:
            raise ConfigError(f"algorithm {self.algorithm!r} is none of Twilio's: use {' or '.join(_MACS)}")

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset()

    def body_need(self, head: Request) -> BodyNeed:
        return FORM_NEED if FORM in head.media_types() else BodyNeed(("sha256",))

    def signature(self, secret: bytes, string: bytes) -> str:
        return _MACS[self.algorithm].signature(secret, string)

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        drafted = Patch((), self._added(request))
        return drafted, _string(drafted.apply(request), request.origin, request.body, 0)

    def write(self, claim: Claim, request: Request) -> Patch:
        return Patch(((_HEADER, claim.signatures[0]),), self._added(request))

    def read(self, request: Request) -> Claim | None:
        values = request.values(_HEADER.lower())
        if not values:
            return None
        if not self._is_in_form(request):
            del values  # one may be good
            detail = f"the {_HEADER} header is there more than once, or not in its one form"
            raise Rejected(Reason.MALFORMED, detail, scheme=self.name, key_id=self.name)
        string, other = (partial(_string, request, origin) for origin in _origins(request.origin))
        return Claim(self.name, None, (values[0],), "", string, others=(other,))

    def _is_in_form(self, request: Request) -> bool:
        try:
            return bool(_SIGNATURE[self.algorithm].fullmatch(signed_header(request, _HEADER.lower()) or ""))
        except CannotSign:
            return False

    def _added(self, request: Request) -> Pairs:
        if FORM in request.media_types() or not body_length(request.body):
            return ()
        return ((_DIGEST, body_hex_digest(request.body, "sha256")),)


def _origins(origin: str) -> tuple[str, str]:
    """The origin as it stands, and with its port off, or with the port that it has by default."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return "", ""
    scheme, rest, port = match.groups()
    return origin, scheme + rest if port else f"{origin}:{443 if scheme == 'https' else 80}"


def _string(request: Request, origin: str, body: Body, _: int) -> bytes:
    """The string to sign. Raises CannotSign where there is none."""
    if not origin:
        raise CannotSign("the URL is signed and the request's origin is unknown: give the origin")
    target = origin_form(request.target).partition("#")[0]
    if FORM in request.media_types():
        if not isinstance(body, bytes) or is_compressed_form(request):
            raise CannotSign("the form is streamed or compressed, and its parameters are signed: pass it as bytes")
        pairs = sorted(set(_pairs(form_of(request.with_body(body)))))
        return (origin + target).encode("latin-1") + "".join(name + value for name, value in pairs).encode()
    digests = [value for _, value in fields(target.partition("?")[2], frozenset({_DIGEST}))]
    if (body_length(body) or digests) and digests != [body_hex_digest(body, "sha256")]:
        raise CannotSign(f"the body is no form, and {_DIGEST} in the URL is not its SHA-256: nothing signs it")
    return (origin + target).encode("latin-1")


def _pairs(form: str) -> list[tuple[str, str]]:
    decode: Callable[[str], str] = partial(decode_field, errors="strict")
    try:
        found = [part.partition("=") for part in form.split("&") if part]
        return [(decode(name), decode(value)) for name, _, value in found]
    except UnicodeDecodeError:
        raise CannotSign("a parameter of the form is not UTF-8, and it is signed as text") from None


twilio = Twilio
