"""A change: what a client signed in place of what is right, and the mistakes that lead to it.

The lists of such changes stand in one module for each kind of part, and serve every scheme that signs such a part:

    heads     method, content type, host, key id, headers by name, the parts of a list
    targets   path and query              bodies, json_bodies   the body, and its digest
    dates     the time                    spoilt                the secret
    wholes    joiner, end, order, MAC and encoding of the whole string
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.message import Request
from .cause import Cause, rank


@dataclass(frozen=True, slots=True)
class Change:
    """One part of what is signed with another value than the right one, and the mistakes that lead to it.

    `lone` says how likely it is beside another one: 0 beside any, 1 beside those of 0 alone, and 2, one of very many,
    beside none. `alter` makes another request as the change does, where it is one of the request: where two change
    the same piece, that is made of a request with both.
    """

    part: str
    value: Any
    causes: tuple[Cause, ...]
    lone: int = 0
    alter: Callable[[Request], Request] | None = field(default=None, compare=False)

    def __repr__(self) -> str:  # the value may be a secret
        return f"Change({self.part!r}, {[cause.code for cause in self.causes]!r})"

    @property
    def sets(self) -> Mapping[Any, Any]:
        """What it sets, by what is set: several pieces of a string to sign may come of one part of a request."""
        value: Any = self.value
        return value if isinstance(value, dict) else {self.part: value}


def without_repeats(changes: Iterable[Change], right: Mapping[Any, Any]) -> list[Change]:
    """The changes that change something, in the order of their names, one for each value."""
    found: dict[Any, Change] = {}
    for change in sorted(changes, key=lambda change: (len(change.causes), rank(change.causes[0]))):
        sets = [(part, value) for part, value in change.sets.items() if value != right.get(part)]
        if sets:
            found.setdefault(frozenset(sets), change)
    return list(found.values())
