"""The search for one or two changes that make the signature match; it counts what it computes, and ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from .cause import Cause
from .changes import Change

Sets: TypeAlias = Mapping[Any, Any]

Fits: TypeAlias = Callable[[Sets], bool]
"""Whether the signature that was sent is that of the request with these parts changed."""

Which: TypeAlias = Callable[[Sets, Sequence[Sets]], "int | None"]
"""Which of several further changes fits, beside these parts changed; its place. It is quicker than asking for each."""

Both: TypeAlias = Callable[[Change, Change], "Sets | None"]
"""What two changes set that alter the same part together, None where they cannot."""


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
    which: Which
    both: Both = lambda first, second: None
    length: int = 0
    """That of the canonical form in bytes: a long one costs more of the budget."""

    @property
    def cost(self) -> int:
        return 1 + self.length // 1024


def find_one(tries: Sequence[Try], budget: Budget) -> tuple[Cause, ...] | None:
    """The causes of the first change that fits: none where nothing has to be changed, None where nothing fits.

    A change may have two causes, where two mistakes are made in one part.
    """
    for one in tries:
        if not budget.take(one.cost):
            return None
        if one.fits({}):
            return ()
    for one in tries:
        for change in one.changes:
            if not budget.take(one.cost):
                return None
            if one.fits(change.sets):
                return change.causes
    return None


def find_two(tries: Sequence[Try], budget: Budget) -> tuple[Cause, ...] | None:
    """The causes of the first pair of changes that fits, the likelier pairs first; None where none does."""
    for place, one in enumerate(tries):
        share = Budget(budget.left // (len(tries) - place))
        budget.left -= share.left
        found = _Pairs(one, share).find()
        if found is not None:
            return found
        budget.left += share.left
    return None


class _Group:
    """Changes of one part that set the same pieces."""

    def __init__(self, part: str, keys: frozenset[Any]) -> None:
        self.part, self.keys = part, keys
        self.cost = _cost(keys)
        self.changes: list[Change] = []
        self.sets: list[Sets] = []

    def add(self, change: Change) -> None:
        self.changes.append(change)
        self.sets.append(change.sets)


class _Pairs:
    """The search for two changes of one message."""

    def __init__(self, one: Try, budget: Budget) -> None:
        self.one, self.budget, self.cost = one, budget, one.cost
        self.usual, self.rare = ranked(one.changes, 0), ranked(one.changes, 1)

    def find(self) -> tuple[Cause, ...] | None:
        usual, rare = (_message(changes) for changes in (self.usual, self.rare))
        usual_keys, rare_keys = (_groups(changes, secret=True) for changes in (self.usual, self.rare))
        return (
            self._beside(usual, usual_keys)
            or self._by_likelihood()
            or self._beside(usual, rare_keys)
            or self._beside(rare, usual_keys)
            or self._beside(usual, _groups(self.rare))
            or self._beside(rare, rare_keys)
            or self._of_rare()
        )

    def _by_likelihood(self) -> tuple[Cause, ...] | None:
        for first, second, sets in pairs(_message(self.usual), rare=False, both=self.one.both):
            if not self.budget.take(2 * self.cost):
                return None
            if self.one.fits(sets):
                return first.causes + second.causes
        return None

    def _beside(self, firsts: Sequence[Change], groups: Sequence[_Group]) -> tuple[Cause, ...] | None:
        """The pairs of one of the changes with one of the groups."""
        for first in firsts:
            for group in groups:
                found = self._one_beside(first, group)
                if found is not None:
                    return found
        return None

    def _of_rare(self) -> tuple[Cause, ...] | None:
        groups = _groups(self.rare)
        place_of = {id(change): place for place, group in enumerate(groups) for change in group.changes}
        for first in _message(self.rare):
            for group in groups[place_of[id(first)] + 1 :]:
                found = self._one_beside(first, group)
                if found is not None:
                    return found
        return None

    def _one_beside(self, first: Change, group: _Group) -> tuple[Cause, ...] | None:
        if first.part == group.part:
            return None
        sets = first.sets
        if group.keys.isdisjoint(sets):
            if not self.budget.take(len(group.sets) * self.cost * max(group.cost, _cost(sets))):
                return None
            place = self.one.which(sets, group.sets)
            return None if place is None else first.causes + group.changes[place].causes
        if first.alter is None:
            return None
        for second in group.changes:
            if second.alter is None or not self.budget.take(_COST_OF_BOTH * self.cost):
                return None
            both = self.one.both(first, second)
            if both is not None and self.one.fits(both):
                return first.causes + second.causes
        return None


_COST_OF_BOTH = 8  # a part that is made anew takes so much longer


def _cost(keys: Collection[Any]) -> int:
    """What is quick to compute: other pieces, or another secret, in the same string."""
    return 1 if list(keys) == ["secret"] or all(type(key) is int for key in keys) else 2


def _message(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.part != "secret"]


def _groups(changes: Sequence[Change], *, secret: bool = False) -> list[_Group]:
    found: dict[Any, _Group] = {}
    for change in changes:
        if (change.part == "secret") is secret:
            keys = frozenset(change.sets)
            known = change.part, keys, change.alter is None
            found.setdefault(known, _Group(change.part, keys)).add(change)
    return list(found.values())


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


def pairs(
    changes: Sequence[Change], *, rare: bool, both: Both = lambda first, second: None
) -> Iterator[tuple[Change, Change, Sets]]:
    """Two changes of different parts and what both set, the likelier ones first; `rare` asks for those of which one is
    a rare one, which come after the others. `both` makes what two set that alter the same piece."""
    single = [(change, dict(change.sets)) for change in ranked(changes, 0)]
    for total in () if rare else range(1, 2 * len(single)):
        for place in range(max(0, total - len(single) + 1), (total + 1) // 2):
            (first, one), (second, other) = single[place], single[total - place]
            if first.part == second.part:
                continue
            if one.keys().isdisjoint(other):
                yield first, second, one | other
            elif first.alter is not None and second.alter is not None:
                together = both(first, second)
                if together is not None:
                    yield first, second, together
    for second in ranked(changes, 1) if rare else ():
        other = dict(second.sets)
        for first, one in single:
            if first.part != second.part and one.keys().isdisjoint(other):
                yield first, second, one | other
