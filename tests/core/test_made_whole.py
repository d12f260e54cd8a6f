"""What is made on the path of every request is made without its constructor, and has all of its fields all the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.core.plain import NOW, SECRET, USER, gogrid_request, gotom_request
from undersign import Claim, Credential, GoGrid, GoTom, Patch, Pending, Request, Verified, Verifier, sign


@dataclass(frozen=True)
class _Measured(GoTom):
    """Notes which claims it is given, and what it drafts."""

    claims: list[Claim] = field(default_factory=list, compare=False)
    drafted: list[Patch] = field(default_factory=list, compare=False)

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        self.claims.append(claim)
        drafted, string = super().draft(request, claim)
        self.drafted.append(drafted)
        return drafted, string

    def write(self, claim: Claim, request: Request) -> Patch:
        self.claims.append(claim)
        return super().write(claim, request)


class _Watched(Verifier):
    """Notes how many fields the pending requests have."""

    def finish(self, pending: Pending) -> Verified:
        assert len(pending) == len(Pending._fields)
        return super().finish(pending)


def test_of_a_request_that_is_signed() -> None:
    scheme, request = _Measured(), Request("GET", "/", (), b"", "https://a.example")
    patches = [
        sign(scheme, request, Credential(USER, SECRET), now=NOW),
        sign(GoGrid(), request, Credential("key", SECRET), now=NOW),
        *scheme.drafted,
    ]
    assert [len(patch) for patch in patches] == [len(Patch._fields)] * 3
    assert [len(claim) for claim in scheme.claims] == [len(Claim._fields)] * 2


def test_of_a_request_that_is_verified() -> None:
    for scheme, request, key_id in ((GoTom(), gotom_request(), USER), (GoGrid(), gogrid_request(), "key")):
        claim = scheme.read(request)
        assert claim is not None
        assert len(claim) == len(Claim._fields)
        verified = _Watched(scheme, {key_id: SECRET}, clock=lambda: NOW).verify(request)
        assert len(verified) == len(Verified._fields)
