"""What trying the laws of check_scheme() takes: to sign and to verify with one scheme, key and clock, and to tell."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from ..core.credentials import Credential, Secret
from ..core.message import BodyDigest, BodyHasher, Patch, Request, Response
from ..errors import Rejected
from ..scheme import Body, BodyNeed, Claim, Scheme
from ..signing import sign
from ..verifying.verdict import Verified, begin

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Trial:
    """A scheme on trial."""

    def __init__(self, scheme: Scheme, credential: Credential, now: float) -> None:
        self.scheme = scheme
        self.credential = credential
        self.secret = credential.secret.reveal()
        self.now = now
        self.nonce: str | None = None
        if scheme.needs_nonce:
            self.nonce = "1730974875000" if scheme.nonce_is_number else "a-nonce-of-one-request"

    def broken(self, law: str, how: str) -> AssertionError:
        """The error that names the law and how the scheme breaks it, for a caller to raise."""
        name = getattr(self.scheme, "name", None) or type(self.scheme).__name__
        return AssertionError(f"{name} breaks a law, {law}: {how}")

    def only(
        self,
        allowed: type[Exception] | tuple[type[Exception], ...],
        law: str,
        call: Callable[_P, _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """What the call returns, or what it may raise; anything else breaks the law."""
        try:
            return call(*args, **kwargs)
        except allowed:
            raise
        except Exception as error:
            raise self.broken(law, f"{type(error).__name__} came out of it") from error

    def shows(self, *values: str | bytes) -> bool:
        """Whether the secret is in one of these, as it is, in hex or in base64."""
        spellings = (self.secret, self.secret.hex().encode(), base64.b64encode(self.secret).rstrip(b"="))
        held = [value.encode("utf-8", "replace") if isinstance(value, str) else value for value in values]
        return any(spelling in value for spelling in spellings for value in held)

    def sign(self, request: Request, credential: Credential | None = None) -> Patch:
        """The patch, by the credential on trial or another."""
        return sign(self.scheme, request, credential or self.credential, now=self.now, nonce=self.nonce)

    def unsigned(self, at: float) -> Claim:
        """What a signer claims at that time, without a signature."""
        return Claim(self.credential.key_id, at, (), self.nonce or "", None, self.credential.extra)

    def signature(self, secret: bytes, canonical: bytes) -> str:
        """The scheme's signature, whatever the secret."""
        law = "signature raises nothing, whatever the secret: a verifier asks where it does not know the key"
        signature = self.only((), law, self.scheme.signature, secret, canonical)
        if not isinstance(signature, str):
            raise self.broken("a signature is text", f"it is {type(signature).__name__}")
        return signature

    def candidates(self, claim: Claim, body: Body, seconds: Sequence[int]) -> list[str]:
        """The scheme's candidates, all of them computed."""
        return list(self.scheme.candidates(self.secret, claim, body, seconds))

    def verify(
        self, request: Request, *, secret: bytes | None = None, now: float | None = None, digested: bool = False
    ) -> Verified:
        """Verify; `digested`: with the digests of the body alone, where the scheme asks for no more."""
        pending = begin(self.scheme, request, now=self.now if now is None else now)
        body = request.body
        if digested and not pending.body.raw and isinstance(body, bytes):
            body = _digest(body, pending.body)
        return pending.with_body(body).finish([Secret(secret or self.secret)])

    def claim(self, signed: Request) -> Claim:
        """What a request claims that has verified."""
        claim = self.scheme.read(signed)
        if claim is None:
            raise self.broken("read is a pure function", "it claims a request at one time and not at another")
        return claim

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        """The scheme's refusal, such that it can be compared."""
        return _comparable(self.scheme.refusal(rejected, head))

    def forbidden(self, head: Request) -> Response:
        """The scheme's answer where the key may not do this, such that it can be compared."""
        return _comparable(self.scheme.forbidden(head))

    def refused(self, request: Request, law: str, how: str, **options: Any) -> Rejected:
        """The refusal that must come, and that shows nothing which is private."""
        try:
            self.only(Rejected, "verifying raises nothing but Rejected", self.verify, request, **options)
        except Rejected as rejected:
            self.hides(rejected)
            return rejected
        raise self.broken(law, how)

    def hides(self, rejected: Rejected) -> None:
        """Raise where the refusal shows the secret."""
        if self.shows(str(rejected), repr(rejected), repr(vars(rejected))):
            raise self.broken("an error never shows the secret", "Rejected holds it")


def _comparable(response: Response) -> Response:
    return Response(response.status, tuple(response.headers), bytes(response.body))


def _digest(body: bytes, need: BodyNeed) -> BodyDigest:
    hasher = BodyHasher(need.digests)
    hasher.update(body)
    return hasher.result()
