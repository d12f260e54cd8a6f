"""A replay guard in a process's memory, which no key fills for the others.

It never forgets a signature that is still good without refusing from then on what it can no longer tell from a replay.
When it is full, the key that holds the most gives up the signature that expires first, and pays for it alone: what of
that key is as old counts as seen. So a key that floods the guard keeps itself out, and a server with one key uses all
of it.
"""

from __future__ import annotations

import _thread  # all that is needed of threading, which is slow to import
import heapq
import math
import time

from ..errors import ConfigError, Reason, Rejected
from .replay import BEFORE_BIRTH, ReplayGuard


class _Share:
    """The signatures of one key: how often each was used, which expires first, and until when some were forgotten."""

    __slots__ = ("by_expiry", "forgotten", "uses")

    def __init__(self) -> None:
        self.uses: dict[str, int] = {}
        self.by_expiry: list[tuple[float, str]] = []
        self.forgotten = -math.inf  # what expires until then may have been here

    def forget_first(self) -> None:
        expires, replay_id = heapq.heappop(self.by_expiry)
        del self.uses[replay_id]
        self.forgotten = expires  # later than before, since nothing is taken that expires sooner

    def forget_expired(self, second: int) -> int:
        """How many are gone."""
        before = len(self.uses)
        while self.by_expiry and self.by_expiry[0][0] < second:
            self.forget_first()
        return before - len(self.uses)


class MemoryReplayGuard(ReplayGuard):
    """A guard in this process's memory, safe to share between threads. It knows nothing of other processes.

    - `capacity`: how many signatures it holds, at some 250 bytes each.
    - `born`: Unix seconds; None = the moment when the guard was made. What may have verified before is refused
      (`unavailable`). It may have been let in by a process whose memory is gone. `born=0` says that there was none
      such, or that it does not matter.

    When it is full of live signatures, the key that holds the most makes room for a key that holds fewer. That key is
    refused (`unavailable`) what is as old as what it gave up. Where all hold as many, new ones are refused rather than
    one forgotten.
    """

    def __init__(self, capacity: int = 100_000, *, born: float | None = None) -> None:
        if capacity < 1:
            raise ConfigError(f"capacity is 1 or more, not {capacity}")
        if born is not None and math.isnan(born):
            raise ConfigError("born is in Unix seconds, not nan")
        self._capacity = capacity
        self._born = born
        self._made = time.monotonic()  # which moment that was by the verifier's clock, its first question tells
        self._shares: dict[str, _Share] = {}
        self._held = 0
        self._swept = -math.inf  # the second of the last sweep of all shares
        self._largest = _Share()  # the one that held the most then
        self._forgotten = -math.inf  # the same as a share's, of keys that hold nothing any more
        self._lock = _thread.allocate_lock()

    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See ReplayGuard.remember. `born` has no part in it, as it is not said since when the signature is good."""
        return self.admit(replay_id, expires, now, since=math.inf)

    def admit(
        self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1, owner: str = ""
    ) -> bool:
        with self._lock:
            if self._born is None:
                self._born = math.floor(now - (time.monotonic() - self._made))  # a signature's time has whole seconds
            share = self._shares.get(owner)
            if share is None:
                share = _Share()
            self._held -= share.forget_expired(math.floor(now))
            uses = share.uses.get(replay_id, 0)
            if uses >= max_uses:
                return False
            if since < self._born:
                raise Rejected(Reason.UNAVAILABLE, BEFORE_BIRTH)
            if not uses:
                if expires <= max(share.forgotten, self._forgotten):
                    raise Rejected(Reason.UNAVAILABLE, "the replay guard has forgotten signatures of that time")
                if self._held >= self._capacity:
                    self._make_room(len(share.uses), math.floor(now))
                heapq.heappush(share.by_expiry, (expires, replay_id))
                self._held += 1
                self._shares[owner] = share
            share.uses[replay_id] = uses + 1
            return True

    def _make_room(self, own: int, second: int) -> None:
        """Give up a signature for a key that holds `own`. Raises Rejected where no other key holds more."""
        if second > self._swept:
            self._sweep(second)
        if self._held < self._capacity:
            return
        if len(self._largest.uses) <= own + 1:
            raise Rejected(Reason.UNAVAILABLE, f"the replay guard holds its {self._capacity} signatures and is full")
        self._largest.forget_first()
        self._held -= 1

    def _sweep(self, second: int) -> None:
        """Forget what has expired, of all keys, and see which holds the most: once a second, for it takes its time."""
        self._swept = second
        for owner, share in tuple(self._shares.items()):
            self._held -= share.forget_expired(second)
            if not share.uses and share.forgotten < second:
                self._forgotten = max(self._forgotten, share.forgotten)
                del self._shares[owner]
        self._largest = max(self._shares.values(), key=lambda share: len(share.uses), default=self._largest)
