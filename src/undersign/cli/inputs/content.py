"""The bytes of FILE or of standard input."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError
from ..output import say
from ..streams import binary_input

LIMIT = 128 * 1024 * 1024
_STANDARD_INPUT = "standard input"


def read_content(file: Path | None) -> tuple[bytes, str]:
    """All that is there, and how to call it in a sentence; None and - are standard input.

    Raises ConfigError for what holds no request: a directory, an empty file, one that is too large, a terminal that
    nobody has asked to paste into; OSError for a file that is not there.
    """
    if file is None or str(file) == "-":
        return _checked(_from_standard_input(even_terminal=file is not None), _STANDARD_INPUT), _STANDARD_INPUT
    if file.is_dir():
        raise ConfigError(f"{file} is a directory: give the file of one request")
    with file.open("rb") as stream:
        return _checked(stream.read(LIMIT + 1), str(file)), str(file)


def _from_standard_input(*, even_terminal: bool) -> bytes:
    stdin = binary_input()
    if stdin is None:
        return b""
    if stdin.isatty():
        if not even_terminal:
            raise ConfigError(
                "there is no request: give its file, or pipe it in; or give - to paste the request, and end it with "
                "Ctrl-D"
            )
        say("undersign: paste the request, and end it with Ctrl-D")
    return stdin.read(LIMIT + 1)


def _checked(content: bytes, name: str) -> bytes:
    if len(content) > LIMIT:
        raise ConfigError(f"{name} is over {LIMIT} bytes, which is too large to look into")
    if not content.strip():
        raise ConfigError(f"{name} is empty: give the request in a file, as in undersign verify request.http")
    return content
