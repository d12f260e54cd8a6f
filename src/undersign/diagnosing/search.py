"""The search for one or two changes that make the signature match; it counts what it computes, and ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

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


def find(
    changes: Sequence[Change], fits: Fits, budget: Budget, length: int = 0, keyed: Keyed | None = None
) -> tuple[Cause, ...] | None:
    """The causes of the first change, or pair of changes, that fits: none, one, two; None where nothing does.

    `length` is that of the canonical form in bytes: a long one costs more of the budget. `keyed` makes of a change of
    the message what tells quickly whether a secret fits that, where there is such a way.
    """
    cost = 1 + length // 1024
    if not budget.take(cost):
        return None
    if fits({}):
        return ()
    for change in changes:
        if not budget.take(cost):
            return None
        if fits(change.sets):
            return change.causes
    if keyed is not None:
        found = _with_secret(changes, keyed, budget, cost)
        if found is not None:
            return found
        changes = [change for change in changes if change.part != "secret"]
    for first, second in pairs(changes):
        if not budget.take(2 * cost):
            return None
        if fits({**first.sets, **second.sets}):
            return first.causes + second.causes
    return None


def _with_secret(changes: Sequence[Change], keyed: Keyed, budget: Budget, cost: int) -> tuple[Cause, ...] | None:
    """The pairs of a change of the secret with one of the message."""
    usual, rare = ranked(changes, 0), ranked(changes, 1)
    for messages, secrets in ((usual, usual), (usual, rare), (rare, usual)):
        keys = [change for change in secrets if change.part == "secret"]
        values = [change.value for change in keys]
        for change in messages:
            if change.part == "secret":
                continue
            if not budget.take(len(keys) * cost):
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


def pairs(changes: Sequence[Change], *, rare: bool = True) -> Iterator[tuple[Change, Change]]:
    """Two changes of different parts, the likelier ones first; `rare` says whether one of them may be a rare one."""
    single = ranked(changes, 0)
    for total in range(1, 2 * len(single)):
        for first in range(max(0, total - len(single) + 1), (total + 1) // 2):
            one, other = single[first], single[total - first]
            if one.part != other.part and one.sets.keys().isdisjoint(other.sets.keys()):
                yield one, other
    for other in ranked(changes, 1) if rare else ():
        for one in single:
            if one.part != other.part and one.sets.keys().isdisjoint(other.sets.keys()):
                yield one, other
