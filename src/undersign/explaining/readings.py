r"""What the bytes of a file may stand for, that holds a string to sign as its client has printed it.

A print adds a newline, a shell of Windows saves UTF-16 and CR LF, a debugger puts quotes around and writes `\n` out. So
the bytes may be meant as they stand, or without one or several of these.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_BOM = codecs.BOM_UTF8
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_QUOTED = re.compile(rb"""[bBuUrR]{0,2}(?P<quote>["'`])(?P<text>.*)(?P=quote)[;,]?""", re.DOTALL)
_DUMPED = re.compile(rb'string\([0-9]+\) (".*")', re.DOTALL)  # PHP's var_dump
_LABEL = re.compile(rb"[^\n]{0,160}?(?i:string|sign|canonical|message|payload)[^\n]{0,40}?[:=]>?[ \t]*\n?")
_ESCAPE = re.compile(rb"""\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([nrt0abfve"'\\/`$]))""")
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_NAMED[b"e"] = b"\x1b"

READINGS = {
    "utf-16": "from UTF-16",
    "bom": "without the byte order mark",
    "newline": "without the newline at its end",
    "crlf": "with CR LF as LF",
    "label": "without the label in front of it",
    "quotes": "without the quotes around it",
    "escapes": r"with \n and other escapes as what they stand for",
}
"""What is done to the bytes of a file, in this order: by code, and in words."""


class Reading(NamedTuple):
    """The bytes that are meant, and the codes of READINGS that lead there: none where they are those of the file."""

    steps: tuple[str, ...]
    value: bytes

    def __repr__(self) -> str:  # it may hold a secret
        return f"Reading({self.steps!r}, <{len(self.value)} bytes>)"

    def __str__(self) -> str:
        """How the file was read, as the end of a sentence."""
        return ", ".join(READINGS[step] for step in self.steps) or "as its bytes stand"


def readings(content: bytes) -> list[Reading]:
    """What the content may stand for, its own bytes first, then by how much is done to it."""
    found = [Reading((), content)]
    for step in READINGS:
        for reading in tuple(found):
            found += [Reading((*reading.steps, step), value) for value in _DONE[step](reading.value)]
    unique: dict[bytes, Reading] = {}
    for reading in sorted(found, key=lambda reading: len(reading.steps)):
        unique.setdefault(reading.value, reading)
    return list(unique.values())


def _from_utf_16(value: bytes) -> Iterator[bytes]:
    encoding = _UTF_16.get(value[:2])
    text = value[2:] if encoding else value
    if encoding is None and len(value) > 2 and len(value) % 2 == 0:  # without its mark: every other byte of ASCII is 0
        encoding = "utf-16-le" if not any(value[1:40:2]) else "utf-16-be" if not any(value[0:40:2]) else None
    if encoding:
        try:
            yield text.decode(encoding).encode()
        except UnicodeError:
            return


def _without_bom(value: bytes) -> Iterator[bytes]:
    if value.startswith(_BOM):
        yield value.removeprefix(_BOM)


def _without_newline(value: bytes) -> Iterator[bytes]:
    if value.endswith(b"\n"):
        one = value[:-1].removesuffix(b"\r")
        yield one
        if (without := value.rstrip(b"\r\n")) != one:
            yield without


def _with_lf(value: bytes) -> Iterator[bytes]:
    if b"\r" in value:
        yield value.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _without_label(value: bytes) -> Iterator[bytes]:
    if label := _LABEL.match(value):
        yield value[label.end() :]


def _without_quotes(value: bytes) -> Iterator[bytes]:
    text = value.strip()
    if dumped := _DUMPED.fullmatch(text):
        text = dumped[1]
    if quoted := _QUOTED.fullmatch(text):
        yield quoted["text"]


def _unescaped(value: bytes) -> Iterator[bytes]:
    changed = _ESCAPE.sub(_escaped_byte, value)
    if changed != value:
        yield changed


def _escaped_byte(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes([int(match[1], 16)])
    if match[2]:
        return chr(int(match[2], 16)).encode("utf-8", "surrogatepass")
    return _NAMED.get(match[3], match[3])


_DONE: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "utf-16": _from_utf_16,
    "bom": _without_bom,
    "newline": _without_newline,
    "crlf": _with_lf,
    "label": _without_label,
    "quotes": _without_quotes,
    "escapes": _unescaped,
}
