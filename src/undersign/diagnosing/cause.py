"""What a diagnosis says: a code from a fixed list, and a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.text import agreement

CODES = (
    "header-missing",
    "header-repeated",
    "header-name",
    "carrier",
    "key-unknown",
    "clock-skew",
    "timezone",
    "date-differs",
    "date-near",
    "method-case",
    "method-differs",
    "content-type-case",
    "content-type-parameters",
    "content-type-default",
    "body-trailing-newline",
    "body-line-endings",
    "body-reserialised",
    "body-empty",
    "body-default",
    "body-format",
    "body-compressed",
    "body-encoding",
    "body-digest-form",
    "target-no-query",
    "target-with-query",
    "target-absolute",
    "target-slash",
    "target-no-path-prefix",
    "target-decoded",
    "target-reencoded",
    "target-fragment",
    "target-normalised",
    "target-query-order",
    "target-case",
    "target-parameter",
    "host-differs",
    "custom-headers-line",
    "string-trailing-newline",
    "line-endings",
    "timestamp-milliseconds",
    "timestamp-seconds",
    "timestamp-format",
    "concatenation-order",
    "separator",
    "part-missing",
    "string-encoding",
    "signature-case",
    "signature-encoding",
    "algorithm",
    "secret-whitespace",
    "secret-key-id",
    "secret-quoting",
    "secret-cut",
    "secret-encoding",
    "secret-other",
    "key-encoded",
    "key-id-differs",
    "user-escaping",
    "provider",
    "multipart-as-empty",
    "unexplained",
)
"""Every code. Where two names fit one mistake, the earlier one is given."""

_RANK = {code: rank for rank, code in enumerate(CODES)}
_ZONE_STEP = 900
_ZONE_SLACK = 120
_ZONES_BEHIND = frozenset({12, 14, *range(16, 49, 4), 38})  # UTC-3 to UTC-12, in quarters of an hour


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
        "No known mistake gives the signature that was sent. Either the client has another secret, or it signs "
        "another string. Compare the secrets first; then print the string that the client signs into a file: "
        "`undersign explain REQUEST --signed-string FILE` shows where it differs from the right one."
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
    off = abs(ahead - steps * _ZONE_STEP)
    hours, minutes = divmod(abs(steps) * 15, 60)
    whole = f"{hours}:{minutes:02d} hours"
    if ahead > 0:
        # No signature is made in advance, so only a clock can be ahead.
        if steps and off <= _ZONE_SLACK and steps * _ZONE_STEP <= 14 * 3600:
            detail = f"The client's time is {whole} ahead of the clock, as local time that is sent as UTC"
            return Cause("timezone", f"{detail}: take the time in UTC.")
        detail = f"The client's time is {ahead:.0f} seconds ahead of the clock, which is outside the window"
        return Cause("clock-skew", f"{detail}: set its clock, by NTP.")
    # An old signature that is sent again is behind as well, and by any time: only where people live whose clocks are
    # so far behind, and to the minute, is it taken for a zone.
    if abs(steps) in _ZONES_BEHIND and off <= _ZONE_SLACK / 2:
        detail = f"The client's time is {whole} behind the clock, as local time that is sent as UTC"
        return Cause("timezone", f"{detail}: take the time in UTC, and sign each request right before it is sent.")
    detail = (
        f"The client's time is {-ahead:.0f} seconds behind the clock, which is outside the window: either its clock is "
        "behind, or the signature is an old one that was kept, queued or sent again"
    )
    return Cause("clock-skew", f"{detail}. Set the clock, by NTP, and sign each request right before it is sent.")


def difference(sent: bytes, signed: bytes, part: str, first: str = "as sent", second: str = "as signed") -> str:
    """Where two spellings of a part of the request part ways: the first byte that differs, in each of them."""
    place = agreement(sent, signed)
    return f"{part} byte {place} is {_shown(sent, place)} {first} and {_shown(signed, place)} {second}"


def string_difference(right: bytes, signed: bytes) -> str:
    """The same for whole strings to sign, of which none is sent."""
    return difference(right, signed, "string to sign", "as it should be")


def _shown(value: bytes, place: int) -> str:
    return f"0x{value[place]:02x}" if place < len(value) else "past the end"
