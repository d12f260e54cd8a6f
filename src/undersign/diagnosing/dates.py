"""The other ways in which clients write the instant of a Date header."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.dates import format_date, format_http_date, parse_date
from ..errors import CannotSign
from .cause import Cause, difference
from .changes import Change

_ISO_8601 = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9:]+)(\.[0-9]+)? ?(.*)")


def date_changes(header: str, right: bytes) -> Iterator[Change]:
    """The changes of the date to another writing of the same instant, the usual ones first."""
    at = parse_date(header)
    if at is None:
        return
    try:
        usual, lone = _writings(at, header)
    except CannotSign:  # of the years 1 and 9999, in UTC in the years 0 and 10000
        return
    for text in dict.fromkeys((*usual, *lone)):
        value = text.encode("latin-1")
        detail = (
            "The client signed another writing of the date than it sent: write it once, and sign the header's value "
            f"({difference(right, value, 'date')})."
        )
        yield Change("date", value, (Cause("date-differs", detail),), lone=text not in usual)


def problem_of_date(name: str, text: str) -> str:
    """What is wrong with the value of the header of that name, which is no date that is read."""
    remedy = "write it as YYYY-MM-DDThh:mm:ssZ"
    if any(parse_date(text + zone) is not None for zone in ("Z", " GMT")):
        return f"The {name} header names no zone: {remedy}."
    return f"The {name} header is not a date in a form that is read: {remedy}."


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
    usual += [f"{day}T{clock}.000000Z", f"{day}T{clock}.000000+00:00"]
    usual += [f"{day.replace('-', '')}T{clock.replace(':', '')}{zone}" for zone in ("Z", "+0000")]
    if clock.endswith(":00"):
        usual += [f"{day}T{clock[:5]}{zone}" for zone in ("Z", "+00:00")]
    lone: list[str] = []
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
    lone += [f"{day}T{clock}.{fraction:03d}{zone}" for zone in ("Z", "+00:00") for fraction in range(1000)]
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
