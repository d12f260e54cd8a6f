"""Rolling windows: every signature that a key may send now, so that a bad one is as cheap to refuse as a good one.

A scheme that does not send the time leaves a verifier to search its window, 1,201 hashes for GoGrid. A verifier
keeps these hashes for the keys in use and moves them on second by second.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from .credentials import Secret
from .scheme import Claim, Scheme

# A clock that steps back a little, or threads that read it in turns, must not build the window anew.
_SLACK = 60


class RollingWindows:
    """The windows of up to `capacity` pairs of key and secret (about 200 kB each for GoGrid); the longest unused go
    first. Safe to share between threads."""

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._windows: OrderedDict[tuple[Scheme, str, Secret], _Window] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, scheme: Scheme, secret: Secret, claim: Claim, now: float) -> int | None:
        """The second inside the scheme's window whose signature the claim holds, or None."""
        key = (scheme, claim.key_id, secret)
        with self._lock:
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = _Window()
                if len(self._windows) > self._capacity:
                    self._windows.popitem(last=False)
            else:
                self._windows.move_to_end(key)
            return window.find(scheme, secret, claim, now)


class _Window:
    """Signature to second, for the seconds from `_first` on up to but not including `_end`."""

    def __init__(self) -> None:
        self._first = self._end = 0
        self._seconds: dict[str, int] = {}
        self._oldest_first: deque[str] = deque()

    def find(self, scheme: Scheme, secret: Secret, claim: Claim, now: float) -> int | None:
        wanted = scheme.window.seconds(now)
        if wanted.start < self._first or wanted.start > self._end:
            self._first = self._end = wanted.start
            self._seconds.clear()
            self._oldest_first.clear()
        if self._end < wanted.stop:
            missing = range(self._end, wanted.stop)
            for second, signature in zip(missing, scheme.candidates(secret.reveal(), claim, missing), strict=True):
                self._seconds[signature] = second
                self._oldest_first.append(signature)
            self._end = wanted.stop
        while self._first < wanted.start - _SLACK:
            signature = self._oldest_first.popleft()
            if self._seconds.get(signature) == self._first:  # else a later second has the same one
                del self._seconds[signature]
            self._first += 1
        for signature in claim.signatures:
            # The lookup goes by a keyed hash of the whole text, so its time tells nothing of a near miss.
            found = self._seconds.get(signature)
            if found is not None and found in wanted:
                return found
        return None


def search(scheme: Scheme, secret: Secret, claim: Claim, now: float) -> int | None:
    """The same without a cache: every second of the window is hashed, whatever is found."""
    sent = frozenset(claim.signatures)
    found = None
    seconds = scheme.window.seconds(now)
    for second, signature in zip(seconds, scheme.candidates(secret.reveal(), claim, seconds), strict=True):
        if signature in sent:
            found = second
    return found
