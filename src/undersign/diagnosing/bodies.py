"""What clients sign in place of a body: other bytes of the same content, or none."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from ..core.message import Request
from .cause import Cause, difference
from .changes import Change

_SMALL_JSON = 4096
_LARGEST_JSON = 256 * 1024


def bodies(request: Request) -> Iterator[Change]:
    """Other bodies, as bytes. The caller hashes each of them once."""
    body = request.body
    is_upload = request.method.upper() == "POST" and "multipart/form-data" in request.media_types()
    where = difference(body, b"", "body") if isinstance(body, bytes) else f"{body.length} of them"
    if is_upload:
        detail = f"The client signed a multipart upload as if it had no body: sign the bytes that are sent ({where})."
        yield Change("body", b"", (Cause("multipart-as-empty", detail),))
    else:
        detail = f"The client signed the request as if it had no body: sign the bytes that are sent ({where})."
        yield Change("body", b"", (Cause("body-empty", detail),))
    if not isinstance(body, bytes) or not body:
        return
    first = [
        *_trailing_newline(body),
        *_line_endings(body),
        *_encoding(body),
        *(_reserialised(body) if len(body) <= _LARGEST_JSON else ()),
    ]
    for code, detail, value in first:
        yield Change("body", value, (Cause(code, detail),))
    for code, detail, value in first:
        if value == body:
            continue
        cheap = [*_trailing_newline(value), *(_line_endings(value) if len(first) < 64 else ())]
        if code not in ("body-reserialised", "body-encoding"):
            cheap += _encoding(value)
        for other, why, twice in cheap:
            if other != code and twice not in (value, body):
                yield Change("body", twice, (Cause(code, detail), Cause(other, why)))


def _trailing_newline(body: bytes) -> list[tuple[str, str, bytes]]:
    found = []
    for value in (body + b"\n", body + b"\r\n", body.removesuffix(b"\n").removesuffix(b"\r"), body.rstrip(b"\r\n")):
        what = "with" if len(value) > len(body) else "without"
        detail = (
            f"The client signed the body {what} a newline at its end and sent it otherwise: sign the bytes that are "
            f"sent ({difference(body, value, 'body')})."
        )
        found.append(("body-trailing-newline", detail, value))
    return found


def _line_endings(body: bytes) -> list[tuple[str, str, bytes]]:
    unix = body.replace(b"\r\n", b"\n")
    found = []
    for value in (unix, unix.replace(b"\n", b"\r\n"), unix.replace(b"\n", b"\r")):
        if value != body:
            detail = (
                "The client signed the body with other line endings than it sent: sign the bytes that are sent "
                f"({difference(body, value, 'body')})."
            )
            found.append(("body-line-endings", detail, value))
    return found


def _encoding(body: bytes) -> list[tuple[str, str, bytes]]:
    if body.isascii():
        return []
    found = []
    pairs = [
        ("utf-8", "latin-1"),
        ("utf-8", "cp1252"),
        ("latin-1", "utf-8"),
        ("cp1252", "utf-8"),
        ("utf-8", "utf-16-le"),
    ]
    for sent, signed in pairs:
        try:
            value = body.decode(sent).encode(signed)
        except UnicodeError:
            continue
        detail = (
            f"The client signed the body in {signed} and sent it otherwise: encode it once, and sign these bytes "
            f"({difference(body, value, 'body')})."
        )
        found.append(("body-encoding", detail, value))
    return found


def _reserialised(body: bytes) -> Iterator[tuple[str, str, bytes]]:
    if body.lstrip()[:1] not in (b"{", b"["):
        return
    try:
        text = body.decode()
        parsed = [json.loads(text)]
        if "." in text or "e" in text.lower():
            parsed.append(json.loads(text, parse_float=_as_javascript))
        yield from _written(body, parsed)
    except (ValueError, RecursionError):
        return


def _written(body: bytes, parsed: list[Any]) -> Iterator[tuple[str, str, bytes]]:
    seen = {body}
    # Indented JSON is written by Python code and slowly, so a large body is written without the rarer combinations.
    large = len(body) > _SMALL_JSON
    for value in parsed:
        orders = [value]
        if not large and isinstance(value, dict) and 1 < len(value) <= 4:
            orders += [dict(items) for items in itertools.permutations(value.items())][1:]
        for place, ordered in enumerate(orders):
            layouts: list[tuple[Any, Any]] = [(None, (",", ":")), (None, (", ", ": "))]
            if place == 0:
                layouts += [(2, None), (4, None)] + ([] if large else [("\t", None)])
            for indent, separators in layouts:
                for sort in (False, True) if place == 0 else (False,):
                    for ascii_only in (False,) if body.isascii() and b"\\u" not in body else (False, True):
                        text = json.dumps(
                            ordered, indent=indent, separators=separators, sort_keys=sort, ensure_ascii=ascii_only
                        )
                        for written in (text, text.replace("/", "\\/")) if "/" in text else (text,):
                            found = written.encode()
                            if found not in seen:
                                seen.add(found)
                                detail = (
                                    "The client wrote the JSON twice, once to sign and once to send, with other "
                                    "spacing, key order or escapes: write it once, and sign the bytes that are sent "
                                    f"({difference(body, found, 'body')})."
                                )
                                yield "body-reserialised", detail, found


def _as_javascript(number: str) -> Any:
    value = float(number)
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
