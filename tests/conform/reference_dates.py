"""How the port that can make mistakes reads dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
RELATIVE = re.compile(r"now.*|[+-]\d+ (?:minutes|day).*|this minute|\d\d:\d\d.*", re.IGNORECASE)


def date_seconds(text: str, now: float, makes: Callable[[str], bool]) -> float | None:
    """Unix seconds, or None where the text is in neither of the two forms."""
    if makes("relative-dates-taken") and RELATIVE.fullmatch(text):
        return now
    if makes("empty-date-is-now") and not text.strip():
        return now
    fraction = r"(\.[0-9]+)?"
    if makes("fraction-refused"):
        fraction = "()"
    if makes("fraction-of-three-digits-alone"):
        fraction = r"(\.[0-9]{3})?"
    if makes("empty-fraction-taken"):
        fraction = r"(\.[0-9]*)?"
    if makes("comma-fraction-taken"):
        fraction = r"([.,][0-9]+)?"
    zone = r"(Z|[+-][0-9]{2}:?[0-9]{2})"
    if makes("offset-refused"):
        zone = "(Z)"
    if makes("offset-without-colon-refused"):
        zone = r"(Z|[+-][0-9]{2}:[0-9]{2})"
    if makes("offset-of-hours-taken"):
        zone = r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
    if makes("no-zone-is-utc"):
        zone = r"(Z|[+-][0-9]{2}:?[0-9]{2}|)"
    second = "" if makes("seconds-optional") else ":([0-9]{2})"
    if makes("seconds-optional"):
        second = "(?::([0-9]{2}))?"
    day = "[0-9]{1,2}" if makes("one-digit-day-taken") else "[0-9]{2}"
    gap = "[T ]" if makes("space-for-t-taken") else "T"
    flags = re.IGNORECASE if makes("lower-case-date-taken") else re.RegexFlag(0)
    pattern = f"([0-9]{{4}})-([0-9]{{2}})-({day}){gap}([0-9]{{2}}):([0-9]{{2}}){second}{fraction}{zone}"
    if match := re.fullmatch(pattern, text, flags):
        whole = [int(part or 0) for part in match.groups()[:6]]
        return _shifted(_at(whole, makes), match[7], match[8].upper(), makes)
    return _imf_fixdate(text, makes)


def _shifted(at: float | None, fraction: str | None, zone: str, makes: Callable[[str], bool]) -> float | None:
    if at is None:
        return None
    at += float("0" + fraction.replace(",", ".")) if fraction and fraction not in ".," else 0
    if zone in ("Z", "") or makes("offset-ignored"):
        return at
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if (hours > 23 and not makes("offset-of-days-taken")) or minutes > 59:
        return None
    offset = hours * 3600 + (0 if makes("offset-minutes-ignored") else minutes * 60)
    backwards = (zone[0] == "-") is not makes("offset-turned-round")
    return at + offset if backwards else at - offset


def _imf_fixdate(text: str, makes: Callable[[str], bool]) -> float | None:
    flags = re.IGNORECASE if makes("imf-fixdate-in-any-case") else re.RegexFlag(0)
    zone = "(?:GMT|UTC)" if makes("imf-fixdate-utc-taken") else "GMT"
    pattern = (
        rf"(\w{{3}}), ([0-9]{{2}}) ({'|'.join(MONTHS)}) ([0-9]{{4}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}}) {zone}"
    )
    match = re.fullmatch(pattern, text, flags)
    if match is None or makes("imf-fixdate-refused"):
        if makes("rfc-850-taken"):
            try:
                return datetime.strptime(text, "%A, %d-%b-%y %H:%M:%S GMT").replace(tzinfo=timezone.utc).timestamp()
            except ValueError:
                return None
        return None
    month = MONTHS.index(match[3].title()) + 1
    at = _at([int(match[4]), month, *map(int, match.group(2, 5, 6, 7))], makes)
    if at is None:
        return None
    weekday = WEEKDAYS[int(at // 86400 + 3) % 7]
    return at if weekday == match[1].title() or makes("weekday-unchecked") else None


def _at(parts: list[int], makes: Callable[[str], bool]) -> float | None:
    year, month, day, hour, minute, second = parts
    more = timedelta()
    if makes("february-30-rolls-over") and month == 2 and 29 <= day <= 31:
        day, more = 28, timedelta(days=day - 28)
    if makes("hour-24-taken") and (hour, minute, second) == (24, 0, 0):
        hour, more = 23, timedelta(hours=1)
    if makes("second-60-taken") and second == 60:
        second, more = 59, timedelta(seconds=1)
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc) + more
    except (ValueError, OverflowError):
        return None
    return (at - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()
