"""Why a signature does not match: the mistakes that clients make, found by making them.

A cause is named where a request altered in that way has the very signature that was sent, or where it is plain to see.
What clients do wrong is a list for each kind of part (see `changes`), and no scheme brings one of its own: `recipes`
takes a recipe's string to sign apart, `general` drafts altered requests anew for schemes that are no recipes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.dates import tells_time
from ..core.message import Request
from ..errors import Reason, Rejected
from ..parts.carriers import Carriers
from ..parts.scheme import SchemeOfParts
from ..scheme import Claim, Scheme
from ..verifying.lookup import Keys, keys_with_secrets
from ..verifying.verifier import Verifier
from . import drafted, general, recipes
from .cause import CODES, Cause, in_order, unexplained
from .heads import mended
from .keyring import KeyRing

__all__ = ["CODES", "Cause", "diagnose"]


def diagnose(request: Request, schemes: Scheme | Sequence[Scheme], keys: Keys, now: float) -> tuple[Cause, ...]:
    """Why the request, as it was received, does not verify; nothing where it does.

    `schemes` and `keys` are those of a Verifier, `now` is what the clock said, in Unix seconds. The causes are one or
    two of CODES, or more where a request lacks several headers. Where no mistake is certain there is one cause,
    `unexplained`. No detail holds a secret or a signature.

    Raises ConfigError for schemes and keys that cannot work.

    Example::

        for cause in diagnose(signed, [GoTom()], {"user": "another secret"}, now):
            print(cause.code, cause.detail)
    """
    keys = keys_with_secrets(keys)  # first, so that no frame which raises below holds a plain secret
    verifier = Verifier(schemes, keys, clock=lambda: now)
    schemes = verifier.schemes
    try:
        verifier.verify(request)
    except Rejected as refused:
        rejected = refused
    else:
        return ()
    if not tells_time(now) or rejected.reason in (Reason.AMBIGUOUS, Reason.UNAVAILABLE, Reason.BODY_TOO_LARGE):
        return unexplained(f"The request is refused whatever its signature: {rejected.detail}.")
    return in_order(_causes(request, schemes, KeyRing(keys, request.with_body(b"")), now, rejected))


def _causes(
    request: Request, schemes: tuple[Scheme, ...], keys: KeyRing, now: float, rejected: Rejected
) -> tuple[Cause, ...]:
    scheme, claim = _meant(request, schemes, keys, now)
    if isinstance(scheme, SchemeOfParts):
        return recipes.causes(scheme, request, keys, now, rejected)
    if scheme is not None and claim is not None:
        looked_at = (Reason.MISMATCH, Reason.UNKNOWN_KEY, Reason.STALE, Reason.FUTURE, Reason.MALFORMED)
        if rejected.reason in looked_at:
            return general.causes(scheme, request, claim, keys, now, rejected)
        return unexplained(f"The request is refused whatever its signature: {rejected.detail}.")
    if scheme is not None:
        return general.causes(scheme, request, None, keys, now, rejected)
    return _unsigned(request, schemes, now)


def _meant(
    request: Request, schemes: tuple[Scheme, ...], keys: KeyRing, now: float
) -> tuple[Scheme | None, Claim | None]:
    """The scheme that the request is meant by: it claims the request, or would if that were in form."""
    plain, _ = mended(request)
    for scheme in schemes:
        try:
            claim = scheme.read(plain)
        except Rejected:
            return scheme, None
        if claim is not None:
            return scheme, claim
    for scheme in schemes:
        if isinstance(scheme, SchemeOfParts):
            is_meant = recipes.looks_like(scheme, request, keys, now)
        else:
            is_meant = drafted.looks_like(scheme, plain, now)
        if is_meant:
            return scheme, None
    return None, None


def _unsigned(request: Request, schemes: tuple[Scheme, ...], now: float) -> tuple[Cause, ...]:
    """What is missing of a request that shows no trace of a signature."""
    if request.values("authorization"):
        return unexplained("The Authorization header is not one of these schemes.")
    wanted = [
        _wanted(scheme.program.carriers)
        if isinstance(scheme, SchemeOfParts)
        else drafted.wanted(scheme, replace(request, headers=()), now)
        for scheme in schemes
    ]
    if not any(wanted):
        return unexplained("The request holds nothing that any scheme takes for a signature.")
    detail = f"The client sent no signature at all: the request lacks {' or '.join(filter(None, wanted))}."
    return (Cause("header-missing", detail),)


def _wanted(carriers: Carriers) -> str:
    """What says the key id and the signature."""
    said = ("key_id", "signature")
    headers = [header.name for header in carriers.headers if not set(said).isdisjoint(header.template.names)]
    fields = [name for name, template in carriers.fields if not set(said).isdisjoint(template.names)]
    wanted = [
        f"the {what}{'s' if len(names) > 1 else ''} {' and '.join(names)}"
        for what, names in (("header", headers), ("parameter", fields))
        if names
    ]
    return " and ".join(wanted)


def shows_trace(request: Request, schemes: Sequence[Scheme]) -> bool:
    """Whether anything in the request may be meant as a signature of one of the schemes, as far as its names say.

    It costs next to nothing, so a server asks it before it lets a request have the time of a search.
    """
    return any(
        recipes.shows_trace(scheme, request) if isinstance(scheme, SchemeOfParts) else _claims(scheme, request)
        for scheme in schemes
    )


def _claims(scheme: Scheme, request: Request) -> bool:
    try:
        return scheme.read(request) is not None
    except Rejected:
        return True
