"""Clock correction: where a server refuses because our clock is off, its own Date says by how much."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable

from ..core.dates import Window, parse_date

_REFUSALS = frozenset({400, 401, 403})
_LONGEST = 86_400  # a day: beyond it something else is wrong, and a forged Date could date signatures far ahead

# What is no part of RFC 9111 or 9211: `X-Cache: HIT from a.example`, `TCP_MEM_HIT`, `RefreshHit from cloudfront`,
# `CF-Cache-Status: STALE`, `X-Proxy-Cache: UPDATING`. A host called white.example is no hit.
_HIT = re.compile(r"(?:^|[^a-z])(?:(?:refresh)?hit|(?<!fwd=)stale|updating|revalidated)(?:$|[^a-z])", re.IGNORECASE)
_STALE_WARNING = re.compile(r"(?:^|[,\s])11[0-3]\s")

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

    def learn(self, origin: str, status: int, headers: Iterable[tuple[str, str]], now: float) -> bool:
        """Take in an answer; True where it calls for signing once more with the offset that it has taught.

        It does where a refusal over https carries one Date that lies outside the scheme's window around the clock that
        was used, and within a day of ours. `now` is our clock in Unix seconds. Over plain http anyone could send a
        Date that makes us sign for a time of their choice. An answer of a cache teaches nothing: its Date is that of an
        earlier request, and it says nothing of this one, which the server has not seen.
        """
        if status not in _REFUSALS or not origin.startswith("https://"):
            return False
        headers = [(name.lower(), value) for name, value in headers]
        dates = {value for name, value in headers if name == "date"}
        at = parse_date(dates.pop()) if len(dates) == 1 else None
        if at is None or any(_is_of_cache(name, value) for name, value in headers):
            return False
        if self._window.outside(now + self.offset(origin), at) is None:
            return False
        if abs(at - now) > _LONGEST:
            _log.warning("the clock of %s differs from ours by more than a day; it is not followed", origin)
            return False
        with self._lock:
            self._offsets[origin] = at - now
        _log.warning("the clock of %s differs from ours by %+.0f s; signing again with its time", origin, at - now)
        return True


def _is_of_cache(name: str, value: str) -> bool:
    """Whether a header shows that a cache has answered from what it holds. RFC 9111, section 5.1; RFC 9211."""
    if name == "age":
        return value.strip(" \t0") != ""  # some caches add an age of 0 to what they pass on
    if name == "warning":
        return _STALE_WARNING.search(value) is not None  # RFC 7234, section 5.5
    if "cache" not in name or name.endswith("cache-control"):
        return False
    if name.endswith("hits"):
        return value.strip(" \t0,") != ""
    return _HIT.search(value) is not None
