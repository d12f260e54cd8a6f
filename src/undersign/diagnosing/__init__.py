"""Why a signature does not match: the mistakes that clients make, found by making them.

A cause is named where a request altered in that way has the very signature that was sent. Built on the schemes' own
canonical forms and signatures, so other schemes get the general causes without any work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..core.message import Request
from ..errors import Reason, Rejected
from ..scheme import Claim, Scheme, window_of
from ..schemes import HttpHmac, KeyedTimestamp
from ..verifying.lookup import Keys
from ..verifying.verifier import Verifier
from . import general, http_hmac, keyed_timestamp
from .cause import CODES, Cause, in_order, unexplained
from .keyring import KeyRing
from .search import Budget

__all__ = ["CODES", "Cause", "diagnose"]

# Under a second on a slow core: a canonical form with its signature takes some microseconds, a second of the keyed
# timestamp less than one.
_COMPUTATIONS = {HttpHmac: 80_000, KeyedTimestamp: 560_000, Scheme: 30_000}
_SECONDS = 220_000  # of a scheme that does not send the time, and whose canonical form is short


def diagnose(request: Request, schemes: Scheme | Sequence[Scheme], keys: Keys, now: float) -> tuple[Cause, ...]:
    """Why the request, as it was received, does not verify; nothing where it does.

    `schemes` and `keys` are those of a Verifier, `now` is what the clock said, in Unix seconds. The causes are one or
    two of CODES, or more where a request lacks several headers. Where no mistake is certain there is one cause,
    `unexplained`. No detail holds a secret or a signature.

    Raises ConfigError for schemes and keys that cannot work.
    """
    schemes = (schemes,) if isinstance(schemes, Scheme) else tuple(schemes)
    verifier = Verifier(schemes, keys, clock=lambda: now)
    try:
        verifier.verify(request)
    except Rejected as refused:
        rejected = refused
    else:
        return ()
    if not math.isfinite(now) or rejected.reason in (Reason.AMBIGUOUS, Reason.UNAVAILABLE, Reason.BODY_TOO_LARGE):
        return unexplained(f"The request is refused whatever its signature: {rejected.detail}.")
    return in_order(_causes(request, schemes, KeyRing(keys, request.with_body(b"")), now, rejected))


def _causes(
    request: Request, schemes: tuple[Scheme, ...], keys: KeyRing, now: float, rejected: Rejected
) -> tuple[Cause, ...]:
    scheme, claim = _meant(request, schemes)
    if isinstance(scheme, HttpHmac):
        return http_hmac.causes(scheme, request, keys, now, Budget(_COMPUTATIONS[HttpHmac]))
    if isinstance(scheme, KeyedTimestamp) and scheme.program.carriers.fields:
        return keyed_timestamp.causes(scheme, request, keys, now, Budget(_COMPUTATIONS[KeyedTimestamp]))
    if scheme is not None and claim is not None:
        if rejected.reason in (Reason.MISMATCH, Reason.UNKNOWN_KEY, Reason.STALE, Reason.FUTURE):
            searched = claim.at is None and window_of(scheme) is not None
            budget = Budget(_SECONDS if searched else _COMPUTATIONS[Scheme])
            return general.causes(scheme, request, claim, keys, now, budget)
        return unexplained(f"The request is refused whatever its signature: {rejected.detail}.")
    if scheme is not None:
        return unexplained(f"The request is not in form: {rejected.detail}.")
    return _unsigned(request, schemes)


def _meant(request: Request, schemes: tuple[Scheme, ...]) -> tuple[Scheme | None, Claim | None]:
    """The scheme that the request is meant by: it claims the request, or would if that were in form."""
    for scheme in schemes:
        try:
            claim = scheme.read(request)
        except Rejected:
            return scheme, None
        if claim is not None:
            return scheme, claim
    for scheme in schemes:
        if isinstance(scheme, HttpHmac) and http_hmac.looks_like(scheme, request):
            return scheme, None
        if isinstance(scheme, KeyedTimestamp) and keyed_timestamp.looks_like(scheme, request):
            return scheme, None
    return None, None


def _unsigned(request: Request, schemes: tuple[Scheme, ...]) -> tuple[Cause, ...]:
    """What is missing of a request that shows no trace of a signature."""
    if request.values("authorization"):
        return unexplained("The Authorization header is not one of these schemes.")
    wanted = [_wanted(scheme) for scheme in schemes if isinstance(scheme, (HttpHmac, KeyedTimestamp))]
    if not wanted:
        return unexplained("The request holds nothing that any scheme takes for a signature.")
    detail = f"The client sent no signature at all: {' or '.join(wanted)} is missing."
    return (Cause("header-missing", detail),)


def _wanted(scheme: HttpHmac | KeyedTimestamp) -> str:
    if isinstance(scheme, HttpHmac):
        return "the header Authorization"
    if not scheme.program.carriers.fields:
        return f"the headers {' and '.join(header.name for header in scheme.program.carriers.headers)}"
    return f"the parameters {scheme.key_param} and {scheme.sig_param}"
