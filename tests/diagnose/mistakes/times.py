"""What goes wrong with clocks, with times as they are written, and with the key id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from .client import NOW
from .kinds import Mistake


def clock(seconds: float) -> dict[str, Any]:
    return {"at": lambda now: now + seconds}


SKEW = "clock-skew"
ZONE = "timezone"
EITHER = f"{SKEW}|{ZONE}"
TIMED = "timed"
CLOCKS = [
    Mistake("clock", "slow by 40 minutes", SKEW, clock(-2437), TIMED),
    Mistake("clock", "fast by 35 minutes", SKEW, clock(2137), TIMED),
    Mistake("clock", "wrong day", SKEW, clock(-86_400 * 3 - 311), TIMED),
    Mistake("clock", "getMonth() counts from 0", SKEW, clock(-31 * 86_400), "sent-time"),
    Mistake("clock", "local time east of UTC", f"{ZONE}|{SKEW}", clock(3600 + 3), TIMED),
    Mistake("clock", "local time of India", f"{ZONE}|{SKEW}", clock(5.5 * 3600 - 5), TIMED),
    Mistake("clock", "local time of New York", EITHER, clock(-5 * 3600 - 2), TIMED),
    Mistake("clock", "a signature of an hour ago", SKEW, clock(-3637), TIMED),
    Mistake("clock", "a signature of this morning", SKEW, clock(-2 * 3600 - 700), TIMED),
    Mistake("clock", "12 hours for 24", EITHER, clock(-12 * 3600), TIMED),
]


def shifted(seconds: int) -> Callable[[str], str]:
    """The same writing of another second."""

    def change(time: str) -> str:
        for form in FORMS:
            try:
                at = datetime.strptime(time, form).replace(tzinfo=timezone.utc)
            except ValueError:
                continue
            other = datetime.fromtimestamp(at.timestamp() + seconds, timezone.utc)
            text = other.strftime(form)
            return text[:-4] + "Z" if form.endswith("%fZ") else text
        return str(int(time) + seconds * (1000 if len(time) > 11 else 1)) if time.isdigit() else time

    return change


FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%a, %d %b %Y %H:%M:%S GMT", "%Y-%m-%d %H:%M:%S")
_AT = datetime.fromtimestamp(NOW, timezone.utc)


def written(form: str) -> dict[str, Any]:
    return {"signed.time": lambda time: _AT.strftime(form) if time else time}


DIFFERS = "date-differs|timestamp-format"
UNITS = "timestamp-milliseconds|timestamp-seconds|timestamp-format|date-differs"
SENT = "sent-time"
TIMES = [
    Mistake("time", "read a second later", "date-near|date-differs", {"signed.time": shifted(-1)}, SENT),
    Mistake("time", "read three seconds later", "date-near|date-differs", {"signed.time": shifted(-3)}, SENT),
    Mistake("time", "signed later than it was written", "date-near|date-differs", {"signed.time": shifted(1)}, SENT),
    Mistake("time", "an old signature with a new time", "date-near|date-differs", {"signed.time": shifted(-60)}, SENT),
    Mistake("time", "signed an ISO date", DIFFERS, written("%Y-%m-%dT%H:%M:%SZ"), TIMED),
    Mistake("time", "signed +00:00", DIFFERS, written("%Y-%m-%dT%H:%M:%S+00:00"), TIMED),
    Mistake("time", "signed milliseconds in ISO", DIFFERS, written("%Y-%m-%dT%H:%M:%S.000Z"), TIMED),
    Mistake("time", "signed a space for the T", DIFFERS, written("%Y-%m-%d %H:%M:%S"), TIMED),
    Mistake("time", "signed an HTTP date", DIFFERS, written("%a, %d %b %Y %H:%M:%S GMT"), TIMED),
    Mistake("time", "signed date -R", DIFFERS, written("%a, %d %b %Y %H:%M:%S +0000"), TIMED),
    Mistake("time", "signed Unix seconds", UNITS, {"signed.time": lambda t: str(NOW) if t else t}, TIMED),
    Mistake("time", "signed Unix milliseconds", UNITS, {"signed.time": lambda t: f"{NOW}000" if t else t}, TIMED),
    Mistake(
        "time", "milliseconds, not whole", UNITS, {"signed.time": lambda t: f"{NOW}371" if t else t}, "unsent-time"
    ),
    Mistake("time", "a float of seconds", DIFFERS, {"signed.time": lambda t: f"{NOW}.0" if t else t}, TIMED),
    Mistake(
        "time", "a float with a fraction", DIFFERS, {"signed.time": lambda t: f"{NOW}.52" if t else t}, "unsent-time"
    ),
    Mistake("time", "in quotes", f"{DIFFERS}|separator", {"signed.time": lambda t: t and f'"{t}"'}, TIMED),
    Mistake(
        "time",
        "a space in front",
        f"{DIFFERS}|separator|custom-headers-line",
        {"signed.time": lambda t: t and " " + t},
        TIMED,
    ),
    Mistake(
        "time",
        "a space behind",
        f"{DIFFERS}|separator|custom-headers-line",
        {"signed.time": lambda t: t and t + " "},
        TIMED,
    ),
    Mistake(
        "time",
        "a newline behind",
        f"{DIFFERS}|separator|part-missing",
        {"signed.time": lambda t: t and t + "\n"},
        TIMED,
    ),
    Mistake("time", "not signed", f"part-missing|{DIFFERS}", {"signed.time": lambda _: ""}, TIMED),
    Mistake(
        "time",
        "seconds in ten digits of nanoseconds",
        f"{UNITS}",
        {"signed.time": lambda t: f"{NOW}000000000" if t else t},
        "unsent-time",
    ),
]


def both(change: Callable[[str], str]) -> dict[str, Any]:
    """Signed and sent alike, and not as the scheme has it."""
    return {"signed.time": change, "sent.time": change, "broken": True}


def of_now(form: str) -> dict[str, Any]:
    return both(lambda _: _AT.strftime(form))


UNREAD = "timestamp-format|date-differs"
FORMS_SENT = [
    Mistake("time form", "UTC with another zone behind", EITHER, of_now("%Y-%m-%dT%H:%M:%S+01:00"), "gotom sinch"),
    Mistake("time form", "milliseconds for seconds", UNITS, both(lambda _: f"{NOW}371"), "unix"),
    Mistake(
        "time form",
        "a fraction of a second",
        UNREAD,
        both(lambda _: f"{NOW}.371"),
        "slack zoom stripe standard-webhooks podcast-index pusher ovh parcels acquia-v2",
    ),
    Mistake("time form", "an ISO date for Unix seconds", UNREAD, of_now("%Y-%m-%dT%H:%M:%SZ"), "unix"),
    Mistake("time form", "an HTTP date for Unix seconds", UNREAD, of_now("%a, %d %b %Y %H:%M:%S GMT"), "unix"),
    Mistake("time form", "seconds for milliseconds", UNITS, both(lambda _: str(NOW)), "millis"),
    Mistake("time form", "microseconds", UNITS, both(lambda _: f"{NOW}371204"), "millis unix"),
    Mistake("time form", "an ISO date for milliseconds", UNREAD, of_now("%Y-%m-%dT%H:%M:%SZ"), "millis"),
    Mistake("time form", "Unix seconds for a date", UNITS, both(lambda _: str(NOW)), "iso_millis iso http_date bokun"),
    Mistake(
        "time form", "Unix milliseconds for a date", UNITS, both(lambda _: f"{NOW}000"), "iso_millis iso http_date"
    ),
    Mistake("time form", "a T in the date", UNREAD, of_now("%Y-%m-%dT%H:%M:%SZ"), "bokun"),
    Mistake("time form", "a date without its zone", UNREAD, of_now("%Y-%m-%dT%H:%M:%S"), "iso iso_millis"),
    Mistake(
        "time form",
        "a date without its time",
        f"{UNREAD}|clock-skew|timezone",
        of_now("%Y-%m-%d"),
        "iso iso_millis bokun http_date",
    ),
    Mistake(
        "time form",
        "another language's day",
        UNREAD,
        both(lambda _: _AT.strftime("Do, %d Nov %Y %H:%M:%S GMT")),
        "http_date",
    ),
]

KEY_ID = "key-id-differs|key-encoded"
IDS = [
    Mistake("key id", "signed in lower case", KEY_ID, {"signed.key_id": str.lower}, "id"),
    Mistake("key id", "signed in upper case", KEY_ID, {"signed.key_id": str.upper}, "id"),
    Mistake("key id", "signed with a newline", KEY_ID, {"signed.key_id": lambda k: k + "\n"}, "id"),
    Mistake("key id", "signed with a space in front", KEY_ID, {"signed.key_id": lambda k: " " + k}, "id"),
    Mistake("key id", "signed escaped", KEY_ID, {"signed.key_id": lambda k: quote(k, safe="")}, "id"),
    Mistake("key id", "signed in quotes", KEY_ID, {"signed.key_id": lambda k: f'"{k}"'}, "id"),
    Mistake("key id", "not signed", "part-missing|" + KEY_ID, {"signed.key_id": lambda _: ""}, "id"),
]
