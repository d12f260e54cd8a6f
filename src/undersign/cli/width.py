"""Text for people, in the width of their terminal.

click lays help out for 50 columns or more, with a column of 30 for options. On a terminal of 40 columns, as beside an
editor or on a phone, that breaks each line twice. Here the text begins below a long option where there is no room
beside it. What goes through a pipe is not wrapped: there a line is a record.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import IO

import click

_LEAST = 30
_NARROW = 64
_OF_VALUES = "    "
_COLUMN = 12
"""The width of the first column of a narrow list, which the names of most commands fit in."""


class Formatter(click.HelpFormatter):
    """Help in the terminal's width, also where that is less than 50 columns."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None:
            width = max(min(columns(), max_width or 80) - 2, _LEAST)
        super().__init__(indent_increment, width, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(list(rows), min(col_max, _COLUMN) if self.width < _NARROW else col_max, col_spacing)


class Context(click.Context):
    formatter_class = Formatter


def columns() -> int:
    """The width of the terminal; 80 where there is none and COLUMNS is not set."""
    return shutil.get_terminal_size().columns


def room_beside(name: int) -> int:
    """The columns for text beside a first column of that width, in help."""
    width = Formatter().width
    return width - 4 - min(name, _COLUMN if width < _NARROW else name)


def fitted(line: str, stream: IO[str] | None = None) -> str:
    """The line, wrapped with its indent on a terminal; as it is behind a pipe. No word is broken.

    `stream` is where it goes, standard output where that is not said.
    """
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty() or len(line) <= columns():
        return line
    indent = line[: len(line) - len(line.lstrip())]
    width = max(columns(), _LEAST)
    return textwrap.fill(line, width, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False)


def fitted_prose(text: str) -> str:
    """The lines of an explanation, fitted but for values, which stand further in and are copied as they are."""
    return "\n".join(line if line.startswith(_OF_VALUES) else fitted(line) for line in text.split("\n"))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table: columns, or on a terminal that is too narrow for them each row's first text on a line and
    the others below it."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if not sys.stdout.isatty() or max(map(len, lines), default=0) <= columns():
        return lines
    return [fitted(text if place == 0 else f"  {text}") for row in rows for place, text in enumerate(row) if text]


def room() -> int | None:
    """How many columns a line has: those of the terminal, or None behind a pipe, where it may be of any length."""
    return columns() if sys.stdout.isatty() else None
