"""What reading the answers of goTom and GoGrid has in common: bounds, strict JSON, and text that is safe in a log.

What a server sends is untrusted: it may be truncated, huge, or made to do harm.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Protocol

from ..core.text import printable, shortened

LIMIT = 4 * 1024 * 1024
"""The largest answer that is read, in bytes."""
DEPTH = 32
"""How deep lists and objects may be nested."""

VALUES = 100_000
"""How many values an answer may hold, in whatever format: each takes a hundred times its byte in memory."""

_LONGEST_NUMBER = 40
_LONGEST_TEXT = 499


class HttpResponse(Protocol):
    """What is used of a response: requests, httpx and their relatives have it."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class NotReadable(Exception):
    """Why an answer cannot be read, as a sentence. It does not leave this package."""


def decode(content: bytes, limit: int) -> str:
    """The answer as text, without a byte order mark. Raises NotReadable."""
    if len(content) > limit:
        raise NotReadable(f"it is larger than {limit} bytes")
    # Each value has one of these beside it. In a text they count too, since to tell takes reading it.
    if max(map(content.count, (b",", b"=", b"\n", b"\r"))) > VALUES:
        raise NotReadable(f"it holds more than {VALUES:,} values")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable("it is not UTF-8") from None


def load_json(text: str) -> Any:
    """The value of a JSON text. Raises NotReadable.

    Refused are what RFC 8259 does not know (NaN, Infinity), what it leaves open and programs read differently (a name
    that is there twice, numbers beyond a float), and lists and objects nested too deep.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except RecursionError:
        raise NotReadable(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise NotReadable(f"it is not JSON, or breaks off: {error.msg} at character {error.pos}") from None
    _check_depth(value)
    return value


def clean(text: str) -> str:
    """Text of a server's, fit for a log: on one line, without control characters, and not too long."""
    return shortened(" ".join(printable(text[: 2 * _LONGEST_TEXT], " ").split()), _LONGEST_TEXT)


def header(response: HttpResponse, name: str) -> str:
    """The value of the header of that name (lower case), else nothing."""
    return next((value for key, value in response.headers.items() if key.lower() == name), "")


_TOO_DEEP = f"it is nested deeper than {DEPTH} levels"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotReadable("an object has the same name twice")
    return found


def _constant(name: str) -> Any:
    raise NotReadable(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise NotReadable("a number has too many digits")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotReadable("a number is too large")
    return number


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise NotReadable(_TOO_DEEP)
