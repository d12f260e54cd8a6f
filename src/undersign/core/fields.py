"""The fields of queries and of urlencoded forms: found by their decoded names, and set without touching a byte beside.

Source: the URL Standard's application/x-www-form-urlencoded, as the servers of the keyed timestamp parse it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TypeAlias

from ..errors import CannotSign

FORM = "application/x-www-form-urlencoded"
"""The media type of a form whose fields are read."""

_NO_VARIABLE = str.maketrans(".[ ", "___")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")

Pairs: TypeAlias = tuple[tuple[str, str], ...]


def fields(encoded: str, names: Collection[str]) -> Pairs:
    """The fields of those names in a query or form (Latin-1, as on the wire), in order.

    Names are compared and returned decoded, values are as they stand.
    """
    found: list[tuple[str, str]] = []
    longest, is_ascii = 0, encoded.isascii()
    for part in encoded.split("&"):
        name, _, value = part.partition("=")
        if "%" in name or "+" in name or not (is_ascii or name.isascii()):
            # An escaped character is up to 12 long; no name is decoded in vain.
            longest = longest or max(map(len, names)) * 12
            if len(name) > longest:
                continue
            name = decode_field(name)
        if name in names:
            found.append((name, value))
    return tuple(found)


def has_field(encoded: str, name: str) -> bool:
    """Whether a query or form (Latin-1, as on the wire) has a field that a framework behind may take for that name.

    PHP passes over spaces in front of a name, ends it at a NUL, and writes _ where a name of its variables may not
    have what stands there. Rack passes over spaces as well.
    """
    wanted = _as_variable(name)
    return any(_as_variable(decode_field(part.partition("=")[0])) == wanted for part in encoded.split("&"))


def _as_variable(name: str) -> str:
    return name.partition("\0")[0].lstrip(" ").translate(_NO_VARIABLE)


def decode_field(value: str, errors: str = "replace") -> str:
    """A name or value of a query or form as text. Raises UnicodeDecodeError only where `errors` is "strict"."""
    if "%" not in value and "+" not in value and value.isascii():
        return value
    from urllib.parse import unquote_to_bytes  # slow to import, and most names and values need it not

    wire = value.replace("+", " ").encode("latin-1", "replace")
    return unquote_to_bytes(wire).decode("utf-8", errors)


def percent_encoded(text: str) -> str:
    """The text in UTF-8, all but unreserved characters escaped. Raises UnicodeEncodeError for a lone surrogate."""
    if _UNRESERVED.fullmatch(text):
        return text
    from urllib.parse import quote  # slow to import, and most names and values need it not

    return quote(text, safe="")


def set_fields(encoded: str, pairs: Pairs) -> str | CannotSign:
    """A query or form (Latin-1, as on the wire) with the pairs set in it, replaced in place or appended.

    All other characters stay. Returns CannotSign for a name that is there more than once.
    """
    parts = encoded.split("&")
    names = [part.partition("=")[0] for part in parts]
    if "%" in encoded or "+" in encoded or not encoded.isascii():
        names = [decode_field(name) for name in names]
    for name, value in pairs:
        try:
            written, written_name = percent_encoded(value), percent_encoded(name)
        except UnicodeEncodeError:
            return CannotSign(f"the parameter {name!r} holds a lone surrogate, which is not text")
        places = names.count(name)
        if places > 1:
            return CannotSign(f"the parameter {name!r} is there {places} times: leave one, or none")
        if places:
            place = names.index(name)
            parts[place] = f"{parts[place].partition('=')[0]}={written}"
        elif parts[-1]:
            parts.append(f"{written_name}={written}")
            names.append(name)
        else:  # nothing, or what ends in &
            parts[-1], names[-1] = f"{written_name}={written}", name
    return "&".join(parts)


def set_query(target: str, pairs: Pairs) -> str | CannotSign:
    """The same for the query of a target or URL without a fragment."""
    path, _, query = target.partition("?")
    patched = set_fields(query, pairs)
    return patched if isinstance(patched, CannotSign) else f"{path}?{patched}"
