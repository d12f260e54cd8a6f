"""The search for one or two changes that make the signature match; it counts what it computes, and ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from .cause import Cause
from .changes import Change

Fits: TypeAlias = Callable[[Mapping[Any, Any]], bool]
"""Whether the signature that was sent is that of the request with these parts changed."""


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


def find(changes: Sequence[Change], fits: Fits, budget: Budget, length: int = 0) -> tuple[Cause, ...] | None:
    """The causes of the first change, or pair of changes, that fits: none, one, two; None where nothing does.

    `length` is that of the canonical form in bytes: a long one costs more of the budget.
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
    for first, second in pairs(changes):
        if not budget.take(cost):
            return None
        if fits({**first.sets, **second.sets}):
            return first.causes + second.causes
    return None


def pairs(changes: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Two changes of different parts, the likelier ones first: of each name the first is the likeliest."""
    place: dict[str, int] = defaultdict(int)
    ranked: list[tuple[int, Change]] = []
    for change in changes:
        if len(change.causes) == 1 and not change.lone:
            code = change.causes[0].code
            ranked.append((place[code], change))
            place[code] += 1
    single = [change for _, change in sorted(ranked, key=lambda pair: pair[0])]
    for total in range(1, 2 * len(single)):
        for first in range(max(0, total - len(single) + 1), (total + 1) // 2):
            one, other = single[first], single[total - first]
            if one.part != other.part and one.sets.keys().isdisjoint(other.sets.keys()):
                yield one, other
