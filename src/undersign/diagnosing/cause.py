"""What a diagnosis says: a code from a fixed list, and a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CODES = (
    "header-missing",
    "header-repeated",
    "clock-skew",
    "timezone",
    "date-differs",
    "method-case",
    "content-type-case",
    "content-type-parameters",
    "content-type-default",
    "body-trailing-newline",
    "body-line-endings",
    "body-reserialised",
    "body-empty",
    "body-encoding",
    "body-digest-form",
    "target-no-query",
    "target-absolute",
    "target-no-path-prefix",
    "target-decoded",
    "target-reencoded",
    "target-fragment",
    "target-query-order",
    "custom-headers-line",
    "string-trailing-newline",
    "line-endings",
    "timestamp-milliseconds",
    "timestamp-format",
    "concatenation-order",
    "separator",
    "signature-case",
    "signature-encoding",
    "algorithm",
    "secret-whitespace",
    "secret-encoding",
    "secret-other",
    "key-encoded",
    "user-escaping",
    "provider",
    "multipart-as-empty",
    "unexplained",
)
"""Every code. Where two names fit one mistake, the earlier one is given."""

_RANK = {code: rank for rank, code in enumerate(CODES)}
_ZONE_STEP = 900
_ZONE_SLACK = 120


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a signature does not match: what the client did, and what it should do.

    `code` is one of CODES. `detail` is a sentence that holds neither a secret nor a signature; it may quote key ids
    and names of headers, so it is for logs and terminals and not for the client of a server.
    """

    code: str
    detail: str


def unexplained(detail: str = "") -> tuple[Cause, ...]:
    """The answer where no cause is certain."""
    known = (
        "No known mistake gives the signature that was sent: compare the client's string to sign, line by line, with "
        "the right one, which `undersign sign --explain` or undersign.explaining shows."
    )
    return (Cause("unexplained", detail or known),)


def in_order(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """The causes in the order of CODES, one for each code and detail."""
    return tuple(sorted(dict.fromkeys(causes), key=rank))


def rank(cause: Cause) -> int:
    return _RANK[cause.code]


def clock_cause(ahead: float) -> Cause:
    """What is wrong with a client whose time lies so many seconds ahead of the clock (negative: behind)."""
    steps = round(ahead / _ZONE_STEP)
    side = "ahead of" if ahead > 0 else "behind"
    off = abs(ahead - steps * _ZONE_STEP)
    if off <= _ZONE_SLACK and steps and -12 * 3600 <= steps * _ZONE_STEP <= 14 * 3600:
        hours, minutes = divmod(abs(steps) * 15, 60)
        return Cause(
            "timezone",
            f"The client's time is {hours}:{minutes:02d} hours {side} the clock, as local time that is sent as UTC: "
            "take the time in UTC.",
        )
    return Cause(
        "clock-skew",
        f"The client's time is {abs(ahead):.0f} seconds {side} the clock, which is outside the window: set its clock, "
        "by NTP, and sign right before sending.",
    )


def difference(sent: bytes, signed: bytes, part: str, first: str = "as sent", second: str = "as signed") -> str:
    """Where two spellings of a part of the request part ways: the first byte that differs, in each of them."""
    place, end = 0, min(len(sent), len(signed)) + 1
    while end - place > 1:  # by halves, since bodies are long
        middle = (place + end) // 2
        if sent[place:middle] == signed[place:middle]:
            place = middle
        else:
            end = middle
    return f"{part} byte {place} is {_shown(sent, place)} {first} and {_shown(signed, place)} {second}"


def string_difference(right: bytes, signed: bytes) -> str:
    """The same for whole strings to sign, of which none is sent."""
    return difference(right, signed, "string to sign", "as it should be")


def _shown(value: bytes, place: int) -> str:
    return f"0x{value[place]:02x}" if place < len(value) else "past the end"
