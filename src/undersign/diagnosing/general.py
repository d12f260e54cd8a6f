"""Why a signature of any scheme does not match, by what every scheme has: a canonical form and a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..core.message import BodyDigest, BodyHasher, Component, Request
from ..errors import CannotSign, Rejected
from ..scheme import Claim, Scheme, window_of
from . import changes as common
from .bodies import bodies
from .cause import Cause, clock_cause, unexplained
from .changes import Change
from .keyring import KeyRing
from .search import Budget, find
from .targets import targets

_FURTHEST = 26 * 3600


def causes(
    scheme: Scheme, request: Request, claim: Claim, keys: KeyRing, now: float, budget: Budget
) -> tuple[Cause, ...]:
    """Why a request with this claim does not verify by this scheme."""
    clock: tuple[Cause, ...] = ()
    window = window_of(scheme)
    if claim.at is not None and window is not None and window.outside(claim.at, now):
        clock = (clock_cause(claim.at - now),)
    own = keys.secrets(claim.key_id, scheme.name)
    others = keys.others(claim.key_id, scheme.name)
    if claim.at is None and window is not None:
        found = _by_time(scheme, claim, own, others, now, budget)
    else:
        found = _by_parts(scheme, request, claim, own, others, budget)
    if found is None or not (found or clock):
        return unexplained()
    return clock + found


def _by_parts(
    scheme: Scheme,
    request: Request,
    claim: Claim,
    own: tuple[bytes, ...],
    others: list[tuple[str, bytes]],
    budget: Budget,
) -> tuple[Cause, ...] | None:
    covered = scheme.covers(request)
    right: dict[str, Any] = {
        "method": request.method.encode("latin-1", "replace"),
        "target": request.target.encode("latin-1", "replace"),
        "content-type": (request.values("content-type") or [""])[0].encode("latin-1", "replace"),
        "body": None,
        "string": b"",
        "join": b"\n",
        "end": b"",
    }
    right["string"] = _canonical(scheme, request, right, right) or b""
    message = list(_message_changes(scheme, request, covered, right))
    canonicals: dict[tuple[Any, ...], bytes | None] = {}

    def canonical(parts: Mapping[str, Any]) -> bytes | None:
        altered = tuple(parts[part] for part in ("method", "target", "content-type", "body"))
        if altered not in canonicals:
            canonicals[altered] = _canonical(scheme, request, right, parts)
        found = canonicals[altered]
        return None if found is None else found.replace(b"\n", parts["join"]) + parts["end"]

    # An unknown key has no secret that could be spoilt, but its signature may be by that of another.
    for place, secret in enumerate(own or (b"",)):
        base = {**right, "secret": secret}

        def fits(changed: Mapping[str, Any], base: Mapping[str, Any] = base) -> bool:
            parts = {**base, **changed}
            string = canonical(parts) if parts["secret"] else None
            return string is not None and scheme.signature(parts["secret"], string) in claim.signatures

        spoilt = [
            change
            for change in common.secrets(secret, others if place == 0 else ())
            if own or change.causes[0].code == "secret-other"
        ]
        found = find(common.without_repeats([*message, *spoilt], base), fits, budget, len(right["target"]))
        if found is not None:
            return found
    return None


def _message_changes(
    scheme: Scheme, request: Request, covered: frozenset[Component], right: Mapping[str, Any]
) -> Iterator[Change]:
    if Component.METHOD in covered:
        yield from common.methods(request.method)
    if Component.TARGET in covered:
        yield from targets(request, right["target"])
    if Component.CONTENT_TYPE in covered:
        yield from common.content_types(request, "application/json")
    if Component.BODY in covered:
        need = scheme.body_need(request)
        for change in bodies(request):
            # Hashed once here, and not in each canonical form that it comes into.
            yield change if need.raw else replace(change, value=_hashed(change.value, need.digests))
    yield from common.line_endings(right["string"])


def _hashed(body: bytes, algorithms: tuple[str, ...]) -> BodyDigest:
    hasher = BodyHasher(algorithms)
    hasher.update(body)
    return hasher.result()


def _canonical(scheme: Scheme, request: Request, right: Mapping[str, Any], parts: Mapping[str, Any]) -> bytes | None:
    headers = request.headers
    if parts["content-type"] != right["content-type"]:
        value = parts["content-type"].decode("latin-1")
        headers = tuple((name, value if name.lower() == "content-type" else held) for name, held in headers)
    body = request.body if parts["body"] is None else parts["body"]
    method, target = (parts[part].decode("latin-1") for part in ("method", "target"))
    altered = Request(method, target, headers, body, request.origin)
    try:
        read = scheme.read(altered)
        return read.string(body, 0) if read and read.string else None
    except (CannotSign, Rejected):
        return None


def _by_time(
    scheme: Scheme,
    claim: Claim,
    own: tuple[bytes, ...],
    others: list[tuple[str, bytes]],
    now: float,
    budget: Budget,
) -> tuple[Cause, ...] | None:
    """For schemes that do not send the time: other secrets within the window, and the right one far around it."""
    window = scheme.window.seconds(now)

    def second_of(secret: bytes, seconds: range) -> int | None:
        if not seconds or not budget.take(len(seconds)):
            return None
        for second, signature in zip(seconds, scheme.candidates(secret, claim, b"", seconds), strict=True):
            if signature in claim.signatures:
                return second
        return None

    for secret in own:
        for change in common.without_repeats(common.secrets(secret, others), {"secret": secret}):
            if len(change.causes) == 1 and second_of(change.value, window) is not None:
                return change.causes
    if not own:
        for key_id, secret in others:
            for change in common.secrets(b"", [(key_id, secret)]):
                if change.causes[0].code == "secret-other" and second_of(secret, window) is not None:
                    return change.causes
    for secret in own:
        for far in range(3600, _FURTHEST + 1, 3600):
            for seconds in (
                range(max(window.stop, int(now) + far - 3600), int(now) + far),
                range(int(now) - far, min(window.start, int(now) - far + 3600)),
            ):
                second = second_of(secret, seconds)
                if second is not None:
                    return (clock_cause(second - now),)
    return None
