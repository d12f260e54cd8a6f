"""The file of profiles as TOML, and the line on which each key of it stands.

The parser does not tell lines, so they are found by parsing what comes before: a key is on the line behind the longest
beginning of the file that is TOML and does not have it. Only errors need them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..core.bounded import read_whole
from ..core.text import decoded, printable, toml_line
from ..errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST = 256 * 1024
"""Bytes that a file of profiles may have."""
_LAST = re.compile(r"\(at end of document\)")
_TABLE = re.compile(r"(?:Cannot declare|Cannot overwrite)[^\n]*")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file of profiles: the file, the line (0 where there is none), table and key, and a sentence
    with the remedy. It holds no secret."""

    file: Path
    line: int
    place: str
    sentence: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        place = f" {printable(self.place)}:" if self.place else ""
        return f"{self.file}{line}:{place} {self.sentence}"

    def as_error(self) -> ConfigError:
        """The same, to be raised."""
        return ConfigError(str(self))


class Document:
    """A file of profiles that is TOML, with its text. Its repr shows neither."""

    def __init__(self, file: Path, text: str, content: Mapping[str, Any]) -> None:
        self.file = file
        self.content = content
        self._text = text

    def line_of(self, keys: Sequence[str]) -> int:
        """The number of the line on which that key begins, from 1; 0 where it is not there."""
        lines = self._text.split("\n")
        if not _has(self.content, keys):
            return 0
        # What is before `first` parses and does not have it; whatever parses from `last` on does.
        first, last = 0, len(lines)
        while last - first > 1:
            middle = (first + last) // 2
            found = next(filter(None, (_begins(lines, end) for end in range(middle, last))), None)
            if found is None or _has(found[1], keys):
                last = middle
            else:
                first = found[0]
        return first + 1

    def problem(self, keys: Sequence[str], sentence: str, *, at: Sequence[str] | None = None) -> Problem:
        """What is wrong with a key; `at` is one that stands there, where this one does not."""
        return Problem(self.file, self.line_of(keys if at is None else at), place_of(keys), sentence)


def place_of(keys: Sequence[str]) -> str:
    """Table and key, as people write them: `[profiles.demo] key-id`."""
    table, rest = keys[:2], keys[2:]
    return " ".join(filter(None, (f"[{_dotted(table)}]" if table else "", _dotted(rest))))


def read_document(file: Path) -> Document | Problem:
    """The document in that file, or why there is none."""
    try:
        content = read_whole(file, LARGEST, "a file of profiles")
    except FileNotFoundError:
        return Problem(file, 0, "", "there is no such file: undersign profiles add NAME writes it")
    except OSError as error:
        return Problem(file, 0, "", error.strerror or "it cannot be read")
    try:
        text = decoded(content).replace("\r\n", "\n")
    except UnicodeDecodeError:
        return Problem(file, 0, "", "it is not text in UTF-8: save it so")
    return parse_document(file, text)


def parse_document(file: Path, text: str) -> Document | Problem:
    """The document that a text is, which is or will be in that file."""
    try:
        return Document(file, text, tomllib.loads(text))
    except RecursionError:
        return Problem(file, 0, "", "its tables and lists are nested too deeply")
    except ValueError as error:
        return _not_toml(file, text, error)


def _not_toml(file: Path, text: str, error: ValueError) -> Problem:
    """What the parser has found. Its words may quote the file, which may hold a secret; those about tables do not."""
    said = str(error)
    line = toml_line(error) or (text.rstrip().count("\n") + 1 if _LAST.search(said) else 0)
    if _TABLE.match(said):
        return Problem(file, line, "", "this table or key is there twice: leave one of them")
    return Problem(file, line, "", 'this is not TOML; texts stand between double quotes, as in key-id = "me"')


def _begins(lines: Sequence[str], end: int) -> tuple[int, dict[str, Any]] | None:
    """How many lines these are, and what they hold; None in the middle of a value that takes several lines."""
    try:
        return end, tomllib.loads("\n".join(lines[:end]))
    except (ValueError, RecursionError):
        return None


def _has(content: object, keys: Iterable[str]) -> bool:
    for key in keys:
        if not isinstance(content, Mapping) or key not in content:
            return False
        content = cast("Mapping[str, object]", content)[key]
    return True


def _dotted(keys: Sequence[str]) -> str:
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"' for key in keys)
