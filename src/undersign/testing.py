"""check_scheme(): the laws that every scheme must keep, for the tests of those who write one.

    def test_the_laws():
        check_scheme(MyScheme())

Each law is tried on several requests, first of all by signing them and verifying what came out. What breaks one raises
AssertionError with the law in words. Source of the laws: what signer, verifier, middlewares and clients rely on.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from ._testing_requests import odd_requests, ordinary_requests, tampered
from .clock import Window
from .credentials import Credential, Secret
from .engine import Verified, begin, sign
from .errors import CannotSign, Reason, Rejected
from .http import BodyDigest, BodyHasher, Component, Pairs, Patch, Request, Response
from .scheme import BodyNeed, Claim, Scheme

_P = ParamSpec("_P")
_T = TypeVar("_T")

_SECRET = b"a secret that nothing else looks like"
_UNIFORM = (Reason.STALE, Reason.FUTURE, Reason.UNKNOWN_KEY, Reason.MISMATCH, Reason.REPLAYED)
_NOT_A_SCHEMES = frozenset({"content-length", "transfer-encoding", "connection"})


def check_scheme(
    scheme: Scheme,
    *,
    key_id: str = "key",
    secret: str | bytes = _SECRET,
    now: float = 1_730_974_875,
    headers: Pairs = (),
    requests: Sequence[Request] = (),
) -> None:
    """Check that the scheme keeps the laws.

    `key_id` and `secret` sign, at `now` in Unix seconds. `headers` are put on the requests that are tried: a scheme
    that covers headers of the caller's needs some. `requests` are tried besides the usual ones: GET with and without a
    query, a JSON body, a form, bytes. Those that the scheme cannot sign are left out, as long as there is one that it
    can.

    Raises AssertionError, whose one sentence names the law that is broken.
    """
    check = _Check(scheme, Credential(key_id, secret), float(now))
    check.is_a_frozen_dataclass()
    state = repr(vars(scheme)) if hasattr(scheme, "__dict__") else ""
    check.refusals_are_uniform()
    signable = 0
    for request in (*ordinary_requests(headers), *requests):
        check.does_not_claim(request)
        signed = check.signs(request)
        if signed is not None:
            signable += 1
            check.all_of(request, signed)
    if not signable:
        raise check.broken("a scheme signs ordinary requests", "it can sign none of those that were tried; pass others")
    check.covers_headers_that_it_names()
    if state != (repr(vars(scheme)) if hasattr(scheme, "__dict__") else ""):
        raise check.broken("a scheme holds no state", "its fields have changed while it was used")


class _Check:
    """The laws, and what is needed to try them on one scheme."""

    def __init__(self, scheme: Scheme, credential: Credential, now: float) -> None:
        self.scheme = scheme
        self.credential = credential
        self.secret = credential.secret.reveal()
        self.now = now
        self.headers_claimed = self.headers_tried = False

    def broken(self, law: str, how: str) -> AssertionError:
        name = getattr(self.scheme, "name", None) or type(self.scheme).__name__
        return AssertionError(f"{name} breaks a law, {law}: {how}")

    def only(
        self, allowed: type[Exception], law: str, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
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

    # What a scheme is

    def is_a_frozen_dataclass(self) -> None:
        law, scheme = "a scheme is a frozen dataclass, so that it can be shared, compared and hashed", self.scheme
        parameters = getattr(type(scheme), "__dataclass_params__", None)
        if "__dataclass_params__" not in vars(type(scheme)) or not getattr(parameters, "frozen", False):
            raise self.broken(law, f"decorate {type(scheme).__name__} with @dataclass(frozen=True)")
        try:
            same = dataclasses.replace(scheme) == scheme and hash(dataclasses.replace(scheme)) == hash(scheme)  # type: ignore[type-var]
        except TypeError as error:
            raise self.broken(
                law, "it cannot be hashed, or not made from its fields: use tuples and frozensets in them"
            ) from error
        if not same:
            raise self.broken(law, "made anew from its fields it is another")
        if not isinstance(scheme.name, str) or not scheme.name or not isinstance(scheme.window, Window):
            raise self.broken(
                "a scheme has a name and a window", "name is not empty, and window is an undersign.Window"
            )

    def refusals_are_uniform(self) -> None:
        law = "a refusal never tells the client why"
        marker = "marker-of-the-detail"
        answers: dict[int, Response] = {}
        uniform: set[Response] = set()
        for head in (Request("GET", "/things"), *odd_requests(Request("GET", "/things"))):
            answers.clear()
            uniform.clear()
            for reason in Reason:
                rejected = Rejected(reason, marker, scheme=self.scheme.name, key_id=marker)
                response = self.only(Rejected, "refusal raises nothing", self._refusal, rejected, head)
                if marker.encode() in response.body or marker in str(response.headers):
                    raise self.broken(law, "the detail or the claimed key id is in the answer")
                if answers.setdefault(response.status, response) != response:
                    raise self.broken(
                        law, f"the answer for {reason} differs from another one of status {response.status}"
                    )
                if reason in _UNIFORM:
                    uniform.add(response)
                if not 400 <= response.status < 600:
                    raise self.broken("a refusal is an error", f"its status is {response.status}")
            if len(uniform) > 1:
                raise self.broken(law, "an unknown key, a wrong signature and a wrong time get different answers")

    def _refusal(self, rejected: Rejected, head: Request) -> Response:
        response = self.scheme.refusal(rejected, head)
        return Response(response.status, tuple(response.headers), bytes(response.body))

    def does_not_claim(self, request: Request) -> None:
        law = "read returns None for a request that is not signed"
        for unsigned in (request, Request(request.method, request.target, (), b"", request.origin)):
            try:
                claim = self.only(Rejected, law, self.scheme.read, unsigned)
            except Rejected as rejected:
                raise self.broken(law, "it refuses one, so no other scheme can have it") from rejected
            if claim is not None:
                raise self.broken(law, "it claims one")

    # Signing

    def signs(self, request: Request) -> Request | None:
        """The request signed, None where the scheme cannot sign it."""
        before = _parts(request)
        try:
            patch = self.only(CannotSign, "signing raises nothing but CannotSign", self._sign, request)
            signed = patch.apply(request)
        except CannotSign as error:
            if self.shows(str(error)):
                raise self.broken("an error never shows the secret", "CannotSign holds it") from None
            return None
        if _parts(request) != before:
            raise self.broken("signing leaves the request as it was", "it has changed")
        return signed

    def _sign(self, request: Request, credential: Credential | None = None) -> Patch:
        return sign(self.scheme, request, credential or self.credential, now=self.now)

    def all_of(self, request: Request, signed: Request) -> None:
        """The laws of one request, which the scheme has signed."""
        canonical = self.is_pure(request)
        verified = self.verifies(signed)
        claim = self._claim(signed)
        self.patch_is_modest(request, signed)
        self.signing_twice_is_once(signed)
        self.shares_its_canonical_form(signed, claim, canonical)
        self.candidates_are_signatures(claim)
        self.wrong_ones_are_refused(signed, claim)
        self.tampering_is_refused(request, signed, verified)
        self.odd_requests_are_rejected(signed, claim)

    def patch_is_modest(self, request: Request, signed: Request) -> None:
        law, patch = "a patch sets what it must and nothing else", self._sign(request)
        names = {name.lower() for name, _ in patch.headers}
        if names & _NOT_A_SCHEMES:
            raise self.broken(
                law, f"it sets {', '.join(sorted(names & _NOT_A_SCHEMES))}, which say where the body ends"
            )
        if "content-type" in names and request.values("content-type"):
            raise self.broken(law, "it replaces the Content-Type that the request has")
        if self.shows(*(text for pair in patch.headers + patch.query + patch.form for text in pair)):
            raise self.broken("the secret is never sent", "it is in the patch")
        private = self.scheme.private_headers()
        if not all(name == name.lower() for name in private):
            raise self.broken("private_headers are in lower case", f"got {', '.join(sorted(private))}")
        added = {name.lower() for name, _ in signed.headers} - {name.lower() for name, _ in request.headers}
        if added - names - {"content-length"}:
            raise self.broken(law, "the signed request has a header that the patch does not name")

    def signing_twice_is_once(self, signed: Request) -> None:
        law = "signing twice is signing once"
        try:
            if self._sign(signed).apply(signed) != signed:
                raise self.broken(law, "the second time changes the request")
        except CannotSign as error:
            raise self.broken(law, "what is signed cannot be signed again") from error

    def is_pure(self, request: Request) -> bytes:
        """The laws of canonical and signature; returns the canonical form."""
        scheme, claim = self.scheme, Claim(self.credential.key_id, self.now)
        if self._sign(request) != self._sign(request):
            raise self.broken("signing is a pure function", "the same request, key and time give two patches")
        canonical = scheme.canonical(scheme.prepare(request, claim).apply(request), claim)
        if self.shows(canonical):
            raise self.broken("canonical holds no secret", "the secret is in it")
        first = scheme.signature(self.secret, canonical)
        if first in (scheme.signature(self.secret + b"2", canonical), scheme.signature(self.secret, canonical + b"2")):
            raise self.broken("signature depends on secret and canonical form", "another one gives the same")
        if not first or not first.isascii() or not first.isprintable() or self.shows(first):
            raise self.broken("a signature is printable ASCII and does not hold the secret", "it is not so")
        return canonical

    def shares_its_canonical_form(self, signed: Request, claim: Claim, canonical: bytes) -> None:
        timed = claim if claim.at is not None else dataclasses.replace(claim, at=self.now)
        if self.scheme.canonical(signed, timed) != canonical:
            raise self.broken("signer and verifier share one canonical form", "they make two of one request")

    def candidates_are_signatures(self, claim: Claim) -> None:
        law = "candidates are the signatures of the seconds, in order"
        if claim.at is not None:
            return
        seconds = [int(self.now) - 1, int(self.now), int(self.now) + 5]
        found = self.only(CannotSign, law, self._candidates, claim, seconds)
        at = (dataclasses.replace(claim, at=second) for second in seconds)
        nothing = Request("GET", "/")
        if found != [self.scheme.signature(self.secret, self.scheme.canonical(nothing, one)) for one in at]:
            raise self.broken(law, "they are others, or depend on the request")

    def _candidates(self, claim: Claim, seconds: Sequence[int]) -> list[str]:
        return list(self.scheme.candidates(self.secret, claim, seconds))

    # Verifying

    def verifies(self, signed: Request) -> Verified:
        law = "what is signed verifies"
        try:
            verified = self.only(Rejected, law, self._verify, signed)
        except Rejected as rejected:
            raise self.broken(law, f"it is refused as {rejected}") from rejected
        if (verified.scheme, verified.key_id) != (self.scheme.name, self.credential.key_id):
            raise self.broken(
                law, f"as {verified.key_id!r} of {verified.scheme!r}; pass key_id if it has one of its own"
            )
        if verified.covers != self.scheme.covers(signed):
            raise self.broken("covers is a pure function", "it differs from one call to the next")
        try:
            self._verify(signed, digested=True)
        except (CannotSign, Rejected) as error:
            law = "body_need names all that is needed of a body"
            raise self.broken(law, "with its digests alone nothing verifies") from error
        return verified

    def _verify(
        self, request: Request, *, secret: bytes | None = None, now: float | None = None, digested: bool = False
    ) -> Verified:
        pending = begin(self.scheme, request, now=self.now if now is None else now)
        body = request.body
        if digested and not pending.body.raw and isinstance(body, bytes):
            body = _digest(body, pending.body)
        return pending.with_body(body).finish([Secret(secret or self.secret)])

    def _claim(self, signed: Request) -> Claim:
        claim = self.scheme.read(signed)
        if claim is None:
            raise self.broken("read is a pure function", "it claims a request at one time and not at another")
        return claim

    def refused(self, request: Request, law: str, how: str, **options: Any) -> Rejected:
        """The refusal that must come, and that shows nothing which is private."""
        try:
            self.only(Rejected, "verifying raises nothing but Rejected", self._verify, request, **options)
        except Rejected as rejected:
            self.hides(rejected)
            return rejected
        raise self.broken(law, how)

    def hides(self, rejected: Rejected) -> None:
        if self.shows(str(rejected), repr(rejected), repr(vars(rejected))):
            raise self.broken("an error never shows the secret", "Rejected holds it")

    def wrong_ones_are_refused(self, signed: Request, claim: Claim) -> None:
        other = hashlib.sha256(self.secret).hexdigest().encode()
        law = "another secret does not verify"
        reason = self.refused(signed, law, "it does", secret=other).reason
        if reason is not Reason.MISMATCH:
            raise self.broken(law, f"the reason is {reason} and not mismatch")
        window = self.scheme.window
        for now, word in ((self.now + window.past, "oldest"), (self.now - window.future, "earliest")):
            try:
                self._verify(signed, now=now)
            except Rejected as rejected:
                raise self.broken(
                    "the window has both its ends", f"at the {word} second it is refused as {rejected.reason}"
                ) from rejected
        law = "outside its window nothing verifies"
        if Component.DATE in self.scheme.covers(signed):
            self.refused(signed, law, "an old request does", now=self.now + window.past + 1)
            self.refused(signed, law, "one that is ahead does", now=self.now - window.future - 1)
        valid = claim.signatures[0]
        at = claim if claim.at is not None else dataclasses.replace(claim, at=self.now)
        for place in (0, len(valid) // 2):
            wrong = valid[:place] + ("B" if valid[place] in "Aa" else "a") + valid[place + 1 :]
            if wrong != valid:
                written = self.scheme.write(dataclasses.replace(at, signatures=(wrong,)), signed).apply(signed)
                self.refused(written, "a wrong signature does not verify", f"character {place} may be another")

    def tampering_is_refused(self, request: Request, signed: Request, verified: Verified) -> None:
        patched = {name.lower() for name, _ in self._sign(request).headers}
        for component in verified.covers:
            tried = 0
            for changed in self._changes(component, request, signed, patched):
                try:
                    after = self.only(Rejected, "verifying raises nothing but Rejected", self._verify, changed)
                except Rejected as rejected:
                    self.hides(rejected)
                    tried += 1
                    continue
                if component is not Component.HEADERS and component in after.covers:
                    raise self.broken(
                        "what is covered cannot be changed", f"the {component} can, and covers says that it is covered"
                    )
            if component is Component.HEADERS:
                self.headers_claimed = True
                self.headers_tried = self.headers_tried or tried > 0

    def _changes(self, component: Component, request: Request, signed: Request, patched: set[str]) -> list[Request]:
        if component is not Component.DATE:
            return tampered(component, signed, patched)
        # The old signature under a time that is one second later, where the time is sent.
        claim = Claim(self.credential.key_id, self.now + 1, self._claim(signed).signatures)
        prepared = self.scheme.prepare(request, claim).apply(signed)
        later = self.scheme.write(claim, prepared).apply(prepared)
        return [] if later == signed else [later]

    def covers_headers_that_it_names(self) -> None:
        if self.headers_claimed and not self.headers_tried:
            raise self.broken(
                "what is covered cannot be changed",
                "covers says headers, and every header of the requests can be changed; pass headers= that are signed",
            )

    def odd_requests_are_rejected(self, signed: Request, claim: Claim) -> None:
        law = "read raises nothing but Rejected"
        for odd in odd_requests(signed):
            try:
                self.only(Rejected, law, self.scheme.read, odd)
                need = self.only(Rejected, "body_need raises nothing", self.scheme.body_need, odd)
                if not isinstance(need, BodyNeed):
                    raise self.broken("body_need returns a BodyNeed", f"it returns {type(need).__name__}")
                self.only(Rejected, "covers raises nothing", self.scheme.covers, odd)
                self.only(Rejected, "verifying raises nothing but Rejected", self._verify, odd)
            except Rejected as rejected:
                self.hides(rejected)
                if any(signature in str(rejected) for signature in claim.signatures):
                    raise self.broken(
                        "an error never shows a signature", "Rejected holds one, which may be good"
                    ) from None


def _parts(request: Request) -> tuple[object, ...]:
    return request.method, request.target, tuple(request.headers), request.body, request.origin


def _digest(body: bytes, need: BodyNeed) -> BodyDigest:
    hasher = BodyHasher(need.digests)
    hasher.update(body)
    return hasher.result()
