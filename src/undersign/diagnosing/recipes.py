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
from functools import cached_property
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
from .search import Budget, Try, find_one, find_two
from .seconds import find_second

_COMPUTATIONS = 220_000
_SECONDS = 660_000  # of a time that is not sent: each takes less than a microsecond
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
        for found, reading in self._found(sent.readings):
            if not reading.sent_key and facts:  # whose key it is, nobody has said
                found = tuple(cause for cause in found if cause.code != "secret-other")
            if found or facts or self.mending or clock or reading.causes:
                return facts + self.mending + clock + reading.causes + found
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

    def _found(self, readings: Sequence[Reading]) -> Iterator[tuple[tuple[Cause, ...], Reading]]:
        """What gives the digest, and of which reading: what is likelier is looked for in all of them first."""
        bases = list(self._bases())
        searches = [
            _Search(self, request, reading, guessed=guessed) for request, guessed in bases for reading in readings
        ]
        searches = [search for search in searches if not search.pieces.problem]
        likely = [search for search in searches if not search.reading.is_doubtful]
        doubtful = [search for search in searches if search.reading.is_doubtful]
        looks = [(_Search.as_it_is, searches)] if len(searches) > 1 else []
        if self.searches_time:
            looks += [(_Search.of_a_second, likely)]
        else:
            looks += [(_Search.of_one, likely), (_Search.of_one, doubtful), (_Search.of_two, likely)]
        for look, looked_at in looks:
            for place, search in enumerate(looked_at):
                share = Budget(self.budget.left // (len(looked_at) - place))
                self.budget.left -= share.left
                found = look(search, share)
                self.budget.left += share.left
                if found is not None:
                    yield found, search.reading


class _Search:
    """The search for the mistakes of one reading of a request."""

    def __init__(self, diagnosis: _Diagnosis, request: Request, reading: Reading, *, guessed: bool) -> None:
        self.diagnosis, self.reading, self.guessed = diagnosis, reading, guessed
        scheme, keys = diagnosis.scheme, diagnosis.keys
        self.pieces = Pieces(scheme, request, reading, diagnosis.searches_time)
        is_it = None if reading.rest is None else reading.rest.fits
        self.formula = Formula(reading.digest, reading.algorithm, self.pieces.right, is_it)
        self.own = keys.secrets(reading.key_id, scheme.name)
        self.others = keys.others(reading.key_id, scheme.name)
        form = scheme.program.secret_form
        self.key = None if form.form == "text" else form.key

    def as_it_is(self, budget: Budget) -> tuple[Cause, ...] | None:
        diagnosis, rights = self.diagnosis, map(self._right, self.own)
        if diagnosis.searches_time:
            window = diagnosis.scheme.window.seconds(diagnosis.now)
            fits = any(self.formula.second(right, window, budget) is not None for right in rights)
        else:
            fits = any(self.formula.fits(right) for right in rights if budget.take())
        return self.pieces.problems if fits else None

    def of_one(self, budget: Budget) -> tuple[Cause, ...] | None:
        return self._with_problems(find_one(self._tries, budget))

    def of_two(self, budget: Budget) -> tuple[Cause, ...] | None:
        return self._with_problems(find_two(self._tries, budget))

    def of_a_second(self, budget: Budget) -> tuple[Cause, ...] | None:
        now = self.diagnosis.now
        window = self.diagnosis.scheme.window.seconds(now)
        return find_second(self.formula, self._changed, math.floor(now), now, window, budget)

    def _with_problems(self, found: tuple[Cause, ...] | None) -> tuple[Cause, ...] | None:
        return None if found is None else self.pieces.problems + found

    def _right(self, secret: bytes | None) -> dict[Any, Any]:
        key = self.key
        return {**self.pieces.right, "secret": secret if secret is None or key is None else key(secret)}

    @cached_property
    def _changed(self) -> list[tuple[dict[Any, Any], list[Change]]]:
        """For each secret what is right with it, and what may have been changed."""
        changes = self.pieces.changes()
        message = [change for change in changes if not (self.guessed and change.part == "content-type")]
        key_id = self.reading.key_id.encode("utf-8", "surrogatepass")
        found: list[tuple[dict[Any, Any], list[Change]]] = []
        # An unknown key has no secret that could be spoilt, but its signature may be by that of another.
        for place, secret in enumerate(self.own or (None,)):
            others = self.others if place == 0 else ()
            changed = spoilt.secrets(secret or b"", others, key_id=key_id, key=self.key)
            spoilings = [change for change in changed if secret is not None or change.causes[0].code == "secret-other"]
            right = self._right(secret)
            found.append((right, without_repeats([*message, *spoilings], right)))
        return found

    @cached_property
    def _tries(self) -> list[Try]:
        length = len(self.formula.string({**self.pieces.right, "secret": b""}))
        return [self._try(*one, length) for one in self._changed]

    def _try(self, right: dict[Any, Any], changes: list[Change], length: int) -> Try:
        formula = self.formula

        def fits(changed: Mapping[Any, Any]) -> bool:
            return formula.fits({**right, **changed})

        def which(changed: Mapping[Any, Any], several: Sequence[Mapping[Any, Any]]) -> int | None:
            return formula.which({**right, **changed}, several)

        return Try(changes, fits, which, self.pieces.both, length)
