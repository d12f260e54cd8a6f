"""The search where the time is signed and not sent: changes in the window, and other clocks far around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .cause import Cause, clock_cause, difference
from .changes import Change, without_repeats
from .dates import USUAL_SECONDS, second_writings
from .formula import WHOLE, Formula
from .search import Budget, pairs, ranked

# How far from the clock is searched, in seconds: the fewer mistakes the further, since every one multiplies the rest.
_FURTHEST = 26 * 3600 + 120
_MOST_WITH_ONE = 600
_LONE = 60
_MOST_DAYS, _DAY = 10, 600  # whole days further off, and how far around each
_BEHIND_WITH_ONE, _AHEAD_WITH_ONE = 3700, 2200  # an old signature is behind, and is likelier than a clock ahead
_MOST_LIKELY = 32
_OF_ZONE, _OF_ZONE_WITH_RARE = 6, 3
_WITH_TWO = 15
_WITH_RARE = 2
_MILLISECONDS = 20
_FRACTIONS = 5
_ZONES = (*range(-12, 15), -9.5, -3.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75)

SOME_SECOND = 1_730_974_875  # where two forms of it first differ is the same for all of these decades

Try = tuple[dict[Any, Any], list[Change]]
"""What is right with one secret, and the changes of it."""


def find_second(
    formula: Formula, tries: Sequence[Try], second: int, now: float, window: range, budget: Budget
) -> tuple[Cause, ...] | None:
    """The causes of the digest: none, one or two; None where nothing gives it."""
    times = without_repeats(_times(), {})
    tries = [(right, [*changes, *times]) for right, changes in tries]
    for right, _ in tries:
        if formula.second(right, window, budget) is not None:
            return ()
    near, close, lone = (_within(window, second, reach) for reach in (_MOST_WITH_ONE, _WITH_TWO, _LONE))
    for usual in (True, False):
        for right, changes in tries:
            for change in changes:
                if (not change.lone and len(change.causes) == 1) is usual:
                    seconds = near if usual else lone
                    if _find(formula, right, (change,), seconds, second, budget) is not None:
                        return change.causes
    for right, _ in tries:
        for seconds in _around(second, window, _FURTHEST):
            if (at := formula.second(right, seconds, budget)) is not None:
                return (clock_cause(at - now),)
    for right, _ in tries:
        for days in range(2, _MOST_DAYS + 1):
            for around in (second - days * 86400, second + days * 86400):
                if (at := formula.second(right, range(around - _DAY, around + _DAY), budget)) is not None:
                    return (clock_cause(at - now),)
    for right, changes in tries:
        found = _beside_clock(formula, right, changes, second, window, budget)
        if found is not None:
            change, at = found
            return (*change.causes, clock_cause(at - now))
    for right, changes in tries:
        for first, other, _ in pairs(changes, rare=False):
            if _find(formula, right, (first, other), close, second, budget) is not None:
                return first.causes + other.causes
    for right, changes in tries:
        for first, other, _ in pairs(changes, rare=True):
            if _find(formula, right, (first, other), _within(window, second, _WITH_RARE), second, budget) is not None:
                return first.causes + other.causes
    return None


def _beside_clock(
    formula: Formula,
    right: Mapping[Any, Any],
    changes: Sequence[Change],
    second: int,
    window: range,
    budget: Budget,
) -> tuple[Change, int] | None:
    """Any change beside a clock that is right but for its zone, and a likely one beside a clock that is off by up to an
    hour; with the second of it."""
    usual, rare = (_likely(ranked(changes, lone)) for lone in (0, 1))
    zones, close = (_zones(second, window, reach) for reach in (_OF_ZONE, _OF_ZONE_WITH_RARE))
    hour = [
        range(second - _BEHIND_WITH_ONE, min(window.start, second)),
        range(max(window.stop, second), second + _AHEAD_WITH_ONE),
    ]
    for several, where in ((usual, zones), (usual[:_MOST_LIKELY], hour), (rare, close)):
        for change in several:
            changed = {**right, **change.sets}
            for seconds in where:
                if (at := formula.second(changed, seconds, budget)) is not None:
                    return change, at
    return None


def _zones(second: int, window: range, reach: int) -> list[range]:
    """Around the same second in other zones, the near zones first, where that is outside the window."""
    offsets = [int(hours * 3600) for hours in sorted(_ZONES, key=abs) if hours]
    zones = [range(second + offset - reach, second + offset + reach + 1) for offset in offsets]
    return [zone for zone in zones if zone[0] not in window and zone[-1] not in window]


def _within(window: range, second: int, reach: int) -> range:
    return range(max(window.start, second - reach), min(window.stop, second + reach + 1))


def _find(
    formula: Formula,
    right: Mapping[Any, Any],
    changes: tuple[Change, ...],
    seconds: range,
    now: int,
    budget: Budget,
) -> int | None:
    """The second whose digest this is, among those that are not too far for what is slow to compute."""
    parts = dict(right)
    for change in changes:
        parts |= change.sets
    name = parts["time"][0]
    if name == "milliseconds":
        reach = _MILLISECONDS if len(changes) == 1 else 0
        near = _within(seconds, now, reach)
        found = formula.second({**parts, "time": WHOLE}, range(near.start * 1000, near.stop * 1000), budget)
        return None if found is None else found // 1000
    if name == "fractions":
        seconds = _within(seconds, now, _FRACTIONS)
    return formula.second(parts, seconds, budget)


def _times() -> Iterator[Change]:
    detail = (
        "The client hashed the time in milliseconds: hash whole seconds (time byte 10 is past the end as it should be "
        "and a digit as signed)."
    )
    cause = Cause("timestamp-milliseconds", detail)
    yield Change("time", ("whole milliseconds", lambda second: (b"%d000" % second,)), (cause,))
    yield Change("time", ("milliseconds", WHOLE[1]), (cause,), lone=True)
    for name, write in second_writings():
        [right], written = WHOLE[1](SOME_SECOND), write(SOME_SECOND)[0]
        detail = (
            f"The client hashed the time in another form ({name}): hash whole Unix seconds in decimal digits "
            f"({difference(right, written, 'time', 'as it should be')})."
        )
        cause = Cause("timestamp-format", detail)
        yield Change("time", (name, write), (cause,), lone=name not in USUAL_SECONDS)


def _likely(changes: Sequence[Change]) -> list[Change]:
    """The changes worth the search of other hours: no time that is slow to write, and no MAC that is slow to make."""
    return [
        change
        for change in changes
        if (change.part != "time" or change.value[0] in ("whole milliseconds", "ISO 8601"))
        and (change.part != "mac" or change.sets.get("mac", "hmac") == "hmac")
    ]


def _around(second: int, window: range, furthest: int) -> Iterator[range]:
    """The seconds outside the window, hour by hour, the near ones first."""
    for far in range(0, furthest, 3600):
        ahead = max(window.stop, second + far)
        behind = min(window.start, second - far)
        yield range(ahead, min(second + far + 3600, second + furthest) + 1)
        yield range(max(second - far - 3600, second - furthest), behind)
