"""The search for one or two changes that make the signature match; it counts what it computes, and ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from .cause import Cause
from .changes import Change

Fits: TypeAlias = Callable[[Mapping[Any, Any]], bool]
"""Whether the signature that was sent is that of the request with these parts changed."""


Keyed: TypeAlias = Callable[[Mapping[Any, Any], Sequence[Any]], "int | None"]
"""Which of the secrets gives the signature that was sent of the request with these parts changed."""


class Budget:
    """How many canonical forms and signatures may still be computed for one diagnosis."""

    def __init__(self, computations: int) -> None:
        self.left = self.limit = computations

    @property
    def spent(self) -> int:
        return self.limit - self.left

    def take(self, computations: int = 1) -> bool:
        """Whether so many more may be computed; they count."""
        if self.left < computations:
            return False
        self.left -= computations
        return True


class Try(NamedTuple):
    """One secret, or another message, with what may have been changed of it."""

    changes: Sequence[Change]
    fits: Fits
    keyed: Keyed | None = None
    """What tells quickly which secret fits a change of the message, where there is such a way."""


def find(tries: Sequence[Try], budget: Budget, length: int = 0) -> tuple[Cause, ...] | None:
    """The causes of the first change, or pair of changes, that fits: none, one, two; None where nothing does.

    `length` is that of the canonical form in bytes: a long one costs more of the budget. What is likelier is looked for
    in all tries first.
    """
    cost = 1 + length // 1024
    for one in tries:
        if not budget.take(cost):
            return None
        if one.fits({}):
            return ()
    for one in tries:
        for change in one.changes:
            if not budget.take(cost):
                return None
            if one.fits(change.sets):
                return change.causes
    for place, one in enumerate(tries):
        share = Budget(budget.left // (len(tries) - place))
        budget.left -= share.left
        found = _find_two(one, share, cost)
        if found is not None:
            return found
        budget.left += share.left
    return None


def _find_two(one: Try, budget: Budget, cost: int) -> tuple[Cause, ...] | None:
    message = one.changes
    if one.keyed is not None:
        message = [change for change in one.changes if change.part != "secret"]
    for rare in (False, True):
        if one.keyed is not None:
            found = _with_secret(one.changes, one.keyed, budget, cost, rare=rare)
            if found is not None:
                return found
        for first, second, sets in pairs(message, rare=rare):
            if not budget.take(2 * cost):
                break
            if one.fits(sets):
                return first.causes + second.causes
    return None


def _with_secret(
    changes: Sequence[Change], keyed: Keyed, budget: Budget, cost: int, *, rare: bool
) -> tuple[Cause, ...] | None:
    """The pairs of a change of the secret with one of the message; `rare` says whether both are rare."""
    usual, others = ranked(changes, 0), ranked(changes, 1)
    for messages, secrets in ((others, others),) if rare else ((usual, usual), (usual, others), (others, usual)):
        keys = [change for change in secrets if change.part == "secret"]
        values = [change.value for change in keys]
        for change in messages:
            if change.part == "secret":
                continue
            if not budget.take((1 + len(keys) // 2) * cost):
                return None
            place = keyed(change.sets, values)
            if place is not None:
                return change.causes + keys[place].causes
    return None


def ranked(changes: Sequence[Change], lone: int) -> list[Change]:
    """The single changes of that rarity, the likelier ones first: of each name the first is the likeliest."""
    place: dict[str, int] = defaultdict(int)
    found: list[tuple[int, Change]] = []
    for change in changes:
        if len(change.causes) == 1 and change.lone == lone:
            code = change.causes[0].code
            found.append((place[code], change))
            place[code] += 1
    return [change for _, change in sorted(found, key=lambda pair: pair[0])]


def pairs(changes: Sequence[Change], *, rare: bool) -> Iterator[tuple[Change, Change, dict[Any, Any]]]:
    """Two changes of different parts and what both set, the likelier ones first; `rare` asks for those of which one is
    a rare one, which come after the others."""
    single = [(change, dict(change.sets)) for change in ranked(changes, 0)]
    for total in () if rare else range(1, 2 * len(single)):
        for place in range(max(0, total - len(single) + 1), (total + 1) // 2):
            (first, one), (second, other) = single[place], single[total - place]
            if first.part != second.part and one.keys().isdisjoint(other):
                yield first, second, one | other
    for second in ranked(changes, 1) if rare else ():
        other = dict(second.sets)
        for first, one in single:
            if first.part != second.part and one.keys().isdisjoint(other):
                yield first, second, one | other
