"""What every scheme has from the base class, and the needs that schemes have of a body."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from undersign import (
    BodyNeed,
    CannotSign,
    Claim,
    Component,
    Credential,
    Patch,
    Reason,
    Rejected,
    Request,
    Scheme,
    Secret,
    Verifier,
    sign,
)
from undersign.core.dates import Window
from undersign.policy import MemoryReplayGuard
from undersign.scheme import Body
from undersign.verifying import RollingWindows

from .plain import NOW, refused


@dataclass(frozen=True)
class Minimal(Scheme):
    """No more than a scheme must have: two signatures of the second, in a header."""

    name: str = "minimal"
    window: Window = Window(past=2, future=2)

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset({Component.DATE})

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed.NOTHING

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        if claim.at is None:
            raise CannotSign("there is no time")
        return Patch(), b"%d" % claim.at

    def signature(self, secret: bytes, string: bytes) -> str:
        return hashlib.sha256(secret + string).hexdigest()

    def write(self, claim: Claim, request: Request) -> Patch:
        return Patch((("X-Signature", f"other {claim.signatures[0]}"),))

    def read(self, request: Request) -> Claim | None:
        values = request.values("x-signature")
        return Claim("key", None, tuple(values[0].split(" ")), string=_second) if values else None


def _second(body: Body, second: int) -> bytes:
    return b"%d" % second


@dataclass(frozen=True)
class Timed(Minimal):
    """The same with the time sent."""

    name: str = "timed"

    def read(self, request: Request) -> Claim | None:
        values = request.values("x-signature")
        return Claim("key", float(NOW), tuple(values[0].split(" ")), string=self._string) if values else None

    def _string(self, body: Body, second: int) -> bytes:
        return b"%d" % NOW


@pytest.mark.parametrize("scheme", [Minimal(), Timed()])
def test_any_one_of_several_signatures_will_do(scheme: Scheme) -> None:
    request = Request("GET", "/")
    signed = sign(scheme, request, Credential("key", "s"), now=NOW).apply(request)
    assert signed.headers == (("X-Signature", f"other {hashlib.sha256(b's%d' % NOW).hexdigest()}"),)
    assert Verifier(scheme, {"key": "s"}, clock=lambda: NOW).verify(signed).at == NOW


@dataclass(frozen=True)
class Either(Timed):
    """One whose senders do not agree on what they sign."""

    name: str = "either"

    def read(self, request: Request) -> Claim | None:
        claim = super().read(request)
        return claim and claim._replace(others=(lambda body, second: b"or this", lambda body, second: b"or that"))


@pytest.mark.parametrize(
    ("string", "fits"), [(b"%d" % NOW, True), (b"or this", True), (b"or that", True), (b"or", False)]
)
def test_any_one_of_several_strings_to_sign_will_do(string: bytes, fits: bool) -> None:
    sent = hashlib.sha256(b"old" + string).hexdigest()
    request = Request("GET", "/", (("X-Signature", f"other {sent}"),))
    verifier = Verifier(Either(), {"key": ["new", "old"]}, clock=lambda: NOW)
    if fits:
        found = verifier.verify(request)
        assert (found.signed, found.secret_index) == (string, 1)
    else:
        assert refused(verifier, request).reason is Reason.MISMATCH
    assert refused(Verifier(Either(), {"other": "old"}, clock=lambda: NOW), request).reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("scheme", [Minimal(), Timed()])
def test_to_leave_out_or_add_a_signature_makes_no_new_request_of_a_replay(scheme: Scheme) -> None:
    newer, older = (hashlib.sha256(secret + b"%d" % NOW).hexdigest() for secret in (b"new", b"old"))
    replay = {scheme.name: MemoryReplayGuard(born=0)}
    verifier = Verifier(scheme, {"key": ["new", "old"]}, clock=lambda: NOW, replay=replay)
    assert verifier.verify(Request("GET", "/", (("X-Signature", f"{newer} {older}"),))).secret_index == 0
    for sent in (newer, older, f"{older} {newer}", f"made-up {newer}"):
        assert refused(verifier, Request("GET", "/", (("X-Signature", sent),))).reason is Reason.REPLAYED


@pytest.mark.parametrize("scheme", [Minimal(), Timed()])
def test_none_of_several_signatures_is_a_mismatch(scheme: Scheme) -> None:
    verifier = Verifier(scheme, {"key": "s"}, clock=lambda: NOW)
    assert refused(verifier, Request("GET", "/", (("X-Signature", "a b c"),))).reason is Reason.MISMATCH


def test_the_default_candidates_are_the_signatures_of_the_seconds() -> None:
    expected = [hashlib.sha256(b"s%d" % second).hexdigest() for second in (1, 2, 3)]
    assert list(Minimal().candidates(b"s", Claim("key", None, string=_second), b"", [1, 2, 3])) == expected


def test_a_scheme_names_no_private_headers_unless_it_says_so() -> None:
    assert Minimal().private_headers() == frozenset()


@pytest.mark.parametrize(
    ("reason", "status", "body"),
    [
        (Reason.STALE, 401, "Signature not valid"),
        (Reason.UNKNOWN_KEY, 401, "Signature not valid"),
        (Reason.BODY_TOO_LARGE, 413, "Request body too large"),
        (Reason.LENGTH_REQUIRED, 411, "Content-Length required"),
        (Reason.LOSSY_TARGET, 500, "The server cannot verify requests"),
        (Reason.UNAVAILABLE, 503, "Try again later"),
    ],
)
def test_the_default_refusal_is_one_body_for_each_status(reason: Reason, status: int, body: str) -> None:
    response = Minimal().refusal(Rejected(reason, "for the log alone"), Request("GET", "/"))
    assert (response.status, response.headers) == (status, (("Content-Type", "application/json"),))
    assert json.loads(response.body) == body


def test_a_claims_repr_does_not_show_its_signatures() -> None:
    assert repr(Claim("key", 1.0, ("sig",), "n")) == "Claim(key_id='key', at=1.0, nonce='n')"


def test_needs_add_up_and_the_smaller_limit_holds() -> None:
    md5, sha1 = BodyNeed(("md5",)), BodyNeed(("sha1", "md5"))
    large, small = BodyNeed(raw=True), BodyNeed(raw=True, limit=10)
    assert (md5 | sha1).digests == ("md5", "sha1")
    assert large | small | md5 == BodyNeed(("md5",), True, 10)
    assert (md5 | BodyNeed(limit=10)).limit == large.limit == 16 * 1024 * 1024
    assert [bool(need) for need in (BodyNeed.NOTHING, md5, small)] == [False, True, True]


@dataclass(frozen=True)
class Ending(Minimal):
    """A scheme whose requests may say how long they are good."""

    says_when_it_ends = True
    failing: bool = False

    def read(self, request: Request) -> Claim | None:
        claim = super().read(request)
        return claim and claim._replace(at=float(NOW))

    def end_of(self, claim: Claim) -> float | None:
        return super().end_of(claim) if not self.failing else 1 / 0


def test_a_scheme_that_names_no_end_leaves_it_to_its_window() -> None:
    request = Request("GET", "/", (("X-Signature", "a"),), b"", "https://api.example.com")
    assert refused(Verifier(Ending(), {"key": "s"}, clock=lambda: NOW), request).reason is Reason.MISMATCH
    failed = refused(Verifier(Ending(failing=True), {"key": "s"}, clock=lambda: NOW), request)
    assert (failed.reason, failed.detail) == (Reason.UNAVAILABLE, "minimal failed: ZeroDivisionError")


@dataclass(frozen=True)
class Long(Minimal):
    """A scheme of somebody else's, which signs the time alone and has it searched for a month."""

    window: Window = Window(past=30 * 86_400, future=0)
    signs_time_alone = True

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        return (str(second) for second in seconds)


def test_a_window_that_no_table_holds_is_searched() -> None:
    claim = Claim("key", None, (str(int(NOW) - 86_400),), string=_second)
    assert RollingWindows().find(Long(), Secret("s"), claim, NOW) == int(NOW) - 86_400
