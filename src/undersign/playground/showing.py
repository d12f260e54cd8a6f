"""Bytes as the page shows them: text, and marks for what is not seen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.message import Request
from ..explaining import visible

MARK, TEXT = "mark", "text"

_NAMED = {"\n": "LF", "\r": "CR", "\t": "TAB", "\0": "secret"}
# What stays as it is: a run of what can be seen, with single spaces in it.
_SEEN = re.compile(r"[^\x00-\x1f\x7f\s]+(?: [^\x00-\x1f\x7f\s]+)*")
_LONGEST, _BEGINNING, _END = 6000, 3000, 1000

Pieces = list[tuple[str, str]]


def pieces(value: bytes, *, whole: bool = False) -> Pieces:
    """The value as (kind, text), kind being `text` or `mark`; the middle of a long one is left out, unless `whole`."""
    if len(value) <= _LONGEST or whole:
        return list(_pieces(value))
    left_out = len(value) - _BEGINNING - _END
    return [*_pieces(value[:_BEGINNING]), (MARK, f"{left_out} bytes"), *_pieces(value[-_END:])]


def _pieces(value: bytes) -> Iterator[tuple[str, str]]:
    text = value.decode("utf-8", "surrogateescape")
    place, held = 0, ""
    while place < len(text):
        match = _SEEN.match(text, place)
        if (
            match is not None
            and match[0].isprintable()
            and visible(match[0].encode(errors="surrogateescape")) == (match[0].replace("\\", "\\\\"))
        ):
            held += match[0]
            place = match.end()
            continue
        character = text[place]
        if character == " " and 0 < place < len(text) - 1 and text[place - 1] != " " != text[place + 1]:
            held += " "
        elif match is not None and visible(character.encode(errors="surrogateescape")) in (character, "\\\\"):
            held += character
        else:
            if held:
                yield TEXT, held
            held = ""
            yield MARK, _name(character)
        place += 1
    if held:
        yield TEXT, held


def _name(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"0x{code - 0xDC00:02x}"
    return "SP" if character == " " else f"U+{code:04X}"


def copied(value: bytes) -> str:
    """The value as text to be copied; the NUL that stands for the secret becomes a word."""
    return value.decode("utf-8", "backslashreplace").replace("\0", "<secret>")


def as_http(request: Request) -> str:
    """The request as raw HTTP, its lines ended by LF, as a text area holds it."""
    head = [f"{request.method} {request.target} HTTP/1.1"]
    head += [f"{name}: {value.encode('latin-1').decode('utf-8', 'replace')}" for name, value in request.headers]
    body = request.body if isinstance(request.body, bytes) else b""
    return "\n".join(head) + "\n\n" + body.decode("utf-8", "backslashreplace")
