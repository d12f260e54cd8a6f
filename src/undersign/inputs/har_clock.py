"""When the request of a HAR was sent: by the client's clock, and by the server's where its answer tells that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..core.dates import format_date, parse_date
from ..errors import CannotSign

_AGE = re.compile(r"[0-9]{1,10}")
# Any clock is off by a little, and Date has whole seconds.
_TOLERANCE = 60.0
_OTHER = "--at sets another"


class HarClock(NamedTuple):
    """Unix seconds, and where they come from, in a sentence."""

    at: float
    note: str


def har_clock(entry: Mapping[str, Any]) -> HarClock | None:
    """The time to judge the request of this entry by, or None where it holds none.

    It is `startedDateTime`. The Date of the answer, with its Age, takes that place where the two differ and no cache
    can have kept the answer: then the client's clock was off, and the server has judged by its own.
    """
    try:
        return _har_clock(entry)
    except CannotSign:  # a year that no date can say
        return None


def _har_clock(entry: Mapping[str, Any]) -> HarClock | None:
    started, has_zone = _started(entry.get("startedDateTime"))
    answered, fresh = _answered(entry)
    if started is None:
        if answered is None or not fresh:
            return None
        return HarClock(answered, f"the clock is the Date of the answer in the HAR, {format_date(answered)}: {_OTHER}")
    zone = "" if has_zone else ", which has no zone and is taken for UTC"
    note = f"the clock is startedDateTime in the HAR, {format_date(started)}{zone}"
    if answered is None or abs(answered - started - _took(entry)) <= _TOLERANCE:
        return HarClock(started, f"{note}: {_OTHER}")
    date = format_date(answered)
    if not fresh:
        return HarClock(started, f"{note}, and not the Date of an answer that a cache may have kept, {date}: {_OTHER}")
    return HarClock(
        answered,
        f"the clock is the Date of the answer in the HAR, {date}, since the client's own was off: it said "
        f"{format_date(started)}{zone}; {_OTHER}",
    )


def _started(found: Any) -> tuple[float | None, bool]:
    """Unix seconds of ISO 8601 in the forms that programs write, and whether a zone is named."""
    text = found.strip() if isinstance(found, str) else ""
    at = parse_date(text)
    return (at, True) if at is not None else (parse_date(f"{text}Z"), False)


def _took(entry: Mapping[str, Any]) -> float:
    """How long the answer took, in seconds, between no time and the server's own window."""
    time = entry.get("time")
    return min(max(time, 0), 600_000) / 1000 if isinstance(time, (int, float)) and time == time else 0.0


def _answered(entry: Mapping[str, Any]) -> tuple[float | None, bool]:
    """The server's clock when it answered: Date and Age; and whether it says that of this very request."""
    response = entry.get("response")
    if not isinstance(response, dict):
        return None, False
    headers: dict[str, str] = {}
    for header in response["headers"] if isinstance(response.get("headers"), list) else ():
        if isinstance(header, dict) and isinstance(header.get("name"), str) and isinstance(header.get("value"), str):
            headers.setdefault(header["name"].lower(), header["value"].strip())
    at = parse_date(headers.get("date", ""))
    if at is None:
        return None, False
    if _AGE.fullmatch(headers.get("age", "")):
        return at + int(headers["age"]), True
    return at, not _may_be_kept(entry, response, headers)


def _may_be_kept(entry: Mapping[str, Any], response: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether a cache may have answered. RFC 9111 lets them keep answers to GET and HEAD, save for refusals."""
    cache = entry.get("cache")
    told = entry.get("_fromCache") or (isinstance(cache, dict) and cache.get("beforeRequest"))
    if told or any(name in headers for name in ("age", "x-cache", "cf-cache-status", "x-varnish")):
        return True
    request = entry.get("request")
    method = request.get("method") if isinstance(request, dict) else None
    return method in ("GET", "HEAD") and response.get("status") not in (401, 403, 407, 429, 500, 502, 503)
