"""Clock correction: where a server refuses because our clock is off, its own Date says by how much."""

from __future__ import annotations

import logging
import threading

from ..clock import Window, parse_date

_REFUSALS = frozenset({400, 401, 403})
_LONGEST = 86_400  # a day: beyond it something else is wrong, and a forged Date could date signatures far ahead

_log = logging.getLogger("undersign")


class ClockCorrection:
    """The offsets, in seconds, of servers' clocks from ours, by origin. Safe to share between threads."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._offsets: dict[str, float] = {}
        self._lock = threading.Lock()

    def offset(self, origin: str) -> float:
        """What to add to our clock for that origin."""
        return self._offsets.get(origin, 0.0)

    def learn(self, origin: str, status: int, date: str | None, now: float) -> bool:
        """Take in an answer; True where it calls for signing once more with the offset that it has taught.

        It does where a refusal over https carries a Date that lies outside the scheme's window around the clock that
        was used, and within a day of ours. `now` is our clock in Unix seconds. Over plain http anyone could send a
        Date that makes us sign for a time of their choice.
        """
        if status not in _REFUSALS or not origin.startswith("https://"):
            return False
        at = parse_date(date or "")
        if at is None or self._window.outside(now + self.offset(origin), at) is None:
            return False
        if abs(at - now) > _LONGEST:
            _log.warning("the clock of %s differs from ours by more than a day; it is not followed", origin)
            return False
        with self._lock:
            self._offsets[origin] = at - now
        _log.warning("the clock of %s differs from ours by %+.0f s; signing again with its time", origin, at - now)
        return True
