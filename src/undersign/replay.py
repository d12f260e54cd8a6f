"""Replay guards: a signature that verified once is refused for as long as its window lasts."""

from __future__ import annotations

import heapq
import math
import threading
from abc import ABC, abstractmethod

from .errors import ConfigError, Reason, Rejected


class ReplayGuard(ABC):
    """Remembers what verified. One guard may serve several threads, processes or machines."""

    @abstractmethod
    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """Record `replay_id` until `expires` (Unix seconds, still included). False = it was there already.

        Checking and recording are one step. A guard that cannot answer raises Rejected(unavailable).
        """


class AsyncReplayGuard(ABC):
    """The same for AsyncVerifier."""

    @abstractmethod
    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See ReplayGuard.remember."""


class MemoryReplayGuard(ReplayGuard):
    """A guard in this process's memory, safe to share between threads.

    It holds `capacity` signatures at most and, when full of live ones, refuses new ones (`unavailable`) rather
    than forget one. It knows nothing of what verified before it was made, nor of other processes.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        if capacity < 1:
            raise ConfigError(f"capacity is 1 or more, not {capacity}")
        self._capacity = capacity
        self._seen: set[str] = set()
        self._by_expiry: list[tuple[float, str]] = []
        self._forgotten = -math.inf  # what expires until then may have been here
        self._lock = threading.Lock()

    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        with self._lock:
            while self._by_expiry and self._by_expiry[0][0] < math.floor(now):
                self._forgotten, forgotten_id = heapq.heappop(self._by_expiry)
                self._seen.discard(forgotten_id)
            if replay_id in self._seen:
                return False
            if expires <= self._forgotten:
                raise Rejected(Reason.UNAVAILABLE, "the replay guard has forgotten signatures of that time")
            if len(self._seen) >= self._capacity:
                raise Rejected(
                    Reason.UNAVAILABLE, f"the replay guard holds its {self._capacity} signatures and is full"
                )
            self._seen.add(replay_id)
            heapq.heappush(self._by_expiry, (expires, replay_id))
            return True
