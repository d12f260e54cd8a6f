"""All the ways in which a request can be verified, which come to one outcome."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.core.plain import (
    NOW,
)
from undersign import (
    BodyDigest,
    Reason,
    Rejected,
    Request,
    Verified,
    Verifier,
)
from undersign.core.message import BodyHasher

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Outcome = tuple[Any, ...]


def clock() -> float:
    return NOW


def outcome_of(work: Any) -> Verified | Outcome:
    try:
        verified: Verified = work()
    except Rejected as rejected:
        return rejected.reason, rejected.detail, rejected.scheme, rejected.key_id
    return verified


def verified_in_two(verifier: Verifier, request: Request, *, digested: bool = False) -> Verified:
    """Head first, and its body behind it."""
    head = dataclasses.replace(request, body=b"")
    pending = verifier.begin(head)
    body: bytes | BodyDigest = request.body
    if digested and not pending.body.raw and isinstance(body, bytes):
        hasher = BodyHasher(pending.body.digests)
        hasher.update(body)
        body = hasher.result()
    return verifier.finish(pending.with_body(body))


def judged(verifier: Verifier, request: Request) -> Verified | Outcome:
    """The one outcome of all the ways in which a request can be verified."""
    outcome = outcome_of(lambda: verifier.verify(request))
    assert outcome == outcome_of(lambda: verified_in_two(verifier, request))
    assert outcome == outcome_of(lambda: verified_in_two(verifier, request, digested=True))
    lower = tuple((name.lower(), value) for name, value in request.headers)
    by_case = outcome_of(lambda: verifier.verify(dataclasses.replace(request, headers=lower)))
    assert by_case == outcome or not isinstance(outcome, Verified)
    return outcome


def verified(verifier: Verifier, request: Request) -> Verified:
    outcome = judged(verifier, request)
    assert isinstance(outcome, Verified), outcome
    return outcome


def reason(verifier: Verifier, request: Request) -> Reason:
    outcome = judged(verifier, request)
    assert not isinstance(outcome, Verified)
    found: Reason = outcome[0]
    return found
