"""What is left of a signature in a URL or a form that goes elsewhere.

A redirect may bring back what was signed in any shape: in a URL inside of a parameter, behind `;`, under another name,
in the path, escaped once or twice. So its value is looked for, and not the places that it is known to take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

_SHORTEST = 16  # no signature is shorter; a version or a word of the API's own may be anywhere by chance
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")


def without_traces(text: str, values: Iterable[str]) -> str:
    """The text without each of the values that are long enough to be signatures, however they are escaped in it."""
    plain = _unescaped(text).lower()
    for value in values:
        # What is not there at all costs no pattern.
        if len(value) >= _SHORTEST and _latin(value).lower() in plain:
            text = _pattern(value).sub("", text)
    return text


def _unescaped(text: str) -> str:
    """The text with all escapes of escapes resolved."""
    while (less := unquote(text, "latin-1")) != text:
        text = less
    return text


def _latin(value: str) -> str:
    return value.encode("utf-8", "surrogatepass").decode("latin-1")


@lru_cache(maxsize=64)
def _pattern(value: str) -> re.Pattern[str]:
    octets = value.encode("utf-8", "surrogatepass")
    # A hex digest is the same in either case.
    return re.compile("".join(map(_octet, octets)), re.IGNORECASE if _HEX.fullmatch(value) else 0)


def _octet(octet: int) -> str:
    """One byte as it is, or percent-encoded as often as may be."""
    high, low = f"{octet >> 4:x}", f"{octet & 15:x}"
    escaped = f"%(?:25)*[{high}{high.upper()}][{low}{low.upper()}]"
    bare = re.escape(chr(octet)) if octet < 0x80 else f"\\x{octet:02x}"
    return f"(?:{bare}|{escaped})"
