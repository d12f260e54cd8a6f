"""Text from elsewhere, made fit to be shown and logged."""

from __future__ import annotations

import re

_TOML_LINE = re.compile(r"\(at line ([0-9]+),")


def printable(text: str, instead: str = "") -> str:
    r"""The text with what could steer a terminal, forge a line or hide escaped: `\x1b`, `\n`, `\u202e`.

    With `instead` each such character becomes that.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else instead or character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def one_line(text: str) -> str:
    """The text on one line, as an error message has it."""
    return printable(" ".join(text.split()))


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, with a byte order mark or without, or UTF-16 as Windows saves it, which has its mark.
    Raises UnicodeDecodeError."""
    return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")


def toml_line(error: Exception) -> int:
    """The line that the parser's error names, 0 where it names none. The rest of its message may quote the file."""
    line = _TOML_LINE.search(str(error))
    return int(line[1]) if line else 0


def place_in_toml(path: object, error: Exception) -> str:
    """The file, and the line that the parser's error names."""
    line = toml_line(error)
    return f"{path}, line {line}" if line else str(path)


def why_not_bound(error: OSError) -> str:
    """Why an address cannot be listened on: what the system says, without the address that Python puts behind it."""
    return str(error.strerror or error).partition(" (while")[0]


def shortened(text: str, longest: int = 200) -> str:
    """The text, or so many of its characters with `…` for the others."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def agreement(one: bytes, other: bytes) -> int:
    """How many bytes the two begin with that are the same."""
    place, end = 0, min(len(one), len(other)) + 1
    while end - place > 1:  # by halves, since bodies are long
        middle = (place + end) // 2
        if one[place:middle] == other[place:middle]:
            place = middle
        else:
            end = middle
    return place
