"""The request that `verify`, `diagnose` and `explain` are given, in a file or on standard input."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ...errors import ConfigError
from ...inputs.recognised import KINDS, Received, claims, request_of
from ...scheme import Scheme
from ..files import FileName
from ..options import Command
from ..output import say
from .content import read_content

__all__ = ["CLOCK_IS_NOW", "ReadingCommand", "Received", "claims", "input_options", "received", "tell"]

_URL = re.compile(r"https?:/", re.IGNORECASE)  # a path has lost the second slash

CLOCK_IS_NOW = "the clock is that of this machine, now: if the request came in earlier, say when with --at"

_Function = TypeVar("_Function", bound=Callable[..., Any])


class ReadingCommand(Command):
    """A command that reads a request."""

    instead = "the request comes from one file, or from standard input"


def input_options(function: _Function) -> _Function:
    """`FILE`, `--input`, `--entry` and `--origin`."""
    for decorator in (
        click.option(
            "--origin", metavar="ORIGIN", help="Where it was sent to.  [default: the URL's, or https:// and Host]"
        ),
        click.option("--entry", metavar="N|URL", help="Which entry of a HAR: its number, or a part of its URL."),
        click.option(
            "--input",
            "kind",
            type=click.Choice(KINDS),
            metavar="KIND",
            help=f"What the request is given as: {', '.join(KINDS)}.  [default: told by its beginning]",
        ),
        click.argument("file", required=False, type=FileName(dir_okay=True, allow_dash=True)),
    ):
        function = decorator(function)
    return function


def received(
    file: Path | None, kind: str | None, entry: str | None, origin: str | None, schemes: Sequence[Scheme]
) -> Received:
    """The request of a file, or of standard input; `origin` (parsed) takes the place of its own.

    Raises ConfigError for what is no request, or for one that can be read in more than one way, or lacks what a scheme
    of these needs of it; Rejected(malformed) for what is not clean HTTP; OSError for a file that cannot be read.
    """
    if file is not None and _URL.match(str(file)) and not file.exists():
        raise ConfigError(
            f"{file} is no file: save the request in one; for METHOD and URL there is undersign sign --explain"
        )
    content, name = read_content(file)
    return request_of(content, name, schemes, kind=kind, entry=entry, origin=origin)


def tell(*lines: str) -> None:
    """Say them on standard error, where there is something to say, so that standard output stays as it is."""
    for line in filter(None, lines):
        say(f"undersign: {line}")
