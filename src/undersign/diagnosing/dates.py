"""The other ways in which clients write the instant of a request, and the instants next to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ..core.dates import format_date, format_http_date, parse_date
from ..core.grammar import MONTHS
from ..errors import CannotSign
from ..parts.times import TimeForm
from .cause import Cause, difference
from .changes import Change

_ISO_8601 = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9:]+)(\.[0-9]+)? ?(.*)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"([0-9]{9,19})(\.[0-9]*)?")
_UNITS = {10: 1, 9: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
_MONTH = "|".join(MONTHS)
_NEAR = 60  # seconds between two reads of the clock that are looked at; further off is an old signature
_NEAR_WITH_TWO = 2
_OLD = 3700
_NEAR_MILLISECONDS = 2_500
_USUAL, _MANY = 40, 60  # how many forms are tried beside any other mistake, and beside the usual ones


def date_changes(header: str, right: bytes, at: float, write: Callable[[float], str] | None = None) -> Iterator[Change]:
    """The changes of the time to another writing of the same instant, the usual ones first, and to an instant near by.

    `header` is the text that was sent, `write` the form of the time that is signed.
    """
    try:
        usual, lone = _writings(at, header)
    except CannotSign:  # of the years 1 and 9999, in UTC in the years 0 and 10000
        return
    unit = "timestamp-format" if _NUMBER.fullmatch(right.decode("latin-1")) else "date-differs"
    for text in dict.fromkeys((*usual, *lone)):
        value = text.encode("latin-1")
        detail = (
            "The client signed another writing of the date than it sent: write it once, and sign the header's value "
            f"({difference(right, value, 'date')})."
        )
        code = unit
        if unit == "timestamp-format" and _NUMBER.fullmatch(text) and "." not in text:
            code = "timestamp-milliseconds" if len(text) > len(right) else "timestamp-seconds"
        yield Change("date", value, (Cause(code, detail),), lone=_rarity(text, usual, lone))
    yield from near_dates(right, at, write)


def _rarity(text: str, usual: list[str], lone: list[str]) -> int:
    if text in usual[:_USUAL]:
        return 0
    return 1 if text in usual or text in lone[:_MANY] else 2


def near_dates(right: bytes, at: float, write: Callable[[float], str] | None) -> Iterator[Change]:
    """The time that another read of the clock gave."""
    for step in (step * sign for step in range(1, _NEAR + 1) for sign in (-1, 1)):
        for value in _written(write, right, at + step):
            yield _near(
                right, value, lone=2 - (abs(step) <= 10 or abs(step) in (30, 60)) - (abs(step) <= _NEAR_WITH_TWO)
            )
    old = Cause(
        "date-differs",
        "The client signed a time long before the one that it sent, as an old signature has it: sign each request with "
        "the time that is sent.",
    )
    for step in range(_NEAR + 1, _OLD + 1):
        for value in _written(write, right, at - step):
            yield Change("date", value, (old,), 1 if step in (120, 300, 600, 1800, 3600) else 2)
    if len(right) >= 13 and write is not None and write(at) != write(at + 0.003):
        for milliseconds in range(1, _NEAR_MILLISECONDS):
            for sign in (-1, 1):
                for value in _written(write, right, at + sign * milliseconds / 1000):
                    yield _near(right, value, lone=2 - (milliseconds <= 9))


def _near(right: bytes, value: bytes, *, lone: int) -> Change:
    where = difference(right, value, "date")
    detail = f"The client read the clock twice, to sign and to send: read it once, and sign what is sent ({where})."
    return Change("date", value, (Cause("date-near", detail),), lone)


def _written(write: Callable[[float], str] | None, right: bytes, at: float) -> Iterator[bytes]:
    try:
        if write is not None:
            yield write(at).encode("latin-1")
        elif right[:4].isdigit() and right[4:5] == b"-":
            yield format_date(at)[:19].encode() + right[19:]
    except CannotSign:
        return


def problem_of_date(name: str, text: str) -> str:
    """What is wrong with the value of the header of that name, which is no date that is read."""
    remedy = "write it as YYYY-MM-DDThh:mm:ssZ"
    if any(parse_date(text + zone) is not None for zone in ("Z", " GMT")):
        return f"The {name} header names no zone: {remedy}."
    return f"The {name} header is not a date in a form that is read: {remedy}."


def time_cause(where: str, sent: str, form: TimeForm) -> tuple[float, Cause] | None:
    """The instant that a text of another form than the right one says, and what is wrong with it; None where it says
    none."""
    at = instant(sent)
    if at is None:
        return None
    try:
        right = form.write(at)
    except CannotSign:
        return None
    code, what = "timestamp-format", "another form of the time than is read here"
    if sent.isdigit() and right.isdigit():
        longer = len(sent) > len(right)
        code = "timestamp-milliseconds" if longer else "timestamp-seconds"
        what = "milliseconds for seconds, or finer" if longer else "seconds for milliseconds"
    return at, Cause(code, f"The client sent {what} as the {where}: write it like {right}.")


def instant(text: str) -> float | None:
    """Unix seconds of a time in any of the forms that clients write."""
    text = text.strip(" \t\"'")
    if number := _NUMBER.fullmatch(text):
        unit = _UNITS.get(len(number[1]))
        return None if unit is None else int(number[1]) / unit + float(f"0{number[2] or ''}0" if number[2] else 0)
    for candidate in (text, f"{text}Z", f"{text} GMT", text.replace("/", "-"), f"{text.replace('/', '-')}Z"):
        if (at := parse_date(candidate)) is not None:
            return at
    if _DAY.fullmatch(text):
        return parse_date(f"{text}T00:00:00Z")
    return parse_date(re.sub(r"^([0-9]{8})T?([0-9]{6})Z?$", r"\1T\2Z", text)) or _in_words(text)


_MONTHS_ELSEWHERE = {
    **dict.fromkeys(("ene", "gen"), 1),
    **dict.fromkeys(("fév", "fev"), 2),
    **dict.fromkeys(("mär", "mrz", "maa"), 3),
    **dict.fromkeys(("avr", "abr"), 4),
    **dict.fromkeys(("mai", "mag", "mei"), 5),
    **dict.fromkeys(("juin", "giu"), 6),
    **dict.fromkeys(("juil", "lug"), 7),
    **dict.fromkeys(("aoû", "aou", "ago"), 8),
    **dict.fromkeys(("set",), 9),
    **dict.fromkeys(("okt", "out", "ott"), 10),
    **dict.fromkeys(("dez", "déc", "dic"), 12),
}
_CLOCK = re.compile(r"(?<![0-9])([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?(?: ?([AP])\.?M\b\.?)?")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})\b")
_DAYS = (
    re.compile(r"\b(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})\b"),
    re.compile(r"(?<![0-9:])(?P<day>[0-9]{1,2})[ -](?P<word>[^\W\d_]{3,})\.?[ -](?P<year>[0-9]{4}|[0-9]{2})\b"),
    re.compile(r"(?P<word>[^\W\d_]{3,}) +(?P<day>[0-9]{1,2}),?(?: .*)? (?P<year>[0-9]{4})\b"),
    re.compile(r"\b(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})\b"),
    re.compile(r"\b(?P<day>[0-9]{1,2})[./](?P<month>[0-9]{1,2})[./](?P<year>[0-9]{4})\b"),
)


def _in_words(text: str) -> float | None:
    """The instant in a date as programs and languages print it, such as `Thu Nov 07 2024 10:21:15 GMT+0000 (UTC)`."""
    clock = _CLOCK.search(text)
    if clock is None or len(text) > 100 or not any(mark.isdigit() for mark in text):
        return None
    hours = int(clock[1]) % 12 + 12 * (clock[4] == "P") if clock[4] else int(clock[1])
    offset = _OFFSET.search(text, clock.end())
    behind = (int(offset[2]) * 3600 + int(offset[3]) * 60) * (-1 if offset[1] == "-" else 1) if offset else 0
    days = text[: clock.start()] + " " + (text[offset.end() :] if offset else text[clock.end() :])
    for pattern in _DAYS:
        if (match := pattern.search(days)) is None:
            continue
        said = match.groupdict()
        month = int(said["month"]) if said.get("month") else _month(said["word"])
        year = said["year"] if len(said["year"]) == 4 else f"20{said['year']}"
        second = clock[3] or "00"
        at = parse_date(f"{year}-{month:02d}-{int(said['day']):02d}T{hours:02d}:{clock[2]}:{second}Z")
        if at is not None:
            return at - behind
    return None


def _month(word: str) -> int:
    """The number of a month by its name, in English or another language of many clients; 0 = none."""
    folded = word.lower()
    for place, name in enumerate(MONTHS, 1):
        if folded.startswith(name.lower()):
            return place
    return next((number for start, number in _MONTHS_ELSEWHERE.items() if folded.startswith(start)), 0)


def _writings(at: float, header: str) -> tuple[list[str], list[str]]:
    """The forms that clients write an instant in: the usual ones, and the many."""
    day, clock = format_date(at)[:-1].split("T")
    milliseconds = format_date(at, milliseconds=True)[19:-1]
    sent = _ISO_8601.fullmatch(header)
    fractions = list(dict.fromkeys(["", milliseconds, ".000", (sent and sent[3]) or ""]))
    http = format_http_date(at)[:-4]
    usual = [f"{day}T{clock}{part}{zone}" for part in fractions for zone in ("Z", "+00:00", "+0000", "", "UTC")]
    usual += [f"{http} {zone}" for zone in ("GMT", "+0000", "UTC", "-0000")]
    if http[5] == "0":
        usual += [f"{http[:5]}{http[6:]} {zone}" for zone in ("GMT", "+0000")]
    usual += [
        f"{day} {clock}{part}{zone}"
        for part in dict.fromkeys(("", fractions[-1]))
        for zone in ("", "Z", "+00:00", " +0000", " UTC", "+00")
    ]
    if sent:
        usual += _respaced(*sent.groups(""))
    usual += [f"{int(at // 1)}", f"{int(at // 1)}000", f"{round(at * 1000)}"]
    usual += [f"{int(at // 1)}.0", f"{day}T{clock}.000000Z", f"{day}T{clock}.000000+00:00"]
    usual += [f"{day.replace('-', '')}T{clock.replace(':', '')}{zone}" for zone in ("Z", "+0000")]
    if clock.endswith(":00"):
        usual += [f"{day}T{clock[:5]}{zone}" for zone in ("Z", "+00:00")]
    lone = [day, clock, f"{day.replace('-', '')}{clock.replace(':', '')}", f"{day.replace('-', '/')} {clock}", ""]
    lone += [http.lower() + " gmt", http.upper() + " GMT", f"{day}t{clock}z", f" {header}", f"{header} ", f'"{header}"']
    lone += [f"{header}\n", f"{header}\r\n", f"{header}\r", f"'{header}'", f"\t{header}", f"{header}\t"]
    lone += [f"{int(at // 1)}000000", f"{int(at // 1)}000000000", f"{int(at // 1)}.000", f"{int(at // 60)}"]
    for steps in range(-48, 57):
        try:
            local = format_date(at + steps * 900)[:-1]
            local_http = format_http_date(at + steps * 900)[:-4]
        except CannotSign:
            continue
        hours, minutes = divmod(abs(steps) * 15, 60)
        sign = "-" if steps < 0 else "+"
        zone = f"{sign}{hours:02d}{minutes:02d}"
        (lone if minutes else usual).append(f"{local}{zone[:3]}:{zone[3:]}")
        lone += [f"{local}{zone}", f"{local.replace('T', ' ')} {zone}", f"{local_http} {zone}"]
        if not minutes:
            lone += [local, f"{local}Z", local.replace("T", " "), f"{local_http} GMT", f"{int(at // 1) + steps * 900}"]
    lone += [f"{day}T{clock}.{fraction:03d}{zone}" for zone in ("Z", "+00:00") for fraction in range(1000)]
    if header.isdigit():
        lone += [f"{int(at // 1)}{fraction:03d}" for fraction in range(1000)]
    return usual, lone


def _respaced(day: str, clock: str, fraction: str, zone: str) -> list[str]:
    """The date as it was sent, in its own zone, with the T, the spaces and the colon of the zone otherwise."""
    digits = zone.replace(":", "")
    colon = f"{digits[:3]}:{digits[3:]}" if len(digits) == 5 else digits
    return [
        f"{day}{gap}{clock}{fraction}{other}"
        for gap, others in (("T", (digits, colon)), (" ", (digits, colon, f" {digits}", f" {colon}")))
        for other in others
    ]


def second_writings() -> Iterable[tuple[str, Callable[[int], list[bytes]]]]:
    """The forms that clients write a second in which is not sent: a name, and what writes it."""
    return _SECONDS


def _dated(pattern: str) -> Callable[[int], list[bytes]]:
    def write(second: int) -> list[bytes]:
        day, _, clock = format_date(second)[:-1].partition("T")
        compact_day, compact_clock = day.replace("-", ""), clock.replace(":", "")
        text = pattern.format(day=day, clock=clock, compact_day=compact_day, compact_clock=compact_clock)
        return [text.encode("ascii")]

    return write


def _fractions(digits: int) -> Callable[[int], list[bytes]]:
    """Seconds with decimals as Python and JavaScript write them, so without zeros at the end."""
    tails = [f"{fraction:0{digits}d}" for fraction in range(10**digits)]
    written = dict.fromkeys(value for tail in tails for value in (tail, tail.rstrip("0")) if value)
    endings = [b"." + tail.encode("ascii") for tail in written]
    return lambda second: [b"%d%s" % (second, ending) for ending in endings]


def _printed(second: int) -> list[bytes]:
    """The date as JavaScript, a shell and the older forms of HTTP write it."""
    day, number, month, year, clock, _ = format_http_date(second).replace(",", "").split(" ")
    texts = [f"{day} {month} {number} {year} {clock} GMT+0000 (Coordinated Universal Time)"]
    texts += [f"{day} {month} {int(number):2} {clock} UTC {year}", f"{day} {month} {int(number):2} {clock} {year}"]
    weekday = next(name for name in _WEEKDAYS if name.startswith(day))
    texts += [f"{weekday}, {number}-{month}-{year[2:]} {clock} {zone}" for zone in ("GMT", "UTC")]
    return [text.encode("ascii") for text in texts]


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
USUAL_SECONDS = ("float", "ISO 8601", "ISO 8601 with an offset", "ISO 8601 without a zone", "padded")
_SECONDS: tuple[tuple[str, Callable[[int], list[bytes]]], ...] = (
    ("float", lambda second: [b"%d.0" % second]),
    ("float with zeros", lambda second: [b"%d.00" % second, b"%d.000" % second, b"%d.000000" % second]),
    ("ISO 8601", _dated("{day}T{clock}Z")),
    ("ISO 8601 with an offset", _dated("{day}T{clock}+00:00")),
    ("ISO 8601 without a zone", _dated("{day}T{clock}")),
    ("ISO 8601 with milliseconds", _dated("{day}T{clock}.000Z")),
    ("date and time", _dated("{day} {clock}")),
    ("compact date and time", _dated("{compact_day}T{compact_clock}Z")),
    ("digits of date and time", _dated("{compact_day}{compact_clock}")),
    ("an HTTP date", lambda second: [format_http_date(second).encode("ascii")]),
    ("an HTTP date with +0000", lambda second: [format_http_date(second)[:-3].encode("ascii") + b"+0000"]),
    ("a date as a program prints it", lambda second: _printed(second)),
    ("padded", lambda second: [b"%0*d" % (width, second) for width in (11, 12, 13, 14, 16, 20)]),
    ("padded with spaces", lambda second: [b" %d" % second, b"%d " % second]),
    ("hex", lambda second: [b"%x" % second]),
    ("quoted", lambda second: [b'"%d"' % second]),
    ("minutes", lambda second: [b"%d" % (second // 60)]),
    ("fractions", _fractions(1)),
    ("fractions", _fractions(3)),
)
