"""Windows of time, and dates read strictly and written in one form. Reads no clock."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from ..errors import CannotSign, ConfigError, Reason
from .grammar import MONTHS, WEEKDAYS

_EPOCH_DAY = 719_163  # 1970-01-01, as date.toordinal counts
_USUAL_LENGTH = 32
_DAY = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?"
_ZONE = r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)"
# Three forms of ISO 8601, whose groups are the same, the usual one first. They are compiled where they are first used.
_EXTENDED = f"{_DAY}T{_TIME}{_ZONE}"
_SPACED = f"{_DAY} {_TIME}(?: UTC| ?{_ZONE})"
_BASIC = f"([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})T([0-9]{{2}})([0-9]{{2}})([0-9]{{2}})(){_ZONE}"
# RFC 5322, section 3.3, in its plainest spelling; RFC 9110's IMF-fixdate is one of these.
_RFC_5322 = (
    rf"(?:({'|'.join(WEEKDAYS)}), )?([0-9]{{1,2}}) ({'|'.join(MONTHS)}) ([0-9]{{4}}) "
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))? (?:GMT|UTC|([+-])([0-9]{2})([0-9]{2}))"
)


@dataclass(frozen=True, slots=True)
class Window:
    """How far a request's time may lie from the clock, in whole seconds, both ends included.

    `past` is how old a request may be, `future` how far its clock may run ahead. Raises ConfigError for a
    negative or fractional figure.

    Example::

        scheme = GoTom(window=Window(past=300, future=60))
    """

    past: int
    future: int

    def __post_init__(self) -> None:
        for name, seconds in (("past", self.past), ("future", self.future)):
            if type(seconds) is not int or seconds < 0:
                raise ConfigError(f"Window {name} is whole seconds, 0 or more; got {seconds!r}")

    def outside(self, at: float, now: float) -> Reason | None:
        """STALE or FUTURE where `at` lies outside the window around `now`, else None.

        Whole seconds are compared, floor(now) and floor(at), as goTom's server does, which cuts fractions off.
        """
        age = math.floor(now) - math.floor(at)
        if -self.future <= age <= self.past:
            return None
        return Reason.STALE if age > 0 else Reason.FUTURE

    def seconds(self, now: float) -> range:
        """Every whole second inside the window around `now`, oldest first."""
        second = math.floor(now)
        return range(second - self.past, second + self.future + 1)


def check_clock(clock: object) -> None:
    """Raise ConfigError for a clock that cannot be asked, such as a number."""
    if not callable(clock):
        raise ConfigError(f"clock is a function that returns Unix seconds, such as time.time, not {clock!r}")


def tells_time(now: object) -> bool:
    """Whether what a clock said is a time in Unix seconds: a finite number, and no datetime, text or None."""
    try:
        return math.isfinite(now)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        return False


def parse_date(text: str) -> float | None:
    """Unix seconds of a date in one of the forms that are read, else None.

    `YYYY-MM-DDThh:mm[:ss[.digits]]` and `YYYYMMDDThhmmss` with `Z`, `±hh`, `±hhmm` or `±hh:mm`. The former may have
    a space for the T; then one may stand before the zone too, or ` UTC` be the zone. And
    `[Www, ]D{1,2} Mon YYYY hh:mm[:ss]` with ` GMT`, ` UTC` or ` ±hhmm`. Years 0001 to 9999, days that exist, hours 00
    to 23 and minutes and seconds 00 to 59, those of the offset too, and the weekday of the day that is written.

    Nothing else: goTom's server takes whatever PHP's strtotime takes, and with that `now` or `sat`, which stay valid
    for ever. No zone, no date: readers would disagree on its instant.
    """
    return _parse_kept(text) if len(text) <= _USUAL_LENGTH else _parse(text)


def _parse(text: str) -> float | None:
    weekday: str | None = None
    fraction: str | None = None
    if match := re.fullmatch(_EXTENDED, text) or re.fullmatch(_SPACED, text) or re.fullmatch(_BASIC, text):
        year, month, day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    elif match := re.fullmatch(_RFC_5322, text):
        weekday, day, month_name, year, hour, minute, second, sign, zone_hour, zone_minute = match.groups()
        month = MONTHS.index(month_name) + 1
    else:
        return None
    at = utc_second(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    if at is None or (weekday and weekday_at(at) != weekday):
        return None
    if sign:
        zone_minute = zone_minute or "0"
        if int(zone_hour) > 23 or int(zone_minute) > 59:
            return None
        offset = int(zone_hour) * 3600 + int(zone_minute) * 60
        at += -offset if sign == "+" else offset
    if not fraction:
        return float(at)
    # A long fraction must not round up to the next second, which may be the first one inside the window.
    return min(at + float(fraction), math.nextafter(at + 1, -math.inf))


_parse_kept = lru_cache(maxsize=256)(_parse)  # many requests carry the date of one second


def utc_second(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Unix seconds of a moment in UTC; None where there is no such day or time of day."""
    from datetime import date  # slow to import, and whoever sends Unix seconds needs it not

    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    return days * 86400 + hour * 3600 + minute * 60 + second


def weekday_at(at: float) -> str:
    """The day of the week, in UTC, as HTTP's dates write it."""
    return WEEKDAYS[(math.floor(at) // 86400 + 3) % 7]


def format_date(at: float, *, milliseconds: bool = False) -> str:
    """`at` in Unix seconds as `YYYY-MM-DDTHH:MM:SSZ`, or with `.mmm`; what is finer is cut off.

    Raises CannotSign for a time that no such date can say (not finite, or outside the years 1 to 9999).
    """
    try:
        second = math.floor(at)
        text = _format_second(second)
    except (ValueError, OverflowError):
        raise CannotSign(f"the clock says {at!r}, which no date can express: give it in Unix seconds") from None
    if milliseconds:
        # A float holds no exact 0.044, but a number close by: to the microsecond it is what was meant.
        return f"{text[:-1]}.{min(round((at - second) * 1_000_000) // 1000, 999):03d}Z"
    return text


def format_http_date(at: float) -> str:
    """`at` in Unix seconds as RFC 9110's IMF-fixdate; what is finer than a second is cut off.

    Raises CannotSign as `format_date` does.
    """
    text = format_date(at)
    return f"{weekday_at(at)}, {text[8:10]} {MONTHS[int(text[5:7]) - 1]} {text[:4]} {text[11:19]} GMT"


@lru_cache(maxsize=16)
def _format_second(second: int) -> str:
    from datetime import date

    days, rest = divmod(second, 86400)
    return (
        f"{date.fromordinal(_EPOCH_DAY + days).isoformat()}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"
    )
