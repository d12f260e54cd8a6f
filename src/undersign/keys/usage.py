"""Which key signs with which scheme, and with which of its secrets: what has to be known to retire one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ..verifying.verdict import Verified


class Use(NamedTuple):
    """How many requests of a key have verified with a scheme and a secret (its place, 0 being the newest).

    `last` is when the last one did, in Unix seconds by the server's clock. `tenant` is whose key it is, where the
    lookup names one (`undersign.keys.TenantKey`).
    """

    key_id: str
    scheme: str
    secret_index: int
    requests: int
    last: float
    tenant: str = ""


class KeyUsage:
    """Counts what has verified; pass `record` as `on_verified` to a middleware, or call it yourself.

    It lives in the process. It holds one count for each key, scheme, secret and tenant, of known keys alone. `capacity`
    bounds them, and `is_complete` says whether all had room. Processes behind one address each have their own. Safe to
    share between threads.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, capacity: int = 100_000) -> None:
        self.is_complete = True
        self._clock = clock
        self._capacity = capacity
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, str, int, str], tuple[int, float]] = {}

    def record(self, verified: Verified) -> None:
        """Count a request that verified."""
        use = (verified.key_id, verified.scheme, verified.secret_index, verified.tenant)
        with self._lock:
            count, _ = self._uses.get(use, (0, 0.0))
            if not count and len(self._uses) >= self._capacity:
                self.is_complete = False
                return
            self._uses[use] = (count + 1, self._clock())

    def report(self, scheme: str | None = None) -> list[Use]:
        """What has been counted, by key id; that of one scheme alone where one is named."""
        with self._lock:
            uses = sorted(self._uses.items())
        return [Use(*use[:3], *counted, use[3]) for use, counted in uses if scheme in (None, use[1])]
