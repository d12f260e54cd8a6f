"""A keyed timestamp as clients make it: what is hashed, in which order, and the time in which form."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.dates import format_date
from ..scheme import Claim
from ..schemes import KeyedTimestamp
from .search import Budget

_SLOWNESS = 3  # how much longer, roughly, a formula takes that the scheme's own search does not

Written = Callable[[int], Sequence[bytes]]
"""A second as clients write it: one spelling, or several where they add what is not known."""


@dataclass(frozen=True, slots=True, repr=False)
class Formula:
    """What is hashed, and how."""

    scheme: KeyedTimestamp  # with the hash that the signature's length tells
    key: bytes
    secret: bytes
    time: tuple[str, Written]
    order: tuple[str, ...] = ("key", "secret", "time")
    separators: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    mac: str = ""

    @property
    def is_quick(self) -> bool:
        """Whether the scheme's own search will do, since the time comes last."""
        return not self.mac and self.order[2] == "time" and not self.separators[2] and self.time[0] == "seconds"

    def find(self, signature: str, seconds: range, budget: Budget) -> int | None:
        """The second whose signature this is."""
        if not seconds or not budget.take(len(seconds) * (1 if self.is_quick else _SLOWNESS)):
            return None
        if not self.is_quick:
            return self._find_slowly(signature, seconds, budget)
        # The scheme's own search, with all that stands before the time in the secret's place.
        parts = {"key": self.key, "secret": self.secret}
        first, second = parts[self.order[0]], parts[self.order[1]]
        before = first + self.separators[0] + second + self.separators[1]
        if signature not in self.scheme.candidates(
            before, Claim("", None), b"", seconds
        ):  # quicker than a loop of our own
            return None
        return seconds[list(self.scheme.candidates(before, Claim("", None), b"", seconds)).index(signature)]

    def find_milliseconds(self, signature: str, seconds: range, budget: Budget) -> int | None:
        """The same for a time in milliseconds, of which each second has a thousand."""
        wide = range(seconds.start * 1000, seconds.stop * 1000)
        found = self.find(signature, wide, budget)
        return None if found is None else found // 1000

    def _find_slowly(self, signature: str, seconds: range, budget: Budget) -> int | None:
        mac = MACS[self.mac]
        parts = {"key": self.key, "secret": self.secret, "time": b""}
        first, second, third = self.order
        one, two, end = self.separators
        for at in seconds:
            times = self.time[1](at)
            if not budget.take((len(times) - 1) * _SLOWNESS):
                return None
            for time in times:
                parts["time"] = time
                if self.mac:
                    candidate = mac(self.scheme, self.key, self.secret, time)
                else:
                    candidate = _hash(self.scheme, parts[first] + one + parts[second] + two + parts[third] + end)
                if candidate == signature:
                    return at
        return None


def _hash(scheme: KeyedTimestamp, message: bytes) -> str:
    return scheme.signature(message, b"\0")  # between a key id and a time that are empty


def _hmac(scheme: KeyedTimestamp, key: bytes, message: bytes) -> str:
    return hmac.new(key, message, scheme.algorithm).hexdigest()


MACS: dict[str, Callable[[KeyedTimestamp, bytes, bytes, bytes], str]] = {
    "": lambda scheme, key, secret, time: _hash(scheme, key + secret + time),
    "key and time": lambda scheme, key, secret, time: _hmac(scheme, secret, key + time),
    "all three": lambda scheme, key, secret, time: _hmac(scheme, secret, key + secret + time),
    "time": lambda scheme, key, secret, time: _hmac(scheme, secret, time),
    "time and key": lambda scheme, key, secret, time: _hmac(scheme, secret, time + key),
    "swapped": lambda scheme, key, secret, time: _hmac(scheme, key + time, secret),
    "swapped, of the key": lambda scheme, key, secret, time: _hmac(scheme, key, secret + time),
    "swapped, of the time": lambda scheme, key, secret, time: _hmac(scheme, time, key + secret),
}


def whole_seconds(second: int) -> Sequence[bytes]:
    return (b"%d" % second,)


RIGHT_TIME: tuple[str, Written] = ("seconds", whole_seconds)


def _dated(pattern: str) -> Written:
    def write(second: int) -> Sequence[bytes]:
        day, _, clock = format_date(second)[:-1].partition("T")
        compact_day, compact_clock = day.replace("-", ""), clock.replace(":", "")
        text = pattern.format(day=day, clock=clock, compact_day=compact_day, compact_clock=compact_clock)
        return (text.encode("ascii"),)

    return write


def formatted(pattern: bytes) -> Written:
    return lambda second: (pattern % second,)


def fractions(digits: int) -> Written:
    """Seconds with decimals as Python and JavaScript write them, so without zeros at the end."""
    tails = [f"{fraction:0{digits}d}" for fraction in range(10**digits)]
    written = dict.fromkeys(value for tail in tails for value in (tail, tail.rstrip("0")) if value)
    endings = [b"." + tail.encode("ascii") for tail in written]
    return lambda second: [b"%d%s" % (second, ending) for ending in endings]


FORMATS: tuple[tuple[str, Written], ...] = (
    ("float", formatted(b"%d.0")),
    ("float with zeros", lambda second: (b"%d.00" % second, b"%d.000" % second, b"%d.000000" % second)),
    ("ISO 8601", _dated("{day}T{clock}Z")),
    ("ISO 8601 with an offset", _dated("{day}T{clock}+00:00")),
    ("ISO 8601 without a zone", _dated("{day}T{clock}")),
    ("ISO 8601 with milliseconds", _dated("{day}T{clock}.000Z")),
    ("date and time", _dated("{day} {clock}")),
    ("compact date and time", _dated("{compact_day}T{compact_clock}Z")),
    ("digits of date and time", _dated("{compact_day}{compact_clock}")),
    ("padded", lambda second: [b"%0*d" % (width, second) for width in (11, 12, 13, 14, 16, 20)]),
    ("padded with spaces", lambda second: (b" %d" % second, b"%d " % second)),
    ("hex", formatted(b"%x")),
    ("quoted", lambda second: (b'"%d"' % second,)),
)

SOME_SECOND = 1_730_974_875  # where two forms of it first differ is the same for all of these decades

USUAL_FORMATS = ("float", "ISO 8601", "ISO 8601 with an offset", "ISO 8601 without a zone", "padded")
