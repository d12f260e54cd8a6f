"""Rolling windows: every signature that a key may send now, so that a bad one is as cheap to refuse as a good one.

A scheme that does not send the time leaves a verifier to search its window, 1,201 hashes for GoGrid. A verifier keeps
what these hashes are for the keys in use, eight bytes each, and moves them on second by second.

A window that is kept ("warm") answers in microseconds, one that has to be made ("cold") in a millisecond. That must not
tell whether a key exists, so unknown key ids get windows of the stand-in secret in just the same way: the time then
tells only whether a key id was asked for lately. They stand in one queue with the known ones: were they to push each
other out alone, who asks for a key id, then for many made-up ones, and then for the first again would see which it is.
Whoever sends many key ids in turn keeps the server busy, a millisecond each, and pushes out a window for each at most,
which costs as much again. An operator who minds that more has `alike=False`: one window for all unknown ids, which
pushes out none.
"""

from __future__ import annotations

import _thread  # all that is needed of threading, which is slow to import
import math
import sys
from array import array
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable

from ..core.credentials import Secret
from ..errors import ConfigError
from ..scheme import Body, Claim, Scheme, window_of

# A clock that steps back a little, or threads that read it in turns, must not build the window anew.
_SLACK = 60
_MOST_SCHEMES = 64
_FEW = 8
_TIME_BITS = (1 << 20) - 1  # twelve days
_TEXT_BITS = (1 << 64) - 1 - _TIME_BITS


def _wide(text: str) -> int:
    """A hash of 64 bits where Python's has 32, of which twelve would be left: 1,201 texts are alike too often then."""
    return hash(text) << 32 | hash(text[::-1]) & 0xFFFFFFFF


_hash = hash if sys.hash_info.width >= 64 else _wide


class RollingWindows:
    """The windows of up to `capacity` pairs of key and secret, about 10 kB each for GoGrid. Safe to share between
    threads. The longest unused go first.

    With `alike` unknown key ids have windows among them. So time does not tell them from known ones of which nobody has
    asked either. Without it they cost nothing. Raises ConfigError.
    """

    def __init__(self, capacity: int = 1024, *, alike: bool = True) -> None:
        if type(capacity) is not int or capacity < 1:
            raise ConfigError(f"the capacity of windows is 1 or more, not {capacity!r}")
        self.alike = alike
        self._capacity = capacity
        self._known: OrderedDict[tuple[int, str, int], _Window] = OrderedDict()
        self._unknown = self._known if alike else OrderedDict[tuple[int, str, int], _Window]()
        self._met: dict[int, tuple[Scheme, Scheme]] = {}
        self._lock = _thread.allocate_lock()

    def find(self, scheme: Scheme, secret: Secret, claim: Claim, now: float, *, known: bool = True) -> int | None:
        """The second inside the scheme's window whose signature the claim is likely to hold, or None where it holds
        none. The signature of that second is to be compared whole."""
        _, like = self._met.get(id(scheme)) or self._meet(scheme)
        # A hash of a secret is keyed, as long as a number of the table, and takes a while.
        key = (id(like), claim.key_id, hash(secret))
        windows = self._known if known else self._unknown
        with self._lock:
            window = windows.get(key)
            if window is None:
                window = windows[key] = _Window(like)
                if len(windows) > self._capacity:
                    windows.popitem(last=False)
            else:
                windows.move_to_end(key)
        with window.lock:
            return window.find(secret, claim, now)

    def _meet(self, scheme: Scheme) -> tuple[Scheme, Scheme]:
        """The scheme, and the first one that is equal to it, which has its windows. Both are held, so that no other
        object has their ids: to hash a scheme takes all its options, too long for each request."""
        with self._lock:
            if len(self._met) >= _MOST_SCHEMES:
                self._met.clear()
            like = next((like for _, like in self._met.values() if like == scheme), scheme)
            return self._met.setdefault(id(scheme), (scheme, like))


class _Window:
    """A number for the signature of each second from `_first` to `_end`, in ascending order, to be found by halving.

    Its upper bits are Python's hash of the text, which is keyed anew in each process, so that the time in which it is
    found tells nothing of a near miss. Its lower bits are those of the second.
    """

    __slots__ = ("_end", "_first", "_length", "_numbers", "_past", "_scheme", "lock")

    def __init__(self, scheme: Scheme) -> None:
        window = window_of(scheme)
        self._past, self._length = (0, 0) if window is None else (window.past, window.past + window.future + 1)
        self._scheme = scheme
        self.lock = _thread.allocate_lock()
        self._first = self._end = 0
        self._numbers = array("Q")

    def find(self, secret: Secret, claim: Claim, now: float) -> int | None:
        start = math.floor(now) - self._past
        stop = start + self._length
        if start < self._first or self._end < stop:
            if self._length > _TIME_BITS:
                return search(self._scheme, secret, claim, b"", now)
            self._move(secret, claim, range(start, stop))
        numbers, found = self._numbers, start - 1
        for signature in claim.signatures:
            of_text = _hash(signature) & _TEXT_BITS
            place = bisect_left(numbers, of_text)
            while place < len(numbers) and numbers[place] & _TEXT_BITS == of_text:
                second = self._second(numbers[place])
                if found < second < stop:  # one text may serve several seconds
                    found = second
                place += 1
        return found if found >= start else None

    def _move(self, secret: Secret, claim: Claim, wanted: range) -> None:
        if not self._first <= wanted.start <= self._end:
            del self._numbers[:]
            self._first = self._end = wanted.start
        missing = range(self._end, wanted.stop)
        candidates = self._scheme.candidates(secret.reveal(), claim, b"", missing)
        added = [_hash(text) & _TEXT_BITS | at & _TIME_BITS for at, text in zip(missing, candidates, strict=True)]
        kept: Iterable[int] = self._numbers
        if wanted.start - self._first > 2 * _SLACK:
            first = wanted.start - _SLACK
            kept = [number for number in kept if self._second(number) >= first]
            self._first = first
        elif len(added) <= _FEW:  # the clock has ticked
            for number in added:
                insort(self._numbers, number)
            added = []
        if added or kept is not self._numbers:
            self._numbers = array("Q", sorted([*kept, *added]))
        self._end = wanted.stop

    def _second(self, number: int) -> int:
        return self._first + (number - self._first & _TIME_BITS)


def _seconds(scheme: Scheme, now: float) -> range:
    window = window_of(scheme)
    return range(0) if window is None else window.seconds(now)


def search(scheme: Scheme, secret: Secret, claim: Claim, body: Body, now: float) -> int | None:
    """The same without a cache: every second of the window is hashed, whatever is found."""
    sent = frozenset(claim.signatures)
    found = None
    seconds = _seconds(scheme, now)
    for second, signature in zip(seconds, scheme.candidates(secret.reveal(), claim, body, seconds), strict=True):
        if signature in sent:
            found = second
    return found
