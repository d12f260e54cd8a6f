"""New nonces, where a caller gives none: a UUID, or a whole number for APIs that want each larger than the last."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

from ..scheme import Scheme, scheme_problem


class GrowingNonces:
    """The microseconds of a clock, or one more than the last: clocks are set back, and stand still for a while."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, int(self._clock() * 1_000_000))
            return str(self._last)


_growing = GrowingNonces()  # one row for the process, so that two clients of one key do not overtake each other


def nonces_of(scheme: Scheme) -> Callable[[], str]:
    """What makes a new nonce for each request of the scheme; empty texts where it needs none.

    Raises ConfigError for what is no scheme.
    """
    if problem := scheme_problem(scheme):
        raise problem
    if not scheme.needs_nonce:
        return str
    return _growing if scheme.nonce_is_number else lambda: str(uuid.uuid4())
