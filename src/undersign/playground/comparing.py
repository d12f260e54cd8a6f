"""The string that somebody else has signed beside the one that is expected, and where they part.

What a user pastes has been through a print, a log and a text area, so it may be written as a literal and may have lost
its carriage returns; what was taken for what is said.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from ..explaining import Explanation
from .showing import Pieces, pieces

_LITERAL = re.compile(r"""[bBrRuU]{0,2}(["']).*\1\s*""", re.DOTALL)
_AROUND = 240
_ESCAPES = re.compile(r"\\(?:[nrt\\]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
_SECRET = b"\0"


def difference(explanation: Explanation, own: str, secret: bytes | None) -> dict[str, Any]:
    """What the page shows of it: whether they are the same, in a sentence, and both with the difference marked."""
    expected = explanation.canonical
    signed, notes = _read(own, expected, secret)
    found: dict[str, Any] = {"same": signed == expected, "notes": notes, "length": len(signed)}
    if signed == expected:
        return {**found, "sentence": "Your string is the one that is expected, byte for byte."}
    place = _first(expected, signed)
    part = _part_at(explanation, place)
    what = f"They differ from byte {place} on, in the part “{part}”."
    if signed == expected + b"\n":
        what = "Your string has a line feed at its end, which pasting may have put there; else it is the same."
    elif len(signed) == place:
        what = f"Your string ends at byte {place}, where the part “{part}” goes on."
    elif len(expected) == place:
        what = f"Your string goes on behind its end, from byte {place} on."
    elif signed.replace(b"\r\n", b"\n") == expected:
        what = "Your string has CR LF where LF alone is expected; else it is the same."
    return {
        **found,
        "sentence": what,
        "byte": place,
        "part": part,
        "expected": _marked(expected, signed, place),
        "own": _marked(signed, expected, place),
    }


def _read(own: str, expected: bytes, secret: bytes | None) -> tuple[bytes, list[str]]:
    """The bytes that the text stands for."""
    notes: list[str] = []
    text = own
    if own.encode("utf-8", "replace") != expected:
        literal = _of_literal(own)
        if literal is not None:
            text = literal
            notes.append("It is read as a literal in quotes.")
        elif "\n" not in own.rstrip("\n") and _ESCAPES.search(own) and b"\\" not in expected:
            text = _ESCAPES.sub(lambda escape: str(ast.literal_eval(f'"{escape[0]}"')), own)
            notes.append("Its \\n and other escapes are read as what they stand for.")
    signed = text.encode("utf-8", "surrogateescape" if text.isprintable() else "replace")
    if _SECRET in expected:
        for word in (b"<secret>", secret or b""):
            signed = signed.replace(word, _SECRET) if word else signed
    if b"\r" in expected and "\r" not in text:
        notes.append("Pasting turns CR LF into LF, so a carriage return may be missing here alone.")
    return signed, notes


def _of_literal(own: str) -> str | None:
    if not _LITERAL.fullmatch(own.strip()):
        return None
    try:
        value = ast.literal_eval(own.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else None


def _first(one: bytes, other: bytes) -> int:
    """The first byte at which they differ."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves, as bytes are compared quickly
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _part_at(explanation: Explanation, place: int) -> str:
    end = 0
    for part in explanation.parts:
        end += len(part.value)
        if place < end:
            return part.name
    return explanation.parts[-1].name if explanation.parts else ""


def _marked(value: bytes, other: bytes, place: int) -> list[tuple[str, Pieces]]:
    """The value before the difference, in it and behind it, shortened to what is around it."""
    shortest = min(len(value), len(other))
    tail = 0
    while tail < shortest - place and value[-1 - tail] == other[-1 - tail]:
        tail += 1
    end = len(value) - tail
    start = max(0, place - _AROUND)
    # Not within a character.
    while start < place and 0x80 <= value[start] < 0xC0:
        start += 1
    return [
        ("same", ([("mark", f"{start} bytes")] if start else []) + pieces(value[start:place], whole=True)),
        ("differs", pieces(value[place:end])),
        ("same", pieces(value[end:])),
    ]
