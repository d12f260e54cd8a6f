"""Why a signature of a recipe does not match: its parts, one by one, with what clients put there.

    request ──reading──> digest, key id, time     what was sent, however it was written
    recipe  ──pieces───> POST, d41d8cd9…, /a      what is right, part by part
    pieces  ──changes──> post / b64 of d41d… / …  what clients do to a part of that kind, from the lists
                            │ one, then two of them, by likelihood: is the digest that of these pieces?
                            └─> the names of those that give it

Every scheme of parts has all of it. A change of the request, such as another target, is a change of each piece that is
made of it, so a query that is sorted or a digest of digests needs nothing of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.message import Component, Request, origin_form, problem_when_verifying
from ..errors import CannotSign, Reason, Rejected
from ..parts.message import Part
from ..parts.scheme import SchemeOfParts
from ..scheme import window_of
from . import heads, spoilt
from .cause import Cause, clock_cause, unexplained
from .changes import Change, without_repeats
from .formula import Formula
from .keyring import KeyRing
from .pieces import NO_VALUES, Pieces, text_of
from .places import may_carry
from .reading import Reading, Received, received
from .search import Budget, Try, find
from .seconds import find_second
from .wholes import OF_NOTHING

_COMPUTATIONS = 260_000
_SECONDS = 760_000  # of a time that is not sent: each takes less than a microsecond
_FINAL = (Reason.INSECURE, Reason.UNSUPPORTED_VERSION, Reason.BODY_TOO_LARGE)


def looks_like(scheme: SchemeOfParts, request: Request, keys: KeyRing, now: float) -> bool:
    """Whether the request has credentials that this scheme's may be meant by."""
    return received(scheme, request, keys, now).is_claimed


def shows_trace(scheme: SchemeOfParts, request: Request) -> bool:
    """Whether a name in the request may be that of what carries the signature."""
    return may_carry(scheme, request)


def causes(scheme: SchemeOfParts, request: Request, keys: KeyRing, now: float, rejected: Rejected) -> tuple[Cause, ...]:
    """Why the request does not verify by this scheme."""
    return _Diagnosis(scheme, request, keys, now, rejected).causes()


class _Diagnosis:
    """One request that does not verify, and what its search has at hand."""

    def __init__(self, scheme: SchemeOfParts, request: Request, keys: KeyRing, now: float, rejected: Rejected) -> None:
        self.scheme, self.program, self.keys, self.now = scheme, scheme.program, keys, now
        self.rejected = rejected
        self.request, self.mending = heads.mended(request)
        self.searches_time = not self.program.time_is_sent and any(
            Component.DATE in part.binds and part.late is not None for part in self.program.parts
        )
        self.budget = Budget(_SECONDS if self.searches_time else _COMPUTATIONS)

    def causes(self) -> tuple[Cause, ...]:
        sent = received(self.scheme, self.request, self.keys, self.now)
        facts = sent.facts + tuple(self._facts_of_signed(sent))
        if any(cause.code == "header-repeated" for cause in facts):
            return tuple(cause for cause in facts if cause.code == "header-repeated")
        if not sent.readings:
            detail = sent.problem or f"The request is refused whatever its signature: {self.rejected.detail}."
            return facts or unexplained(detail)
        if problem := self._refused_otherwise():
            return facts or unexplained(problem)
        clock = self._clock(sent.readings[0])
        bases = list(self._bases())
        tries = [(request, guessed, reading) for request, guessed in bases for reading in sent.readings]
        for as_it_is in (True, False) if len(tries) > 1 or sent.readings[0].ahead else (False,):
            for request, guessed, reading in tries:
                if reading.is_doubtful and not as_it_is:
                    continue
                found = self._search(request, reading, guessed=guessed, as_it_is=as_it_is)
                if found is not None and not reading.sent_key and facts:  # whose key it is, nobody has said
                    found = tuple(cause for cause in found if cause.code != "secret-other")
                if found is not None and (found or facts or self.mending or clock or reading.causes):
                    return facts + self.mending + clock + reading.causes + found
                if found is not None:
                    return unexplained(f"The request is refused whatever its signature: {self.rejected.detail}.")
        return self._nothing_found(sent, facts, clock)

    def _nothing_found(self, sent: Received, facts: tuple[Cause, ...], clock: tuple[Cause, ...]) -> tuple[Cause, ...]:
        unknown = tuple(cause for reading in sent.readings for cause in reading.causes if cause.code == "key-unknown")
        if facts or unknown:
            return facts + unknown[:1]
        reading = sent.readings[0]
        detail = ""
        if clock and reading.at is not None:
            side = "ahead of" if reading.at > self.now else "behind"
            name = self.program.carriers.carrier_of("time").partition(",")[0]
            detail = (
                "No known mistake gives the signature that was sent. "
                f"The {name.removeprefix('header ')} header is also {abs(reading.at - self.now):.0f} seconds {side} "
                "the clock."
            )
        elif not self.keys.secrets(reading.key_id, self.scheme.name):
            detail = (
                f"The key id {reading.key_id!r} is nobody's here, and the signature is by no other key: see whether "
                "the server has the key, for this scheme too."
            )
        return unexplained(detail)

    # What is certain without a signature

    def _facts_of_signed(self, sent: Received) -> Iterator[Cause]:
        """Signed headers that are missing or repeated."""
        of_carriers = self.program.carriers.header_names
        for part in self.program.parts:
            for name in part.headers:
                if name in of_carriers:
                    continue
                values = self.request.values(name)
                shown = part.source.removeprefix("header ").partition(",")[0] if len(part.headers) == 1 else name
                shown = shown if shown.lower() == name else name.title()
                if len(values) > 1:
                    yield Cause(
                        "header-repeated", f"The client sent the header {shown} {len(values)} times: send it once."
                    )
                elif not values and self._is_needed(part):
                    yield Cause(
                        "header-missing", f"The client sent no header {shown}: send it, and sign it as it is sent."
                    )

    def _is_needed(self, part: Part) -> bool:
        try:
            text_of(part, self.request, NO_VALUES)
        except CannotSign:
            return len(part.headers) == 1
        return False

    def _refused_otherwise(self) -> str:
        problem = problem_when_verifying(replace(self.request, target=origin_form(self.request.target)))
        if problem:
            return f"The request is not in form: {problem}."
        if self.rejected.reason in _FINAL:
            return f"The request is refused whatever its signature: {self.rejected.detail}."
        methods = self.scheme.methods
        if methods and self.request.method not in methods:
            return f"The request is refused whatever its signature: the method is none of {', '.join(methods)}."
        return ""

    def _clock(self, reading: Reading) -> tuple[Cause, ...]:
        window = window_of(self.scheme)
        if reading.at is None or window is None or not window.outside(reading.at, self.now):
            return ()
        return (clock_cause(reading.at - self.now),)

    def _bases(self) -> Iterator[tuple[Request, bool]]:
        """The request, or those that it may have been with a Content-Type, where that is signed and was not sent."""
        request = self.request
        is_signed = any("content-type" in part.headers and self._is_needed(part) for part in self.program.parts)
        if not is_signed or request.values("content-type"):
            yield request, False
            return
        default = getattr(self.scheme, "content_type", None) or "application/json"
        for value in dict.fromkeys((default, "application/json", "", *request.values("accept"))):
            yield replace(request, headers=(*request.headers, ("Content-Type", value))), True

    # The search

    def _search(self, request: Request, reading: Reading, *, guessed: bool, as_it_is: bool) -> tuple[Cause, ...] | None:
        """The causes of the digest of a reading; `as_it_is` looks at the right string alone."""
        pieces = Pieces(self.scheme, request, reading, self.searches_time)
        if pieces.problem:
            return None
        rest = reading.rest
        formula = Formula(reading.digest, reading.algorithm, pieces.right, None if rest is None else rest.fits)
        own = self.keys.secrets(reading.key_id, self.scheme.name)
        others = self.keys.others(reading.key_id, self.scheme.name)
        form = self.program.secret_form
        key = None if form.form == "text" else form.key
        if as_it_is:
            rights = [{**pieces.right, "secret": secret if key is None else key(secret)} for secret in own]
            if any(self._fits(formula, right) for right in rights):
                return pieces.problems
            for mac in ("of nothing", "hash of nothing") if reading.ahead else ():
                if any(formula.fits({**right, "mac": mac}) for right in rights):
                    return (Cause("algorithm", OF_NOTHING),)
            return None
        message = [change for change in pieces.changes() if not (guessed and change.part == "content-type")]
        tries: list[tuple[dict[Any, Any], list[Change]]] = []
        # An unknown key has no secret that could be spoilt, but its signature may be by that of another.
        for place, secret in enumerate(own or (None,)):
            right = {**pieces.right, "secret": secret if secret is None or key is None else key(secret)}
            key_id = reading.key_id.encode("utf-8", "surrogatepass")
            changed = spoilt.secrets(secret or b"", others if place == 0 else (), key_id=key_id, key=key)
            spoilings = [change for change in changed if secret is not None or change.causes[0].code == "secret-other"]
            tries.append((right, without_repeats([*message, *spoilings], right)))
        if self.searches_time:
            window = self.scheme.window.seconds(self.now)
            return find_second(formula, tries, math.floor(self.now), self.now, window, self.budget)
        length = len(formula.string({**pieces.right, "secret": b""}))
        found = find([self._try(formula, *one) for one in tries], self.budget, length)
        return None if found is None else pieces.problems + found

    def _fits(self, formula: Formula, right: dict[Any, Any]) -> bool:
        if not self.searches_time:
            return formula.fits(right)
        window = self.scheme.window.seconds(self.now)
        return formula.second(right, window, self.budget) is not None

    def _try(self, formula: Formula, right: dict[Any, Any], changes: list[Change]) -> Try:
        def fits(changed: Mapping[Any, Any]) -> bool:
            return formula.fits({**right, **changed})

        def keyed(changed: Mapping[Any, Any], secrets: Sequence[bytes]) -> int | None:
            return formula.secret_of({**right, **changed}, secrets)

        return Try(changes, fits, keyed)
