"""Forms in which a time is sent and signed: written from Unix seconds, and read back from their one spelling."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from ..core.dates import format_date, format_http_date, parse_date, utc_second, weekday_at
from ..core.grammar import MONTHS, WEEKDAYS
from ..errors import CannotSign, ConfigError

_UNIX = re.compile(r"0|[1-9][0-9]{0,11}")
_UNIX_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?")
_UNIX_MS = re.compile(r"0|[1-9][0-9]{0,14}")
_DIRECTIVES = {
    "%Y": "(?P<Y>[0-9]{4})",
    "%m": "(?P<m>[0-9]{2})",
    "%d": "(?P<d>[0-9]{2})",
    "%H": "(?P<H>[0-9]{2})",
    "%M": "(?P<M>[0-9]{2})",
    "%S": "(?P<S>[0-9]{2})",
    "%b": f"(?P<b>{'|'.join(MONTHS)})",
    "%a": f"(?P<a>{'|'.join(WEEKDAYS)})",
    "%%": "%",
}
_PIECE = re.compile(r"%.?|[^%]+", re.DOTALL)


class TimeForm(NamedTuple):
    """A form of a time: `write` gives its text for Unix seconds, `read` the Unix seconds, None where it is no such
    text. `write` raises CannotSign for a time that the form cannot say."""

    write: Callable[[float], str]
    read: Callable[[str], float | None]


def time_form(name: str) -> TimeForm:
    """The form by its name (unix, unix-decimal, unix-ms, iso, iso-ms, http, rfc2822), or of a pattern in UTC such as
    `%Y-%m-%d %H:%M:%S`.

    Raises ConfigError for one that is neither.
    """
    if name in _FORMS:
        return _FORMS[name]
    if "%" not in name:
        raise ConfigError(f"time {name!r} is unknown: write one of {', '.join(_FORMS)}, or a pattern with %Y and so on")
    return _pattern(name)


def _pattern(pattern: str) -> TimeForm:
    pieces: list[str] = _PIECE.findall(pattern)
    expression = ""
    for piece in pieces:
        if piece.startswith("%") and piece not in _DIRECTIVES:
            raise ConfigError(f"time holds {piece!r}: a pattern has {' '.join(_DIRECTIVES)} and plain text")
        expression += _DIRECTIVES.get(piece) or re.escape(piece)
    directives = [piece for piece in pieces if piece in _DIRECTIVES and piece != "%%"]
    if len(set(directives)) < len(directives):
        raise ConfigError("time names a directive twice: its text could not be read back")
    if not {"%Y", "%d", "%H", "%M", "%S"} <= set(directives) or not {"%m", "%b"} & set(directives):
        raise ConfigError("time leaves a part of the date or of the time out: name %Y, %m or %b, %d, %H, %M and %S")
    compiled = re.compile(expression)

    def write(at: float) -> str:
        text = format_date(at)  # refuses what no date can say
        values = {"%Y": text[:4], "%m": text[5:7], "%d": text[8:10], "%H": text[11:13], "%M": text[14:16]}
        values |= {"%S": text[17:19], "%b": MONTHS[int(text[5:7]) - 1], "%a": weekday_at(at), "%%": "%"}
        return "".join(values.get(piece, piece) for piece in pieces)

    def read(text: str) -> float | None:
        match = compiled.fullmatch(text)
        if match is None:
            return None
        found = match.groupdict()
        month = int(found["m"]) if found.get("m") else MONTHS.index(found["b"]) + 1
        day, hour, minute, second = (int(found[name]) for name in "dHMS")
        at = utc_second(int(found["Y"]), month, day, hour, minute, second)
        return float(at) if at is not None and write(at) == text else None  # a wrong weekday

    return TimeForm(write, read)


def _whole(at: float) -> int:
    try:
        second = math.floor(at)
    except (ValueError, OverflowError):
        second = -1
    if not 0 <= second < 10**12:
        raise CannotSign(f"the clock says {at!r}: give it in Unix seconds")
    return second


def _write_milliseconds(at: float) -> str:
    # A float holds no exact 0.044, but a number close by: to the microsecond it is what was meant.
    second = _whole(at)
    return str(second * 1000 + min(round((at - second) * 1_000_000) // 1000, 999))


_FORMS = {
    "unix": TimeForm(lambda at: str(_whole(at)), lambda text: float(text) if _UNIX.fullmatch(text) else None),
    # Written whole, and read with a fraction, as some clients send their clock as it is.
    "unix-decimal": TimeForm(
        lambda at: str(_whole(at)), lambda text: float(text) if _UNIX_DECIMAL.fullmatch(text) else None
    ),
    "unix-ms": TimeForm(_write_milliseconds, lambda text: int(text) / 1000 if _UNIX_MS.fullmatch(text) else None),
    "iso": TimeForm(format_date, parse_date),
    "iso-ms": TimeForm(lambda at: format_date(at, milliseconds=True), parse_date),
    "http": TimeForm(format_http_date, parse_date),
    # RFC 5322 calls GMT obsolete; -0000 is UTC where no zone is meant.
    "rfc2822": TimeForm(lambda at: format_http_date(at).replace("GMT", "-0000"), parse_date),
}
