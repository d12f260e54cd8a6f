"""How the port that can make mistakes reads dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
RELATIVE = re.compile(r"now.*|[+-]\d+ (?:minutes|day).*|this minute|\d\d:\d\d.*", re.IGNORECASE)


def date_seconds(text: str, now: float, makes: Callable[[str], bool]) -> float | None:
    """Unix seconds, or None where the text is in none of the forms that are read."""
    if makes("relative-dates-taken") and RELATIVE.fullmatch(text):
        return now
    if makes("empty-date-is-now") and not text.strip():
        return now
    if makes("date-spaces-collapsed"):
        text = re.sub("[ \xa0]+", " ", text)
    found = (form(text, makes) for form in (_extended, _basic, _rfc_5322))
    return next((at for at in found if at is not None), None)


def _extended(text: str, makes: Callable[[str], bool]) -> float | None:
    fraction = r"(\.[0-9]+)?"
    if makes("fraction-refused"):
        fraction = "()"
    if makes("fraction-of-three-digits-alone"):
        fraction = r"(\.[0-9]{3})?"
    if makes("empty-fraction-taken"):
        fraction = r"(\.[0-9]*)?"
    if makes("comma-fraction-taken"):
        fraction = r"([.,][0-9]+)?"
    seconds = f"(?::([0-9]{{2}}){fraction})?"
    if makes("seconds-required"):
        seconds = f":([0-9]{{2}}){fraction}"
    if makes("fraction-of-minutes-taken"):
        seconds = f"(?::([0-9]{{2}}))?{fraction}"
    minutes = "(?::([0-9]{2}))?" if makes("minutes-optional") else ":([0-9]{2})"
    day = "[0-9]{1,2}" if makes("one-digit-day-taken") else "[0-9]{2}"
    year = "[+]?[0-9]{4,5}" if makes("years-of-more-digits-taken") else "[0-9]{4}"
    gap = "[T ]"
    if makes("any-character-for-t-taken"):
        gap = "."
    if makes("space-for-t-refused"):
        gap = "T"
    if makes("nothing-for-t-taken"):
        gap = "[T ]?"
    mark = "[-/]" if makes("slashes-taken") else "-"
    flags = re.IGNORECASE if makes("lower-case-date-taken") else re.RegexFlag(0)
    pattern = f"({year}){mark}([0-9]{{2}}){mark}({day})({gap})([0-9]{{2}}){minutes}{seconds}(.*)"
    match = re.fullmatch(pattern, text, flags)
    if match is None:
        return None
    zone = _zone(match[9], makes, spaced=match[4] == " " or makes("space-before-any-zone-taken"))
    whole = [int(part or 0) for part in match.group(1, 2, 3, 5, 6, 7)]
    if match[7] is None and makes("seconds-left-out-are-59"):
        whole[5] = 59
    return _shifted(_at(whole, makes), match[8], zone, makes)


def _zone(text: str, makes: Callable[[str], bool], *, spaced: bool) -> str | None:
    """The zone in the text behind the time, or None where it is none."""
    text = text.upper() if makes("lower-case-date-taken") else text
    text = text.encode("latin-1").decode("utf-8", "replace")
    if makes("name-behind-zone-taken"):
        text = re.sub(r"(?<=[Z0-9])( UTC|\[UTC\])$", "", text)
    if text == "UTC" and spaced and makes("utc-without-space-taken"):
        return "Z"
    if text.startswith(" "):
        if not spaced or makes("space-before-zone-refused"):
            return None
        text = text[1:]
        if text == "UTC" and not makes("utc-refused"):
            return "Z"
    if (makes("names-of-zones-taken") and text in ("UTC", "GMT", "UT")) or (makes("no-zone-is-utc") and not text):
        return "Z"
    text = {"CET": "+0100"}.get(text, text) if makes("names-of-other-zones-taken") else text
    offset = "[0-9]{2}(?::?[0-9]{2})?"
    if makes("offset-without-colon-refused"):
        offset = "[0-9]{2}(?::[0-9]{2})?"
    if makes("offset-of-hours-refused"):
        offset = "[0-9]{2}:?[0-9]{2}"
    if makes("offset-of-fewer-digits-taken"):
        offset = "[0-9]{0,2}:?[0-9]{0,2}"
    if makes("offset-with-seconds-taken"):
        offset = "[0-9]{2}(?::?[0-9]{2}(?::00)?)?"
    sign = "[-+\u2212]" if makes("minus-sign-taken") else "[-+]"
    if makes("minus-zero-refused") and re.fullmatch("-[0:]+", text):
        return None
    if makes("offset-without-sign-taken"):
        sign += "?"
    if makes("offset-refused"):
        return "Z" if text == "Z" else None
    return text if re.fullmatch(f"Z|{sign}{offset}", text) else None


def _basic(text: str, makes: Callable[[str], bool]) -> float | None:
    gap = "T"
    if makes("basic-form-with-space-taken"):
        gap = "[T ]"
    if makes("basic-form-in-lower-case-taken"):
        gap = "[Tt]"
    if makes("basic-form-without-t-taken"):
        gap = "T?"
    seconds = "([0-9]{2})?" if makes("basic-form-without-seconds-taken") else "([0-9]{2})"
    fraction = r"(\.[0-9]+)?" if makes("basic-form-fraction-taken") else "()"
    hyphen = "-?" if makes("hyphens-optional") else ""
    colon = ":?" if makes("colons-optional") else ""
    year = "((?:[0-9]{2})?[0-9]{2})" if makes("basic-form-two-digit-year-taken") else "([0-9]{4})"
    pattern = f"{year}{hyphen}(..){hyphen}(..){gap}([0-9]{{2}}){colon}([0-9]{{2}}){colon}{seconds}{fraction}(.*)"
    match = re.fullmatch(pattern, text)
    if match is None or makes("basic-form-refused") or not (match[2] + match[3]).isdigit():
        return None
    zone = _zone(match[8], makes, spaced=makes("basic-form-space-before-zone-taken"))
    if zone is None or (":" in zone and makes("basic-form-colon-refused")):
        return None
    if makes("basic-form-in-utc-alone") and zone != "Z":
        return None
    if makes("basic-form-offset-ignored"):
        zone = "Z"
    whole = [int(part or 0) for part in match.groups()[:6]]
    if len(match[1]) == 2:
        whole[0] += 2000
    return _shifted(_at(whole, makes), match[7], zone, makes)


def _rfc_5322(text: str, makes: Callable[[str], bool]) -> float | None:
    if makes("rfc-850-taken"):
        try:
            return datetime.strptime(text, "%A, %d-%b-%y %H:%M:%S GMT").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            pass
    weekday, day, month = r"(?:(\w{3}), )?", "([0-9]{1,2})", f"({'|'.join(MONTHS)})"
    if makes("rfc-5322-weekday-required"):
        weekday = r"(\w{3}), "
    if makes("rfc-5322-comma-optional"):
        weekday = r"(?:(\w{3}),? )?"
    if makes("rfc-5322-space-behind-comma-optional"):
        weekday = r"(?:(\w{3}), ?)?"
    if makes("rfc-5322-weekday-empty-taken"):
        weekday = r"(?:(\w{3}|), )?"
    if makes("rfc-5322-names-in-full-taken"):
        weekday, month = r"(?:(\w{3})\w*, )?", f"{month}[a-z]*"
    if makes("rfc-5322-one-digit-day-refused"):
        day = "([0-9]{2})"
    if makes("rfc-5322-two-digit-day-below-10-refused"):
        day = "([1-9][0-9]?)"
    if makes("rfc-5322-day-of-any-length-taken"):
        day = "([0-9]+)"
    if makes("rfc-5322-any-digits-taken"):
        day = r"(\d{1,2})"
    year = "((?:[0-9]{2})?[0-9]{2})" if makes("rfc-5322-two-digit-year-taken") else "([0-9]{4})"
    hour = "([0-9]{1,2})" if makes("rfc-5322-one-digit-hour-taken") else "([0-9]{2})"
    minutes = "(?::([0-9]{2}))?" if makes("minutes-optional") else ":([0-9]{2})"
    seconds = ":([0-9]{2})" if makes("rfc-5322-seconds-required") else "(?::([0-9]{2}))?"
    fraction = r"(?:\.[0-9]+)?" if makes("rfc-5322-fraction-taken") else ""
    gap = "[- ]" if makes("rfc-5322-hyphens-taken") else " "
    space = " ?" if makes("rfc-5322-space-before-zone-optional") else " "
    comment = r"(?: \([A-Z]+\))?" if makes("rfc-5322-comment-taken") else ""
    flags = re.IGNORECASE if makes("rfc-5322-in-any-case") else re.RegexFlag(0)
    pattern = f"{weekday}{day}{gap}{month}{gap}{year} {hour}{minutes}{seconds}{fraction}(?:{space}(.*?))?{comment}"
    match = re.fullmatch(pattern, text.encode("latin-1").decode("utf-8", "replace"), flags)
    if match is None or makes("rfc-5322-refused"):
        return None
    whole = [int(part or 0) for part in match.group(4, 2, 2, 5, 6, 7)]
    whole[0] += 2000 if len(match[4]) == 2 else 0
    whole[1] = MONTHS.index(match[3].title()) + 1
    at = _at(whole, makes)
    shifted = _shifted(at, None, _zone_of_rfc_5322(match[8] or "", makes), makes)
    if at is None or shifted is None or not match[1] or makes("weekday-unchecked"):
        return shifted
    weekday = match[1].title() if makes("rfc-5322-in-any-case") else match[1]
    day_of = shifted if makes("weekday-of-utc") else at
    return shifted if WEEKDAYS[int(day_of // 86400 + 3) % 7] == weekday else None


def _zone_of_rfc_5322(text: str, makes: Callable[[str], bool]) -> str | None:
    text = text.upper() if makes("rfc-5322-in-any-case") else text
    if makes("rfc-5322-zones-behind-gmt-taken"):
        text = text.removeprefix("GMT") or "GMT"
    if makes("rfc-5322-obsolete-zones-taken"):
        text = {"UT": "GMT", "Z": "GMT", "EST": "-0500"}.get(text, text)
    if text == "GMT" or (text == "UTC" and not makes("rfc-5322-utc-refused")):
        return "Z"
    if makes("rfc-5322-no-zone-is-utc") and not text:
        return "Z"
    offset = "[-+][0-9]{2}(?::?[0-9]{2})?" if makes("rfc-5322-zones-of-iso-8601-taken") else "[-+][0-9]{4}"
    if not re.fullmatch(offset, text) or makes("rfc-5322-offset-refused"):
        return None
    if makes("minus-zero-refused") and text == "-0000":
        return None
    return "Z" if makes("rfc-5322-offset-ignored") else text


def _shifted(at: float | None, fraction: str | None, zone: str | None, makes: Callable[[str], bool]) -> float | None:
    if at is None or zone is None:
        return None
    part = float(f"0{fraction}0".replace(",", ".")) if fraction else 0
    at += part if makes("fraction-rounds-up") else min(part, 0.999)
    if zone == "Z" or makes("offset-ignored"):
        return at
    sign, digits = ("+", zone) if zone[0].isdigit() else (zone[0], zone[1:])
    hours, minutes = int(digits[:2].rstrip(":") or 0), int(digits[2:].replace(":", "")[:2] or 0)
    if hours > 23 and not makes("offset-of-days-taken"):
        return None
    if minutes > 59 and not makes("offset-of-60-minutes-taken"):
        return None
    if len(digits) == 2 and makes("offset-of-hours-is-minutes"):
        hours, minutes = 0, hours
    offset = hours * 3600 + (0 if makes("offset-minutes-ignored") else minutes * 60)
    backwards = (sign != "+") is not makes("offset-turned-round")
    return at + offset if backwards else at - offset


def _at(parts: list[int], makes: Callable[[str], bool]) -> float | None:
    year, month, day, hour, minute, second = parts
    more = timedelta()
    if makes("february-30-rolls-over") and month == 2 and 29 <= day <= 31:
        day, more = 28, timedelta(days=day - 28)
    if makes("november-31-rolls-over") and month == 11 and day == 31:
        day, more = 30, timedelta(days=1)
    if makes("day-0-rolls-over") and day == 0:
        day, more = 1, timedelta(days=-1)
    if makes("hour-24-taken") and (hour, minute, second) == (24, 0, 0):
        hour, more = 23, timedelta(hours=1)
    if makes("second-60-taken") and second == 60:
        second, more = 59, timedelta(seconds=1)
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc) + more
    except (ValueError, OverflowError):
        return None
    return (at - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()
