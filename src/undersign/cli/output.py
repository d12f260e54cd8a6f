"""Where output goes: an answer's body whole into a file, and lines to a standard error that may be closed."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .width import fitted


@contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Generator[IO[bytes], None, None]:
    """A file to write, which takes the place of `path` when the block ends well, and is removed when it does not.

    It stands beside `path`, whose mode it takes over, unless it is given a `mode`. What is no regular file (a pipe,
    /dev/null) is written to.
    """
    path = path.resolve()  # so that a symbolic link stays one
    try:
        old = path.stat()
    except FileNotFoundError:
        mode = 0o666 & ~_umask() if mode is None else mode
    else:
        if not stat.S_ISREG(old.st_mode):
            with path.open("wb") as stream:
                yield stream
            return
        mode = stat.S_IMODE(old.st_mode) if mode is None else mode
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=path.parent)
    except OSError as error:
        error.filename = str(path)  # nobody knows the other name
        raise
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123  # it is open already
            yield stream
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def say(line: str) -> None:
    """Write a line to standard error, in one piece, so that those of several threads do not mix.

    On a terminal a sentence is wrapped to its width; a command to copy, which has no `undersign: ` in front, is not.
    With standard error closed there is nobody to tell.
    """
    try:
        sys.stderr.write(f"{fitted(line, sys.stderr) if line.startswith('undersign: ') else line}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        # What is still buffered would raise again while Python exits, and change the exit code.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def painted(text: str, *, fg: str) -> str:
    """The text in a colour, for standard output, where that is a terminal that has colours and NO_COLOR is not set.

    See no-color.org for the variable.
    """
    import click

    has_colours = os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    return click.style(text, fg=fg) if has_colours and text and sys.stdout.isatty() else text


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
