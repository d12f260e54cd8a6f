"""What a string to sign does not bind, since its parts can trade bytes: `/ab` and `c` read like `/a` and `bc`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..core.message import Component
from .message import Part


def traded(parts: Sequence[Part], joiner: str) -> frozenset[Component]:
    """What the parts, joined, do not bind.

    Parts of any text trade where nothing stands between them that neither can hold: that is a line feed, a literal's or
    the joiner's, or where the joiner begins with a character that the part never holds. Bodies and several lines of
    headers hold line feeds as well. Parts that may be left out trade where there are two. The key id and a time do not:
    each travels in a carrier of its own, in a form of its own.
    """
    trading = [part for run in _runs(parts, joiner) if len(run) > 1 for part in run]
    of_lines = [part for part in parts if part.holds_lines]
    absent = [part for part in parts if part.may_be_absent]
    for together in (of_lines, absent):
        if len(together) > 1:
            trading += together
    lost = {component for part in trading for component in part.binds}
    if any(part.name in ("path", "query") for part in trading):
        lost.add(Component.TARGET)
    return frozenset(lost)


def _runs(parts: Sequence[Part], joiner: str) -> Iterator[list[Part]]:
    """The parts of any text that no line feed keeps apart."""
    run: list[Part] = []
    for part in parts:
        if "\n" in joiner or (part.constant is not None and "\n" in part.constant and not part.may_be_absent):
            yield run
            run = []
        if part.is_open and (not part.excludes or part.excludes != joiner[:1]):
            run.append(part)
    yield run
