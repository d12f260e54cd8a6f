"""Which bytes of one string stand for which part of another, that was made of the same request in some other way.

Parts that are whole at either end are paired off first, then the longest ones between them. What is left between two
pairs belongs to the parts that are left there; several of those stay together where nothing tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_ANCHOR = 4
"""A shorter value may stand anywhere by chance."""


class Pairing(NamedTuple):
    """Parts `first` to `last` (without) are the bytes `start` to `end` of the other string."""

    first: int
    last: int
    start: int
    end: int


def align(values: Sequence[bytes], other: bytes) -> list[Pairing]:
    """The pairs in order, which together are all parts and all of the other string; none where there are no parts."""
    found: list[Pairing] = []
    _align(values, other, Pairing(0, len(values), 0, len(other)), found)
    return _without_gaps(found)


def _align(values: Sequence[bytes], other: bytes, whole: Pairing, found: list[Pairing]) -> None:
    first, last, start, end = whole
    while first < last and other.startswith(values[first], start, end):
        found.append(Pairing(first, first + 1, start, start + len(values[first])))
        start += len(values[first])
        first += 1
    behind: list[Pairing] = []
    while first < last and values[last - 1] and other.endswith(values[last - 1], start, end):
        last -= 1
        behind.append(Pairing(last, last + 1, end - len(values[last]), end))
        end -= len(values[last])
    left = Pairing(first, last, start, end)
    if last - first > 1:
        _between(values, other, left, found)
    elif first < last or start < end:
        found.append(left)
    found.extend(reversed(behind))


def _between(values: Sequence[bytes], other: bytes, left: Pairing, found: list[Pairing]) -> None:
    first, last, start, end = left
    if (lines := _by_lines(values, other, left)) is not None:
        found.extend(lines)
        return
    cores = [(values[place].rstrip(b"\r\n"), place) for place in range(first, last)]
    for core, place in sorted(cores, key=lambda pair: -len(pair[0])):
        where = other.find(core, start, end) if len(core) >= _ANCHOR else -1
        if where < 0:
            continue
        stop = where + len(core)
        if other.startswith(values[place], where, end):
            stop = where + len(values[place])
        _align(values, other, Pairing(first, place, start, where), found)
        found.append(Pairing(place, place + 1, where, stop))
        _align(values, other, Pairing(place + 1, last, stop, end), found)
        return
    found.append(left)


def _by_lines(values: Sequence[bytes], other: bytes, left: Pairing) -> list[Pairing] | None:
    """A line for each part, where there are as many."""
    first, last, start, end = left
    text = other[start:end]
    ends = [value.endswith(b"\n") and value.count(b"\n") == 1 for value in values[first:last]]
    if not all(ends[:-1]) or text.count(b"\n") != sum(ends) or (ends[-1] and not text.endswith(b"\n")):
        return None
    found: list[Pairing] = []
    for place in range(first, last):
        stop = other.find(b"\n", start, end) + 1 if ends[place - first] else end
        found.append(Pairing(place, place + 1, start, stop))
        start = stop
    return found


def _without_gaps(found: list[Pairing]) -> list[Pairing]:
    """What belongs to no part goes to the one before it, or to the first."""
    whole: list[Pairing] = []
    first_gap = 0
    for pairing in found:
        if pairing.first < pairing.last:
            whole.append(pairing if whole else pairing._replace(start=pairing.start - first_gap))
        elif whole:
            whole[-1] = whole[-1]._replace(end=pairing.end)
        else:
            first_gap += pairing.end - pairing.start
    return whole
