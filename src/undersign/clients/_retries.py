"""When a request may be sent again, and after how long; for clients that bring no such thing of their own."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ..core.dates import parse_date

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})  # RFC 9110, section 9.2.2
STATUSES = frozenset({429, 503})


class RetryPlan:
    """`attempts` more tries for idempotent methods and those in `also`, the waits `longest_wait` seconds at most."""

    def __init__(self, method: str, attempts: int, also: Iterable[str], longest_wait: float) -> None:
        allowed = method.upper() in IDEMPOTENT | {name.upper() for name in also}
        self._left = attempts if allowed else 0
        self._longest_wait = longest_wait
        self._backoff = 0.5

    def wait_after_error(self) -> float | None:
        """Seconds to wait before the next try after a connection error, or None to give up."""
        return self._wait(None)

    def wait_after(self, status: int, retry_after: str | None, now: float) -> float | None:
        """Seconds to wait before the next try after an answer, or None to take the answer. RFC 9110, section 10.2.3."""
        if status not in STATUSES:
            return None
        asked: float | None = None
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            asked = float(retry_after)
        elif retry_after is not None and (at := parse_date(retry_after)) is not None:
            asked = max(0.0, at - now)
        return self._wait(asked)

    def _wait(self, asked: float | None) -> float | None:
        if self._left == 0 or (asked or 0.0) > self._longest_wait:
            return None
        self._left -= 1
        wait = self._backoff * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads load, nothing more
        self._backoff *= 2
        return min(wait, self._longest_wait) if asked is None else asked
